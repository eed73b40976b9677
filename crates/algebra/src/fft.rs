//! Fourier transforms over a coset of the roots of unity.
//!
//! To evaluate, `f` is reduced modulo `X^(n/2) - c` and `X^(n/2) + c`, then each half in the same
//! way, down to values: block `j` of level `k` is `f` modulo `X^(n/2^k) - c_(k,j)`. The offset of
//! the coset is in the `c`, so it costs nothing but a table of them. Values come out in
//! bit-reversed order and are put in order while they are copied out. Interpolation goes back.

use crate::limbs::Fe;
use crate::{root_of_unity, Fr};
use ark_bn254::FrConfig;
use ark_ff::{Field, One};
use rayon::prelude::*;
use std::sync::{Arc, PoisonError, RwLock};

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(not(target_arch = "x86_64"))]
#[path = "fft/no_lanes.rs"]
mod lanes;

type Limbs = Fe<FrConfig>;

/// Blocks from this size on are worth a second thread.
const TASK: usize = 1 << 12;
/// Blocks up to this size stay in the first-level cache while all their levels are done.
const LEAF: usize = 1 << 9;

/// `ω^(n/2^(k+1))` to the bit-reversed `j`, the same for every `n` and level `k` with `j < 2^k`.
static ROOTS: RwLock<Option<Arc<Vec<Limbs>>>> = RwLock::new(None);

/// The first `count` roots at least, `count` a power of two.
fn roots(count: usize) -> Arc<Vec<Limbs>> {
    let held = ROOTS.read().unwrap_or_else(PoisonError::into_inner).clone();
    let mut table = match held {
        Some(table) if table.len() >= count => return table,
        Some(table) => table.to_vec(),
        None => vec![Limbs::ONE],
    };
    while table.len() < count {
        // One more bit of j is one more halving of the angle.
        let log = table.len().trailing_zeros() + 2;
        let root = Limbs::from_ark(&root_of_unity(log).expect("sizes are far below 2^28"));
        let next: Vec<Limbs> = table.par_iter().map(|r| r.mul(&root).canonical()).collect();
        table.extend(next);
    }
    let table = Arc::new(table);
    let mut held = ROOTS.write().unwrap_or_else(PoisonError::into_inner);
    // Another thread may have made a larger one meanwhile.
    if held.as_ref().is_none_or(|kept| kept.len() < table.len()) {
        *held = Some(table.clone());
    }
    drop(held);
    table
}

/// The coset `offset·<ω_n>` with what transforms of any number of polynomials share.
#[derive(Clone, Debug)]
pub struct Coset {
    log: u32,
    offset: Fr,
    /// The constants of every level where the offset is one.
    roots: Arc<Vec<Limbs>>,
    /// `c_(k,j)` at `2^k + j`; empty where the offset is one.
    constants: Vec<Limbs>,
}

impl Coset {
    /// Of `size` points, a power of two.
    ///
    /// # Panics
    /// If the size is not a power of two up to `2^28`.
    pub fn new(size: usize, offset: Fr) -> Self {
        assert!(size.is_power_of_two(), "{size} points are no coset");
        let log = size.trailing_zeros();
        let roots = roots((size / 2).max(1));
        let constants = if offset.is_one() {
            Vec::new()
        } else {
            constants(log, offset, &roots)
        };
        Self {
            log,
            offset,
            roots,
            constants,
        }
    }

    const fn size(&self) -> usize {
        1 << self.log
    }

    fn level(&self, level: u32) -> &[Limbs] {
        let count = 1 << level;
        if self.constants.is_empty() {
            &self.roots[..count]
        } else {
            &self.constants[count..2 * count]
        }
    }

    /// The values of a polynomial at `offset·ω^i`; coefficients beyond the size wrap correctly.
    pub fn evaluate(&self, coefficients: &[Fr]) -> Vec<Fr> {
        let mut values = self.wrapped(coefficients);
        // A high half of zeros leaves the low one as both residues: levels of copies.
        let level = (self.size() / coefficients.len().max(1)).max(1).ilog2();
        let block = self.size() >> level;
        let (first, others) = values.split_at_mut(block);
        for other in others.chunks_exact_mut(block) {
            other.copy_from_slice(first);
        }
        let blocks = values.par_chunks_mut(block).with_min_len(TASK / block);
        blocks
            .enumerate()
            .for_each(|(index, values)| self.forward(values, level, index));
        in_order(&values, self.log)
    }

