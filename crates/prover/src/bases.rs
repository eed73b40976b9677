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
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Up to so many points a window table pays for itself within a few proofs.
const SMALL: usize = (1 << 14) + 64;
/// The use that builds it: a prover of one proof never does.
const SECOND: u32 = 2;
/// Of larger bases: the use at which proofs without the table have lost about what it costs. A proof has two uses, and
/// of 128 rows of 100 trees loses about a tenth of it.
const LATE: u32 = 18;

/// Powers, and the Lagrange and running-sum bases by size.
pub(crate) struct Bases {
    /// `[τ]_2`, by which strings are told apart.
    pub tau: G2Affine,
    path: PathBuf,
    srs: Mutex<Option<Arc<Srs>>>,
    powers: Shelf<()>,
    lagrange: Shelf<u32>,
    suffix: Shelf<u32>,
    packed: Shelf<(u32, usize)>,
    /// The packs that were asked for, and whether their basis is being made.
    packs: Mutex<HashMap<(u32, usize), bool>>,
}

/// What a base is multiplied by. Short scalars have a digit or two: a table is no use to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalars {
    Short,
    Full,
}

/// The making of a pack's basis: over when it is dropped, also by a panic, so that the next proof may make it.
struct Making<'a> {
    packs: &'a Mutex<HashMap<(u32, usize), bool>>,
    key: (u32, usize),
}

impl Drop for Making<'_> {
    fn drop(&mut self) {
        locked(self.packs).insert(self.key, false);
    }
}

/// Bases by key.
///
/// Nothing is made while a lock is held: making waits for the threads of the pool, and those may be waiting for the
/// lock, on behalf of another proof or of the same one. Two threads may make the same base; one of them is kept.
struct Shelf<K>(Mutex<HashMap<K, Held>>);

/// A base and how often it was asked for.
struct Held {
    base: Arc<FixedBase>,
    uses: u32,
}

impl Held {
    /// Counts a use; whether it is the one that builds the table. `late` is that use of a base that is not small.
    fn used(&mut self, late: Option<u32>) -> bool {
        self.uses = self.uses.saturating_add(1);
        let small = self.base.points().len() <= SMALL;
        Some(self.uses) == if small { Some(SECOND) } else { late }
    }
}

impl<K: Copy + Eq + Hash> Shelf<K> {
    fn new() -> Self {
        Self(Mutex::default())
    }

    /// A base of `count` points at least, as these scalars need it, if it is held.
    fn find(
        &self,
        key: K,
        count: usize,
        scalars: Scalars,
        late: Option<u32>,
    ) -> Option<Arc<FixedBase>> {
        let (base, build) = {
            let mut shelf = locked(&self.0);
            let held = shelf.get_mut(&key)?;
            if held.base.points().len() < count {
                return None;
            }
            let build = scalars == Scalars::Full && held.used(late);
            (held.base.clone(), build)
        };
        if !build {
            return Some(base);
        }
        let made = Arc::new(FixedBase::with_table(base.points().to_vec()));
        if let Some(held) = locked(&self.0).get_mut(&key) {
            if held.base.points().len() == made.points().len() {
                held.base = made.clone();
            }
        }
        Some(made)
    }

