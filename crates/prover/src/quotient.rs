//! Dividing by `Z_n`: constraints are evaluated on cosets of `H`, one at a time so that memory stays small.
//!
//! Blinding lifts a quotient of degree `d·n` by a few coefficients. A whole coset more would be spent on
//! them, so a small one tells them: sixteen points.

use crate::column::blinds;
use ark_ff::{batch_inversion, FftField, Field, One, Zero};
use assay_algebra::{coset_evaluate, coset_interpolate, root_of_unity, Fr};
use rayon::prelude::*;

/// The logarithm of the points that tell the coefficients beyond `d·n`: more than blinding adds (spec 4.4),
/// at most a block's rows.
const EXTRA: u32 = 4;

/// Points enough for a quotient of degree below `d·n + 16`: `d` cosets of the domain of order `2^log`
/// and sixteen points.
pub(crate) struct Cosets {
    log: u32,
    offsets: Vec<Fr>,
    extra: Fr,
    /// The logarithm of the points beyond the cosets.
    log_extra: u32,
}

/// A coset that `Z_n` is constant on: of `H`, or of a subgroup of it.
pub(crate) struct Coset {
    /// Of the points.
    log: u32,
    /// Of `H`.
    log_domain: u32,
    offset: Fr,
    /// Its number among those of a quotient.
    place: usize,
    here: assay_algebra::Coset,
    /// The points times `ω`, where these are other points.
    next: Option<assay_algebra::Coset>,
}

/// Values of a polynomial at the points of a coset, and at these times `ω`.
#[derive(Default)]
pub(crate) struct Shifted {
    pub here: Vec<Fr>,
    next: Option<Vec<Fr>>,
}

impl Shifted {
    /// The value at `ω` times point `i`.
    #[inline]
    pub fn next(&self, i: usize) -> Fr {
        match &self.next {
            Some(next) => next[i],
            None => self.here[(i + 1) & (self.here.len() - 1)],
        }
    }
}

impl Cosets {
    /// For quotients of degree `degree·n` and a little.
    pub fn new(log: u32, degree: usize) -> Self {
        Self::with(log, degree, EXTRA.min(log))
    }

    /// For quotients of less than `n + more` coefficients.
    pub fn beyond(log: u32, more: usize) -> Self {
        let log_extra = more.next_power_of_two().trailing_zeros();
        if log_extra < log {
            Self::with(log, 1, log_extra)
        } else {
            Self::with(log, 2, EXTRA.min(log))
        }
    }

    fn with(log: u32, degree: usize, log_extra: u32) -> Self {
        // Points of the domain of the next four-fold order: X^n is g^n times a fourth root of unity on each.
        let step = root_of_unity(log + 2).unwrap_or_default();
        let mut offset = Fr::GENERATOR;
        let offsets = (0..degree)
            .map(|_| {
                let now = offset;
                offset *= step;
                now
            })
            .collect();
        Self {
            log,
            offsets,
            extra: offset,
            log_extra,
        }
    }

    /// The quotient by `Z_n` of the polynomial whose values on a coset `numerator` gives.
    pub fn divide(&self, numerator: impl Fn(&Coset) -> Vec<Fr>) -> Vec<Fr> {
        let n = 1u64 << self.log;
        // X^n is constant on a coset: the values there fix the quotient modulo X^n - that constant.
        let constants: Vec<Fr> = self.offsets.iter().map(|o| o.pow([n])).collect();
        let residues: Vec<Vec<Fr>> = self
            .offsets
            .iter()
            .enumerate()
            .map(|(place, offset)| {
                let coset = Coset::new(self.log, self.log, *offset, place);
                coset_interpolate(&coset.divided(&numerator), *offset)
            })
            .collect();
        let basis = lagrange_coefficients(&constants);
        let mut quotient: Vec<Fr> = (0..self.offsets.len())
            .flat_map(|power| {
                let weights: Vec<Fr> = basis.iter().map(|b| b[power]).collect();
                combine(&residues, &weights)
            })
            .collect();
        let vanishing = product(&constants);
        let rest = self.rest(&quotient, &vanishing, numerator);
        quotient.resize(quotient.len() + rest.len(), Fr::zero());
        for (block, factor) in vanishing.iter().enumerate() {
            let from = block << self.log;
            for (to, coefficient) in quotient[from..].iter_mut().zip(&rest) {
                *to += *factor * coefficient;
            }
        }
        quotient
    }