    /// `X^n` is constant on the coset, so blocks of `n` coefficients fold into one.
    fn wrapped(&self, coefficients: &[Fr]) -> Vec<Limbs> {
        let size = self.size();
        let mut blocks = coefficients.chunks(size);
        let mut values: Vec<Limbs> = blocks
            .next()
            .unwrap_or_default()
            .iter()
            .map(Limbs::from_ark)
            .collect();
        values.resize(size, Limbs::ZERO);
        let wrap = self.offset.pow([size as u64]);
        let mut factor = Fr::one();
        for block in blocks {
            factor *= wrap;
            let factor = Limbs::from_ark(&factor);
            for (to, from) in values.iter_mut().zip(block) {
                *to = to.add(&factor.mul(&Limbs::from_ark(from)));
            }
        }
        values
    }

    /// From block `index` of a level to its values, in bit-reversed order. Values are below `4r`.
    fn forward(&self, values: &mut [Limbs], level: u32, index: usize) {
        let half = values.len() / 2;
        if values.len() <= LEAF {
            if lanes::forward(self, values, level, index) {
                return;
            }
            for below in level..self.log {
                let depth = below - level;
                let blocks = values.chunks_exact_mut((2 * half) >> depth);
                let constants = &self.level(below)[index << depth..];
                for (block, constant) in blocks.zip(constants) {
                    let (low, high) = block.split_at_mut(half >> depth);
                    split(low, high, constant);
                }
            }
            return;
        }
        let (low, high) = values.split_at_mut(half);
        let constant = self.level(level)[index];
        if 2 * half <= TASK {
            split(low, high, &constant);
            self.forward(low, level + 1, 2 * index);
            self.forward(high, level + 1, 2 * index + 1);
        } else {
            let parts = low.par_chunks_mut(TASK).zip(high.par_chunks_mut(TASK));
            parts.for_each(|(low, high)| split(low, high, &constant));
            rayon::join(
                || self.forward(low, level + 1, 2 * index),
                || self.forward(high, level + 1, 2 * index + 1),
            );
        }
    }
}

/// The polynomial of degree below `values.len()`, a power of two, with these values on the coset.
pub(crate) fn interpolate_on(values: &[Fr], offset: Fr) -> Vec<Fr> {
    let size = values.len();
    assert!(size.is_power_of_two(), "{size} points are no coset");
    let mut values = reversed(values, size.trailing_zeros());
    backward(&mut values, 0, &roots((size / 2).max(1)));
    let inverse = |value: Fr| value.inverse().expect("neither is zero");
    let scale = Limbs::from_ark(&inverse(Fr::from(size as u64)));
    if offset.is_one() {
        let parts = values.par_chunks_mut(TASK);
        parts.for_each(|part| {
            if !lanes::multiply(part, &scale.canonical()) {
                for value in part {
                    *value = value.mul(&scale);
                }
            }
        });
        let values = values.par_iter().with_min_len(TASK);
        return values.map(|v| v.to_ark()).collect();
    }
    scaled(&values, scale, inverse(offset))
}

/// `c_(k,j) = offset^(n/2^(k+1)) ω^(…)` of all levels.
fn constants(log: u32, offset: Fr, roots: &[Limbs]) -> Vec<Limbs> {
    // offset^(n/2), offset^(n/4), …, offset.
    let mut powers = vec![offset; log as usize];
    for level in (1..powers.len()).rev() {
        powers[level - 1] = powers[level] * powers[level];
    }
    let mut all = Vec::with_capacity(1 << log);
    all.push(Limbs::ONE);
    for (level, power) in powers.iter().enumerate() {
        let power = Limbs::from_ark(power);
        let of_level = roots[..1 << level].par_iter().with_min_len(TASK);
        all.par_extend(of_level.map(|root| root.mul(&power).canonical()));
    }
    all
}

