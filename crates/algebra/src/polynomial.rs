//! Dense polynomials as coefficient vectors, lowest degree first.

use crate::fft::{interpolate_on, Coset};
use crate::Fr;
use ark_ff::{One, Zero};
use rayon::prelude::*;

/// The coefficients of the polynomial with these values on the roots of unity (length a power of two).
pub fn interpolate(values: &[Fr]) -> Vec<Fr> {
    coset_interpolate(values, Fr::one())
}

/// Values on the coset `shift·<ω_size>`, `size` a power of two; higher coefficients wrap correctly.
pub fn coset_evaluate(coefficients: &[Fr], size: usize, offset: Fr) -> Vec<Fr> {
    Coset::new(size, offset).evaluate(coefficients)
}

/// The polynomial of degree below `values.len()` with these values on the coset.
pub fn coset_interpolate(values: &[Fr], offset: Fr) -> Vec<Fr> {
    interpolate_on(values, offset)
}

/// `target += factor · source`, growing `target` where needed.
pub fn add_scaled(target: &mut Vec<Fr>, source: &[Fr], factor: Fr) {
    if target.len() < source.len() {
        target.resize(source.len(), Fr::zero());
    }
    target
        .par_iter_mut()
        .zip(source.par_iter())
        .with_min_len(1024)
        .for_each(|(to, from)| *to += factor * from);
}

/// The value at a point (Horner).
pub fn evaluate(coefficients: &[Fr], point: Fr) -> Fr {
    coefficients
        .iter()
        .rev()
        .fold(Fr::zero(), |value, c| value * point + c)
}

/// The coefficients of `f(factor · X)`.
pub fn shift(coefficients: &[Fr], factor: Fr) -> Vec<Fr> {
    let mut power = Fr::one();
    coefficients
        .iter()
        .map(|c| {
            let shifted = *c * power;
            power *= factor;
            shifted
        })
        .collect()
}

/// `(f(X) - f(point)) / (X - point)` and `f(point)` (synthetic division).
pub fn divide_by_linear(coefficients: &[Fr], point: Fr) -> (Vec<Fr>, Fr) {
    let mut quotient = vec![Fr::zero(); coefficients.len().saturating_sub(1)];
    let mut carry = Fr::zero();
    for (index, c) in coefficients.iter().enumerate().rev() {
        carry = carry * point + c;
        if index > 0 {
            quotient[index - 1] = carry;
        }
    }
    (quotient, carry)
}

/// The quotient of `f` by `X^width - point`: for `f = Σ X^i f_i(X^width)` that of each `f_i` by `X - point`, interleaved.
pub fn divide_by_binomial(coefficients: &[Fr], width: usize, point: Fr) -> Vec<Fr> {
    let mut quotient = coefficients.get(width..).unwrap_or_default().to_vec();
    for index in (0..quotient.len().saturating_sub(width)).rev() {
        let carry = quotient[index + width];
        quotient[index] += carry * point;
    }
    quotient
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn poly(values: Vec<u64>) -> Vec<Fr> {
        values.into_iter().map(Fr::from).collect()
    }

    proptest! {
        #[test]
        fn division_is_exact(values in prop::collection::vec(any::<u64>(), 1..40), at: u64, other: u64) {
            let f = poly(values);
            let (quotient, remainder) = divide_by_linear(&f, Fr::from(at));
            let x = Fr::from(other);
            prop_assert_eq!(remainder, evaluate(&f, Fr::from(at)));
            prop_assert_eq!(evaluate(&quotient, x) * (x - Fr::from(at)) + remainder, evaluate(&f, x));
        }

        #[test]
        fn division_by_a_binomial_leaves_a_remainder_of_its_width(
            values in prop::collection::vec(any::<u64>(), 1..40), width in 1usize..9, at: u64,
        ) {
            let f = poly(values);
            let quotient = divide_by_binomial(&f, width, Fr::from(at));
            let mut rest = f;
            for (index, c) in quotient.iter().enumerate() {
                rest[index] += *c * Fr::from(at);
                rest[index + width] -= c;
            }
            prop_assert!(rest.iter().skip(width).all(Zero::is_zero));
        }

        #[test]
        fn cosets_agree_with_horner(values in prop::collection::vec(any::<u64>(), 1..40)) {
            let f = poly(values);
            let offset = Fr::from(5u64);
            let root = crate::root_of_unity(4).unwrap();
            let mut x = offset;
            for value in coset_evaluate(&f, 16, offset) {
                prop_assert_eq!(value, evaluate(&f, x));
                x *= root;
            }
        }

        #[test]
        fn interpolation_is_the_inverse(values in prop::collection::vec(any::<u64>(), 16..=16)) {
            let f = poly(values);
            prop_assert_eq!(coset_interpolate(&coset_evaluate(&f, 16, Fr::from(7u64)), Fr::from(7u64)), f.clone());
            prop_assert_eq!(interpolate(&coset_evaluate(&f, 16, Fr::one())), f.clone());
            prop_assert_eq!(evaluate(&shift(&f, Fr::from(3u64)), Fr::from(2u64)), evaluate(&f, Fr::from(6u64)));
        }
    }
}
