//! Dividing by `Z_n`: constraints are evaluated on cosets of `H`, one at a time so that memory stays small.

use crate::column::blinds;
use ark_ff::{batch_inversion, FftField, Field, One, Zero};
use assay_algebra::{coset_evaluate, coset_interpolate, root_of_unity, Fr};
use rayon::prelude::*;

/// `degree` cosets of the domain of order `2^log`: enough for a sum of constraints of degree below
/// `degree·n + n` after division, less what blinding adds (spec 4.4).
pub(crate) struct Cosets {
    log: u32,
    offsets: Vec<Fr>,
}

/// One coset, `offset·H`.
pub(crate) struct Coset {
    log: u32,
    offset: Fr,
}

impl Cosets {
    /// For constraints of this degree in the columns.
    pub fn new(log: u32, degree: usize) -> Self {
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
        Self { log, offsets }
    }

    /// The quotient by `Z_n` of the polynomial whose values on a coset `numerator` gives.
    pub fn divide(&self, numerator: impl Fn(&Coset) -> Vec<Fr>) -> Vec<Fr> {
        let n = 1u64 << self.log;
        // X^n is constant on a coset: the values there fix the quotient modulo X^n - that constant.
        let constants: Vec<Fr> = self.offsets.iter().map(|o| o.pow([n])).collect();
        let residues: Vec<Vec<Fr>> = self
            .offsets
            .iter()
            .zip(&constants)
            .map(|(offset, constant)| {
                let coset = Coset {
                    log: self.log,
                    offset: *offset,
                };
                let over = (*constant - Fr::one()).inverse().unwrap_or_default();
                let mut values = numerator(&coset);
                values.par_iter_mut().for_each(|value| *value *= over);
                coset_interpolate(&values, *offset)
            })
            .collect();
        let basis = lagrange_coefficients(&constants);
        (0..self.offsets.len())
            .flat_map(|power| {
                let weights: Vec<Fr> = basis.iter().map(|b| b[power]).collect();
                combine(&residues, &weights)
            })
            .collect()
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
            let mut product = vec![Fr::one()];
            let mut scale = Fr::one();
            for other in points.iter().filter(|p| *p != own) {
                scale *= *own - other;
                product.push(Fr::zero());
                for at in (0..product.len()).rev() {
                    let below = if at > 0 { product[at - 1] } else { Fr::zero() };
                    product[at] = below - product[at] * other;
                }
            }
            let scale = scale.inverse().unwrap_or_default();
            product.into_iter().map(|c| c * scale).collect()
        })
        .collect()
}

impl Coset {
    /// The values of a polynomial.
    pub fn evaluate(&self, coefficients: &[Fr]) -> Vec<Fr> {
        coset_evaluate(coefficients, 1 << self.log, self.offset)
    }

    /// The values of `f(X^exponent)`, which repeat after `n / exponent` points: one period.
    pub fn evaluate_periodic(&self, coefficients: &[Fr], exponent: usize) -> Vec<Fr> {
        let period = (1usize << self.log) / exponent;
        coset_evaluate(coefficients, period, self.offset.pow([exponent as u64]))
    }

    /// `X^exponent` at the first `period` points.
    pub fn points_to(&self, exponent: usize, period: usize) -> Vec<Fr> {
        let step = root_of_unity(self.log)
            .unwrap_or_default()
            .pow([exponent as u64]);
        let mut point = self.offset.pow([exponent as u64]);
        (0..period)
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
    for (index, blind) in blinds(count - 1).into_iter().enumerate() {
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
        for degree in 2..=4 {
            // f = (X^8 - 1) q with q of the highest degree that the cosets fix.
            let q: Vec<Fr> = (1..=8 * degree as u64).map(Fr::from).collect();
            let cosets = Cosets::new(3, degree);
            let quotient = cosets
                .divide(|coset| coset.map(|_, x| (x.pow([8u64]) - Fr::one()) * evaluate(&q, x)));
            assert_eq!(quotient, q);
        }
    }

    #[test]
    fn periodic_values_repeat() {
        let coset = Coset {
            log: 4,
            offset: Fr::from(7u64),
        };
        let f: Vec<Fr> = (3..7u64).map(Fr::from).collect();
        let values = coset.evaluate_periodic(&f, 4);
        let points = coset.points_to(4, 4);
        let direct = coset.map(|i, x| {
            assert_eq!(x.pow([4u64]), points[i % 4]);
            evaluate(&f, x.pow([4u64]))
        });
        assert!(direct.iter().enumerate().all(|(i, v)| *v == values[i % 4]));
    }
}