/// `l + c·h` and `l - c·h`, below `4r` from below `4r`.
#[inline]
fn split(low: &mut [Limbs], high: &mut [Limbs], constant: &Limbs) {
    if lanes::split(low, high, constant) {
        return;
    }
    for (l, h) in low.iter_mut().zip(high) {
        let (left, right) = (l.reduce(), constant.mul(h));
        *l = left.add_lazy(&right);
        *h = left.sub_lazy(&right);
    }
}

/// From values in bit-reversed order to coefficients times the size; all below `2r`.
fn backward(values: &mut [Limbs], index: usize, roots: &[Limbs]) {
    let size = values.len();
    if size <= LEAF {
        if lanes::backward(values, index, roots) {
            return;
        }
        let mut half = 1;
        while 2 * half <= size {
            let first = index * (size / (2 * half));
            for (block, index) in values.chunks_exact_mut(2 * half).zip(first..) {
                let (low, high) = block.split_at_mut(half);
                merge(low, high, index, roots);
            }
            half *= 2;
        }
        return;
    }
    let (low, high) = values.split_at_mut(size / 2);
    if size <= TASK {
        backward(low, 2 * index, roots);
        backward(high, 2 * index + 1, roots);
        merge(low, high, index, roots);
    } else {
        rayon::join(
            || backward(low, 2 * index, roots),
            || backward(high, 2 * index + 1, roots),
        );
        let parts = low.par_chunks_mut(TASK).zip(high.par_chunks_mut(TASK));
        parts.for_each(|(low, high)| merge(low, high, index, roots));
    }
}

/// `l + h` and `(l - h)/c` for the constant `c` of block `index` where the offset is one.
#[inline]
fn merge(low: &mut [Limbs], high: &mut [Limbs], index: usize, roots: &[Limbs]) {
    if lanes::merge(low, high, &minus_inverse(index, roots)) {
        return;
    }
    if index == 0 {
        for (l, h) in low.iter_mut().zip(high) {
            (*l, *h) = (l.add(h), l.sub(h));
        }
        return;
    }
    let minus_inverse = minus_inverse(index, roots);
    for (l, h) in low.iter_mut().zip(high) {
        (*l, *h) = (l.add(h), minus_inverse.mul(&h.sub_lazy(l)));
    }
}

/// `-1/c` for the constant `c` of block `index` where the offset is one.
fn minus_inverse(index: usize, roots: &[Limbs]) -> Limbs {
    if index == 0 {
        return Limbs::from_ark(&-Fr::one());
    }
    // The angle of j's root and that of the j with all lower bits flipped make half a turn.
    let top = 1 << index.ilog2();
    roots[3 * top - 1 - index]
}

/// `values_i · scale · step^i`.
fn scaled(values: &[Limbs], scale: Limbs, step: Fr) -> Vec<Fr> {
    let mut out = vec![Fr::from(0u64); values.len()];
    let limbs = Limbs::from_ark(&step);
    let parts = out.par_chunks_mut(TASK).zip(values.par_chunks(TASK));
    parts.enumerate().for_each(|(part, (out, values))| {
        let first = step.pow([(part * TASK) as u64]);
        let mut power = Limbs::from_ark(&first).mul(&scale);
        for (to, from) in out.iter_mut().zip(values) {
            *to = from.mul(&power).to_ark();
            power = power.mul(&limbs);
        }
    });
    out
}

/// The lowest `log` bits the other way round.
const fn reverse(index: usize, log: u32) -> usize {
    if log == 0 {
        return 0;
    }
    index.reverse_bits() >> (usize::BITS - log)
}