    /// What `vanishing(X^n)`, zero on all cosets, has to be multiplied by to make `known` the quotient.
    fn rest(
        &self,
        known: &[Fr],
        vanishing: &[Fr],
        numerator: impl Fn(&Coset) -> Vec<Fr>,
    ) -> Vec<Fr> {
        let coset = Coset::new(self.log_extra, self.log, self.extra, self.offsets.len());
        let known = coset.evaluate(known);
        let constant = self.extra.pow([1u64 << self.log]);
        let over = assay_algebra::evaluate(vanishing, constant)
            .inverse()
            .unwrap_or_default();
        let mut values = coset.divided(numerator);
        for (value, known) in values.iter_mut().zip(known) {
            *value = (*value - known) * over;
        }
        coset_interpolate(&values, self.extra)
    }
}

/// `Σ weights_i · vectors_i`.
fn combine(vectors: &[Vec<Fr>], weights: &[Fr]) -> Vec<Fr> {
    (0..vectors[0].len())
        .into_par_iter()
        .with_min_len(1024)
        .map(|at| vectors.iter().zip(weights).map(|(v, w)| v[at] * w).sum())
        .collect()
}

/// The coefficients of the polynomials that are 1 at one of the points and 0 at the others.
fn lagrange_coefficients(points: &[Fr]) -> Vec<Vec<Fr>> {
    points
        .iter()
        .map(|own| {
            let others: Vec<Fr> = points.iter().filter(|p| *p != own).copied().collect();
            let product = product(&others);
            let scale = assay_algebra::evaluate(&product, *own);
            let scale = scale.inverse().unwrap_or_default();
            product.into_iter().map(|c| c * scale).collect()
        })
        .collect()
}

/// The coefficients of `Π (X - point)`.
fn product(points: &[Fr]) -> Vec<Fr> {
    let mut product = vec![Fr::one()];
    for point in points {
        product.push(Fr::zero());
        for at in (0..product.len()).rev() {
            let below = if at > 0 { product[at - 1] } else { Fr::zero() };
            product[at] = below - product[at] * point;
        }
    }
    product
}

impl Coset {
    fn new(log: u32, log_domain: u32, offset: Fr, place: usize) -> Self {
        let size = 1 << log;
        let next = (log < log_domain).then(|| {
            let root = root_of_unity(log_domain).unwrap_or_default();
            assay_algebra::Coset::new(size, offset * root)
        });
        Self {
            log,
            log_domain,
            offset,
            place,
            here: assay_algebra::Coset::new(size, offset),
            next,
        }
    }

    /// Its number among those of a quotient: cosets of one number and domain have the same points.
    pub fn place(&self) -> usize {
        self.place
    }

    /// The values of a polynomial.
    pub fn evaluate(&self, coefficients: &[Fr]) -> Vec<Fr> {
        self.here.evaluate(coefficients)
    }

    /// The same for one that is read at the next row, too.
    pub fn evaluate_shifted(&self, coefficients: &[Fr]) -> Shifted {
        Shifted {
            here: self.evaluate(coefficients),
            next: self.next.as_ref().map(|next| next.evaluate(coefficients)),
        }
    }

    /// What `numerator` gives, divided by `Z_n`.
    fn divided(&self, numerator: impl Fn(&Self) -> Vec<Fr>) -> Vec<Fr> {
        let vanishing = self.offset.pow([1u64 << self.log_domain]) - Fr::one();
        let over = vanishing.inverse().unwrap_or_default();
        let mut values = numerator(self);
        let parts = values.par_iter_mut().with_min_len(1024);
        parts.for_each(|value| *value *= over);
        values
    }

    /// After so many points, functions of `X^exponent` repeat.
    fn period(&self, exponent: usize) -> usize {
        ((1usize << self.log) / exponent).max(1)
    }

