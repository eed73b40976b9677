//! The reference string in the bases that proving needs, loaded when first used.

use crate::Error;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::Zero;
use assay_algebra::Fr;
use assay_msm::FixedBase;
use assay_srs::Srs;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Window tables pay for themselves up to this size; beyond, they would take hundreds of megabytes.
const TABLE_LIMIT: usize = (1 << 14) + 64;

/// Powers, and the Lagrange and running-sum bases by size.
pub(crate) struct Bases {
    path: PathBuf,
    srs: Mutex<Option<Arc<Srs>>>,
    powers: Mutex<Option<Arc<FixedBase>>>,
    lagrange: Mutex<HashMap<u32, Arc<FixedBase>>>,
    suffix: Mutex<HashMap<u32, Arc<FixedBase>>>,
}

fn fixed(points: Vec<G1Affine>) -> FixedBase {
    if points.len() <= TABLE_LIMIT {
        FixedBase::with_table(points)
    } else {
        FixedBase::new(points)
    }
}

impl Bases {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
            srs: Mutex::default(),
            powers: Mutex::default(),
            lagrange: Mutex::default(),
            suffix: Mutex::default(),
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
        match &*held {
            Some(powers) if powers.points().len() > degree => Ok(powers.clone()),
            _ => {
                let points = self.srs(degree)?.powers[..=degree].to_vec();
                Ok(held.insert(Arc::new(fixed(points))).clone())
            }
        }
    }

    /// The Lagrange basis of the domain of order `2^log`.
    pub fn lagrange(&self, log: u32) -> Result<Arc<FixedBase>, Error> {
        let mut held = self.lagrange.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(basis) = held.get(&log) {
            return Ok(basis.clone());
        }
        let basis = Arc::new(fixed(self.srs(1 << log)?.lagrange(log)?));
        held.insert(log, basis.clone());
        Ok(basis)
    }

    /// For running sums over `2^log` rows: element `j` is `Σ_(k = j+1 ..= N) [L_(k mod N)]`,
    /// so that a sum that grows at few rows costs few terms.
    pub fn suffix(&self, log: u32) -> Result<Arc<FixedBase>, Error> {
        let mut held = self.suffix.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(basis) = held.get(&log) {
            return Ok(basis.clone());
        }
        let lagrange = self.srs(1 << log)?.lagrange(log)?;
        let mut sum = G1Projective::zero();
        let mut sums = vec![sum; lagrange.len()];
        for j in (0..lagrange.len()).rev() {
            sum += lagrange[(j + 1) % lagrange.len()];
            sums[j] = sum;
        }
        let basis = Arc::new(fixed(G1Projective::normalize_batch(&sums)));
        held.insert(log, basis.clone());
        Ok(basis)
    }
}

/// `Σ blinds_i ([τ^(n+i)] - [τ^i])`: the commitment of a random multiple of `Z_n`.
pub(crate) fn blinding(powers: &FixedBase, n: usize, blinds: &[Fr]) -> G1Projective {
    blinds
        .iter()
        .enumerate()
        .map(|(i, blind)| (powers.points()[n + i].into_group() - powers.points()[i]) * blind)
        .sum()
}