/// Values below `4r` from bit-reversed to natural order. Four neighbours go to the four quarters.
fn in_order(values: &[Limbs], log: u32) -> Vec<Fr> {
    let size = values.len();
    let ark = |value: &Limbs| value.reduce().to_ark();
    if size < 4 {
        return (0..size).map(|i| ark(&values[reverse(i, log)])).collect();
    }
    let mut out = vec![Fr::from(0u64); size];
    let (first, second) = out.split_at_mut(size / 2);
    let (a, b) = first.split_at_mut(size / 4);
    let (c, d) = second.split_at_mut(size / 4);
    let quarters = (a.par_iter_mut().zip(b)).zip(c.par_iter_mut().zip(d));
    quarters
        .enumerate()
        .with_min_len(TASK)
        .for_each(|(i, ((a, b), (c, d)))| {
            let from = 4 * reverse(i, log - 2);
            let four = &values[from..from + 4];
            (*a, *c) = (ark(&four[0]), ark(&four[1]));
            (*b, *d) = (ark(&four[2]), ark(&four[3]));
        });
    out
}

/// From natural to bit-reversed order.
fn reversed(values: &[Fr], log: u32) -> Vec<Limbs> {
    let size = values.len();
    let limbs = |i: usize| Limbs::from_ark(&values[i]);
    if size < 4 {
        return (0..size).map(|i| limbs(reverse(i, log))).collect();
    }
    let mut out = vec![Limbs::ZERO; size];
    let quarter = size / 4;
    let blocks = out.par_chunks_exact_mut(4).with_min_len(TASK);
    blocks.enumerate().for_each(|(block, four)| {
        let i = reverse(block, log - 2);
        four[0] = limbs(i);
        four[1] = limbs(i + 2 * quarter);
        four[2] = limbs(i + quarter);
        four[3] = limbs(i + 3 * quarter);
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{FftField, PrimeField};
    use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
    use proptest::prelude::*;

    fn check(coefficients: &[Fr], log: u32, offset: Fr) {
        let size = 1 << log;
        let domain = Radix2EvaluationDomain::<Fr>::new(size).unwrap();
        let domain = domain.get_coset(offset).unwrap();
        // ark-poly's transform does not wrap.
        let mut wrapped = vec![Fr::from(0u64); size];
        let mut factor = Fr::one();
        for block in coefficients.chunks(size) {
            for (to, from) in wrapped.iter_mut().zip(block) {
                *to += factor * from;
            }
            factor *= offset.pow([size as u64]);
        }
        let values = Coset::new(size, offset).evaluate(coefficients);
        assert_eq!(values, domain.fft(&wrapped), "2^{log}");
        assert_eq!(interpolate_on(&values, offset), wrapped, "2^{log}");
    }

    #[test]
    fn all_sizes_agree_with_ark() {
        let mut value = Fr::GENERATOR.pow([1 << 30]);
        let next = || {
            value = value * value + Fr::one();
            value
        };
        let all: Vec<Fr> = std::iter::repeat_with(next).take((1 << 14) + 7).collect();
        for log in 0..=14 {
            for offset in [Fr::one(), Fr::GENERATOR, all[0]] {
                check(&all[..1 << log], log, offset);
                check(&all[..(1 << log) + 7], log, offset);
                for few in [0, 1, 2, 3, 5, 1 << (log / 2), (1 << log) / 2 + 1] {
                    check(&all[..few], log, offset);
                }
            }
        }
    }

    #[test]
    fn extreme_values_agree_with_ark() {
        // Sums of the largest values go up to the bounds of the lazy reduction.
        for value in [Fr::from(0u64), -Fr::one(), Fr::one()] {
            for log in 0..=10 {
                check(&vec![value; 1 << log], log, -Fr::one());
                check(&vec![value; 1 << log], log, Fr::one());
            }
        }
    }

    proptest! {
        #[test]
        fn any_polynomials_agree_with_ark(
            values in prop::collection::vec(any::<[u8; 32]>(), 0..80),
            offset: [u8; 32],
            log in 0u32..=6,
        ) {
            let fr = |bytes: &[u8; 32]| Fr::from_le_bytes_mod_order(bytes);
            let offset = fr(&offset);
            prop_assume!(offset != Fr::from(0u64));
            let values: Vec<Fr> = values.iter().map(fr).collect();
            check(&values, log, offset);
        }
    }
}