    /// The values of `f(X^exponent)`, for a power of two: one period.
    pub fn evaluate_periodic(&self, coefficients: &[Fr], exponent: usize) -> Vec<Fr> {
        let offset = self.offset.pow([exponent as u64]);
        coset_evaluate(coefficients, self.period(exponent), offset)
    }

    /// `X^exponent`, for a power of two: one period.
    pub fn powers(&self, exponent: usize) -> Vec<Fr> {
        let step = root_of_unity(self.log)
            .unwrap_or_default()
            .pow([exponent as u64]);
        let mut point = self.offset.pow([exponent as u64]);
        (0..self.period(exponent))
            .map(|_| {
                let now = point;
                point *= step;
                now
            })
            .collect()
    }

    /// `value(index, point)` at all points.
    pub fn map(&self, value: impl Fn(usize, Fr) -> Fr + Sync) -> Vec<Fr> {
        const TASK: usize = 256;
        let n = 1usize << self.log;
        let root = root_of_unity(self.log).unwrap_or_default();
        let mut values = vec![Fr::zero(); n];
        values
            .par_chunks_mut(TASK)
            .enumerate()
            .for_each(|(chunk, values)| {
                let first = chunk * TASK;
                let mut point = self.offset * root.pow([first as u64]);
                for (i, to) in values.iter_mut().enumerate() {
                    *to = value(first + i, point);
                    point *= root;
                }
            });
        values
    }
}

/// Splits a quotient; random multiples that cancel between neighbours hide the single chunks.
pub(crate) fn blind_chunks(quotient: &[Fr], size: usize, count: usize) -> Vec<Vec<Fr>> {
    let mut chunks: Vec<Vec<Fr>> = (0..count)
        .map(|i| quotient.iter().skip(i * size).take(size).copied().collect())
        .collect();
    for (index, blind) in blinds(count.saturating_sub(1)).into_iter().enumerate() {
        chunks[index].resize(size, Fr::zero());
        chunks[index].push(blind);
        if chunks[index + 1].is_empty() {
            chunks[index + 1].push(Fr::zero());
        }
        chunks[index + 1][0] -= blind;
    }
    chunks
}

/// The inverses of all values, in place; zeros stay.
pub(crate) fn invert_all(values: &mut [Fr]) {
    /// Long enough that one inversion is lost in it.
    const CHUNK: usize = 1 << 11;
    values.par_chunks_mut(CHUNK).for_each(batch_inversion);
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_algebra::evaluate;

    #[test]
    fn divides_exactly() {
        for degree in 1..=3 {
            // f = (X^32 - 1) q with q of the highest degree that the points fix.
            let q: Vec<Fr> = (1..=32 * degree as u64 + 16).map(Fr::from).collect();
            let cosets = Cosets::new(5, degree);
            let quotient = cosets
                .divide(|coset| coset.map(|_, x| (x.pow([32u64]) - Fr::one()) * evaluate(&q, x)));
            assert_eq!(quotient, q);
        }
    }

    #[test]
    fn periodic_values_repeat() {
        let f: Vec<Fr> = (3..7u64).map(Fr::from).collect();
        for log in [4, 6] {
            let coset = Coset::new(log, 6, Fr::from(7u64), 0);
            for exponent in [4, 16, 32] {
                let values = coset.evaluate_periodic(&f, exponent);
                let points = coset.powers(exponent);
                let direct = coset.map(|i, x| {
                    let power = x.pow([exponent as u64]);
                    assert_eq!(power, points[i % points.len()]);
                    evaluate(&f, power)
                });
                let agree = |(i, v): (usize, &Fr)| *v == values[i % values.len()];
                assert!(direct.iter().enumerate().all(agree));
            }
        }
    }

    #[test]
    fn the_next_row_is_omega_away() {
        let f: Vec<Fr> = (3..90u64).map(Fr::from).collect();
        let root = root_of_unity(6).unwrap();
        for log in [4, 6] {
            let coset = Coset::new(log, 6, Fr::from(7u64), 0);
            let values = coset.evaluate_shifted(&f);
            let next = coset.map(|i, x| {
                assert_eq!(values.here[i], evaluate(&f, x));
                evaluate(&f, root * x)
            });
            assert!((0..1 << log).all(|i| values.next(i) == next[i]));
        }
    }
}
