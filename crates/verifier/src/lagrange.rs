//! Public polynomials at a point: Lagrange sums and the sum over blocks (spec 1, 4.4).

use crate::{Error, Shape};
use ark_ff::{Field, One};
use assay_algebra::{inverses, root_of_unity, Fr};

/// The Lagrange polynomials of the domain of order `2^log`, at one point.
pub struct Lagrange {
    root: Fr,
    point: Fr,
    /// `(point^m - 1) / m`.
    scale: Fr,
}

impl Lagrange {
    /// Prepares evaluations at `point`.
    pub fn new(log: u32, point: Fr) -> Result<Self, Error> {
        let root = root_of_unity(log).ok_or(Error::Shape("domain"))?;
        let order = Fr::from(2u64).pow([u64::from(log)]);
        let vanishing = pow2(point, log) - Fr::one();
        let scale = vanishing * order.inverse().ok_or(Error::Denominator)?;
        Ok(Self { root, point, scale })
    }

    /// `Σ value_i · L_row_i(point)`.
    pub fn sum(&self, terms: &[(usize, Fr)]) -> Result<Fr, Error> {
        let powers: Vec<Fr> = terms
            .iter()
            .map(|(row, _)| self.root.pow([u64::try_from(*row).unwrap_or(u64::MAX)]))
            .collect();
        let denominators = powers.iter().map(|power| self.point - power).collect();
        let inverted = inverses(denominators).ok_or(Error::Denominator)?;
        let sum: Fr = terms
            .iter()
            .zip(powers)
            .zip(inverted)
            .map(|(((_, value), power), inverse)| power * inverse * value)
            .sum();
        Ok(sum * self.scale)
    }

    /// One `L_row(point)`.
    pub fn one(&self, row: usize) -> Result<Fr, Error> {
        self.sum(&[(row, Fr::one())])
    }
}

/// The Lagrange polynomials of the slots of a stride at `ζ`.
pub(crate) fn slots(shape: &Shape, log_domain: u32, zeta: Fr) -> Result<Lagrange, Error> {
    let log_stride = shape.stride.trailing_zeros();
    Lagrange::new(
        log_stride,
        pow2(zeta, log_domain.saturating_sub(log_stride)),
    )
}

/// `point^(2^log)`.
pub fn pow2(point: Fr, log: u32) -> Fr {
    (0..log).fold(point, |power, _| power.square())
}

/// `Σ_{b < nb} 1 / (k + ω_nb^b)` for `nb = 2^log` (spec 4.4).
pub fn block_sum(k: Fr, log: u32) -> Result<Fr, Error> {
    if log == 0 {
        return (k + Fr::one()).inverse().ok_or(Error::Denominator);
    }
    // The roots' negatives are the roots again, so the sum is the logarithmic derivative of k^nb - 1.
    let blocks = Fr::from(2u64).pow([u64::from(log)]);
    let power = pow2(k, log);
    let below = power * k.inverse().ok_or(Error::Denominator)?;
    Ok(blocks * below * (power - Fr::one()).inverse().ok_or(Error::Denominator)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sums_by_the_definition() {
        for log in 0..5 {
            let root = root_of_unity(log).unwrap();
            let k = Fr::from(12_345u64);
            let direct: Fr = (0..1u64 << log)
                .map(|b| (k + root.pow([b])).inverse().unwrap())
                .sum();
            assert_eq!(block_sum(k, log).unwrap(), direct);
        }
    }

    #[test]
    fn lagrange_interpolates() {
        // f(X) = X^2 + 3 on the domain of order 8.
        let root = root_of_unity(3).unwrap();
        let terms: Vec<_> = (0..8u64)
            .map(|row| {
                (
                    usize::try_from(row).unwrap(),
                    root.pow([2 * row]) + Fr::from(3u64),
                )
            })
            .collect();
        let at = Fr::from(77u64);
        assert_eq!(
            Lagrange::new(3, at).unwrap().sum(&terms).unwrap(),
            at * at + Fr::from(3u64)
        );
        assert!(Lagrange::new(3, root).unwrap().sum(&terms).is_err());
    }
}
