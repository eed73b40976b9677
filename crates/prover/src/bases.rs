//! The reference string in the bases that proving needs, loaded when first used.

use crate::column::TWICE_IN_PACK;
use crate::Error;
use ark_bn254::{G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use assay_msm::FixedBase;
use assay_srs::Srs;
use assay_verifier::relation::coefficients_in_pack;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Up to so many points a window table pays for itself within a few proofs.
const SMALL: usize = (1 << 14) + 64;
/// The use that builds it: a prover of one proof never does.
const SECOND: u32 = 2;
/// Of larger bases: the use at which proofs without the table have lost about what it costs.
const LATE: u32 = 12;

/// Powers, and the Lagrange and running-sum bases by size.
pub(crate) struct Bases {
    /// `[τ]_2`, by which strings are told apart.
    pub tau: G2Affine,
    path: PathBuf,
    srs: Mutex<Option<Arc<Srs>>>,
    powers: Mutex<Option<Held>>,
    lagrange: Mutex<HashMap<u32, Held>>,
    suffix: Mutex<HashMap<u32, Held>>,
    packed: Mutex<HashMap<(u32, usize), Option<Held>>>,
}

/// What a base is multiplied by. Short scalars have a digit or two: a table is no use to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalars {
    Short,
    Full,
}

/// A base and how often it was asked for.
struct Held {
    base: Arc<FixedBase>,
    uses: u32,
}

impl Held {
    fn new(points: Vec<G1Affine>) -> Self {
        Self {
            base: Arc::new(FixedBase::new(points)),
            uses: 0,
        }
    }

    /// The base; use number `late` builds the table of one that is not small.
    fn base(&mut self, late: Option<u32>) -> Arc<FixedBase> {
        self.uses = self.uses.saturating_add(1);
        let points = self.base.points();
        let small = points.len() <= SMALL;
        if Some(self.uses) == if small { Some(SECOND) } else { late } {
            self.base = Arc::new(FixedBase::with_table(points.to_vec()));
        }
        self.base.clone()
    }

    /// The base as these scalars need it.
    fn base_for(&mut self, scalars: Scalars) -> Arc<FixedBase> {
        match scalars {
            Scalars::Short => self.base.clone(),
            Scalars::Full => self.base(None),
        }
    }
}

impl Bases {
    pub fn new(path: &Path, tau: G2Affine) -> Self {
        Self {
            tau,
            path: path.to_path_buf(),
            srs: Mutex::default(),
            powers: Mutex::default(),
            lagrange: Mutex::default(),
            suffix: Mutex::default(),
            packed: Mutex::default(),
        }
    }

    fn srs(&self, degree: usize) -> Result<Arc<Srs>, Error> {
        let mut held = self.srs.lock().unwrap_or_else(PoisonError::into_inner);
        match &*held {
            Some(srs) if srs.powers.len() > degree => Ok(srs.clone()),
            _ => Ok(held
                .insert(Arc::new(Srs::load(&self.path, degree)?))
                .clone()),
        }
    }

    /// `[τ^i]_1` for `i <= degree` at least.
    pub fn powers(&self, degree: usize) -> Result<Arc<FixedBase>, Error> {
        let mut held = self.powers.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *held {
            Some(powers) if powers.base.points().len() > degree => Ok(powers.base(Some(LATE))),
            _ => {
                let points = self.srs(degree)?.powers[..=degree].to_vec();
                Ok(held.insert(Held::new(points)).base(Some(LATE)))
            }
        }
    }

    /// The Lagrange basis of the domain of order `2^log`, then the blinding points.
    pub fn lagrange(&self, log: u32) -> Result<Arc<FixedBase>, Error> {
        self.lagrange_for(log, Scalars::Full)
    }

    /// As [`Self::lagrange`], for scalars of any kind.
    pub fn lagrange_for(&self, log: u32, scalars: Scalars) -> Result<Arc<FixedBase>, Error> {
        let mut held = self.lagrange.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(basis) = held.get_mut(&log) {
            return Ok(basis.base_for(scalars));
        }
        let srs = self.srs((1 << log) + TWICE_IN_PACK)?;
        let mut points = srs.lagrange(log)?;
        points.extend(blinding(&srs, log));
        let basis = held.entry(log).or_insert(Held::new(points));
        Ok(basis.base_for(scalars))
    }

    /// For running sums over `2^log` rows: element `j` is `Σ_(k = j+1 ..= N) [L_(k mod N)]`,
    /// so that a sum that grows at few rows costs few terms. Then the blinding points.
    pub fn suffix(&self, log: u32) -> Result<Arc<FixedBase>, Error> {
        let mut held = self.suffix.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(basis) = held.get_mut(&log) {
            return Ok(basis.base(None));
        }
        let srs = self.srs((1 << log) + TWICE_IN_PACK)?;
        let lagrange = srs.lagrange(log)?;
        let mut sum = G1Projective::zero();
        let mut sums = vec![sum; lagrange.len()];
        for j in (0..lagrange.len()).rev() {
            sum += lagrange[(j + 1) % lagrange.len()];
            sums[j] = sum;
        }
        let mut points = G1Projective::normalize_batch(&sums);
        points.extend(blinding(&srs, log));
        Ok(held.entry(log).or_insert(Held::new(points)).base(None))
    }

    /// For packs of `width` columns of `2^log` rows: column by column `[τ^i L_j(τ^width)]`, then its blinding points.
    /// None at first use where the string has no such basis beside it: a prover of one proof need not compute it.
    pub fn packed(
        &self,
        log: u32,
        width: usize,
        scalars: Scalars,
    ) -> Result<Option<Arc<FixedBase>>, Error> {
        let mut held = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(basis)) = held.get_mut(&(log, width)) {
            return Ok(Some(basis.base_for(scalars)));
        }
        let again = held.insert((log, width), None).is_some();
        let rows = 1usize << log;
        let each = coefficients_in_pack(rows);
        let srs = self.srs(width * each)?;
        let Some(lagrange) = srs.packed_lagrange(log, width, again)? else {
            return Ok(None);
        };
        let mut points = Vec::with_capacity(width * each);
        for (place, lagrange) in lagrange.chunks(rows).enumerate() {
            points.extend_from_slice(lagrange);
            let power = |k: usize| srs.powers[place + width * k];
            let blinding = (0..each - rows).map(|k| power(rows + k).into_group() - power(k));
            points.extend(G1Projective::normalize_batch(&blinding.collect::<Vec<_>>()));
        }
        let basis = held.entry((log, width)).or_default();
        Ok(Some(basis.insert(Held::new(points)).base_for(scalars)))
    }
}

/// `[X^i Z_n]`: blinding coefficients are the scalars of these points.
fn blinding(srs: &Srs, log: u32) -> Vec<G1Affine> {
    let point = |i: usize| srs.powers[(1 << log) + i].into_group() - srs.powers[i];
    G1Projective::normalize_batch(&(0..TWICE_IN_PACK).map(point).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Fr;

    #[test]
    fn tables_change_nothing() {
        let g = G1Affine::generator();
        let points: Vec<G1Affine> = (1..30u64)
            .map(|k| (g * Fr::from(k)).into_affine())
            .collect();
        let scalars: Vec<Fr> = (1..30u64).map(|k| -Fr::from(k * k)).collect();
        let mut held = Held::new(points);
        let sums: Vec<_> = (0..3).map(|_| held.base(None).msm(&scalars)).collect();
        assert!(sums.iter().all(|sum| *sum == sums[0]));
    }
}