    /// Keep a base, unless a longer one or the same was put there meanwhile.
    fn put(&self, key: K, points: Vec<G1Affine>, scalars: Scalars) -> Arc<FixedBase> {
        let made = Held {
            base: Arc::new(FixedBase::new(points)),
            uses: u32::from(scalars == Scalars::Full),
        };
        let base = made.base.clone();
        let mut shelf = locked(&self.0);
        let shorter = |held: &Held| held.base.points().len() < base.points().len();
        if shelf.get(&key).is_none_or(shorter) {
            shelf.insert(key, made);
        }
        base
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bases {
    pub fn new(path: &Path, tau: G2Affine) -> Self {
        Self {
            tau,
            path: path.to_path_buf(),
            srs: Mutex::default(),
            powers: Shelf::new(),
            lagrange: Shelf::new(),
            suffix: Shelf::new(),
            packed: Shelf::new(),
            packs: Mutex::default(),
        }
    }

    fn srs(&self, degree: usize) -> Result<Arc<Srs>, Error> {
        let held = locked(&self.srs).clone();
        if let Some(srs) = held.filter(|srs| srs.powers.len() > degree) {
            return Ok(srs);
        }
        let loaded = Arc::new(Srs::load(&self.path, degree)?);
        let mut held = locked(&self.srs);
        let shorter = |held: &Arc<Srs>| held.powers.len() < loaded.powers.len();
        if held.as_ref().is_none_or(shorter) {
            *held = Some(loaded.clone());
        }
        Ok(loaded)
    }

    /// `[τ^i]_1` for `i <= degree` at least.
    pub fn powers(&self, degree: usize) -> Result<Arc<FixedBase>, Error> {
        let found = self.powers.find((), degree + 1, Scalars::Full, Some(LATE));
        if let Some(powers) = found {
            return Ok(powers);
        }
        let points = self.srs(degree)?.powers[..=degree].to_vec();
        Ok(self.powers.put((), points, Scalars::Full))
    }

    /// The Lagrange basis of the domain of order `2^log`, then the blinding points.
    pub fn lagrange(&self, log: u32) -> Result<Arc<FixedBase>, Error> {
        self.lagrange_for(log, Scalars::Full)
    }

    /// As [`Self::lagrange`], for scalars of any kind.
    pub fn lagrange_for(&self, log: u32, scalars: Scalars) -> Result<Arc<FixedBase>, Error> {
        if let Some(basis) = self.lagrange.find(log, 0, scalars, None) {
            return Ok(basis);
        }
        let srs = self.srs((1 << log) + TWICE_IN_PACK)?;
        let mut points = srs.lagrange(log)?;
        points.extend(blinding(&srs, log));
        Ok(self.lagrange.put(log, points, scalars))
    }

    /// For running sums over `2^log` rows: element `j` is `Σ_(k = j+1 ..= N) [L_(k mod N)]`,
    /// so that a sum that grows at few rows costs few terms. Then the blinding points.
    pub fn suffix(&self, log: u32) -> Result<Arc<FixedBase>, Error> {
        if let Some(basis) = self.suffix.find(log, 0, Scalars::Full, None) {
            return Ok(basis);
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
        Ok(self.suffix.put(log, points, Scalars::Full))
    }

    /// For packs of `width` columns of `2^log` rows: column by column `[τ^i L_j(τ^width)]`, then its blinding points.
    /// None at first use where the string has no such basis beside it: a prover of one proof need not compute it. None
    /// as well while another thread computes it: that takes longer than to do without.
    pub fn packed(
        &self,
        log: u32,
        width: usize,
        scalars: Scalars,
    ) -> Result<Option<Arc<FixedBase>>, Error> {
        let key = (log, width);
        if let Some(basis) = self.packed.find(key, 0, scalars, None) {
            return Ok(Some(basis));
        }
        let asked = locked(&self.packs).insert(key, true);
        if asked == Some(true) {
            return Ok(None);
        }
        let _making = Making {
            packs: &self.packs,
            key,
        };
        let points = self.packed_points(log, width, asked.is_some())?;
        Ok(points.map(|points| self.packed.put(key, points, scalars)))
    }

    fn packed_points(
        &self,
        log: u32,
        width: usize,
        again: bool,
    ) -> Result<Option<Vec<G1Affine>>, Error> {
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
        Ok(Some(points))
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
    use rayon::prelude::*;

    #[test]
    fn tables_change_nothing() {
        let g = G1Affine::generator();
        let points: Vec<G1Affine> = (1..30u64)
            .map(|k| (g * Fr::from(k)).into_affine())
            .collect();
        let scalars: Vec<Fr> = (1..30u64).map(|k| -Fr::from(k * k)).collect();
        let shelf = Shelf::new();
        let mut sums = vec![shelf.put(0, points, Scalars::Full).msm(&scalars)];
        sums.extend((0..3).map(|_| shelf.find(0, 0, Scalars::Full, None).unwrap().msm(&scalars)));
        assert!(sums.iter().all(|sum| *sum == sums[0]));
    }

    #[test]
    fn what_panics_while_it_makes_a_pack_does_not_keep_others_from_making_it() {
        let packs = Mutex::new(HashMap::from([((10, 2), true)]));
        let key = (10, 2);
        let died = std::panic::catch_unwind(|| {
            let _making = Making { packs: &packs, key };
            panic!("no memory");
        });
        assert!(died.is_err());
        assert_eq!(locked(&packs).get(&key), Some(&false));
    }

    /// Whoever holds a lock while a base is made waits for the threads of the pool, and these for the lock: two proofs
    /// at a time hung for ever, before bases were made outside.
    #[test]
    fn a_base_may_be_asked_for_by_every_thread_while_it_is_made() {
        let folder = std::env::temp_dir().join(format!("assay-bases-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("string.srs");
        let info = assay_srs::generate(&path, (1 << 12) + 63).unwrap();
        for _ in 0..20 {
            let bases = Bases::new(&path, info.tau);
            let ask = |k: u32| match k % 4 {
                0 => bases.lagrange(11).map(Some),
                1 => bases.suffix(11).map(Some),
                2 => bases.powers(1 << 11).map(Some),
                _ => bases.packed(10, 2, Scalars::Full),
            };
            std::thread::scope(|scope| {
                let outside = scope.spawn(|| (0..8).map(ask).collect::<Result<Vec<_>, _>>());
                let inside = (0..32).into_par_iter().map(ask);
                let inside = inside.collect::<Result<Vec<_>, _>>().unwrap();
                let outside = outside.join().unwrap().unwrap();
                assert!(inside.iter().chain(&outside).flatten().count() >= 30);
            });
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
