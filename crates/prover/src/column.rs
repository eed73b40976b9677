//! A committed column: values on the rows, blinded by a random multiple of the vanishing polynomial.

use ark_bn254::G1Projective;
use assay_algebra::{interpolate, Fr};
use assay_msm::FixedBase;
use assay_srs::random_scalar;

/// Blinding coefficients of a column that is opened at one point and committed once, and one to spare.
pub(crate) const ONCE: usize = 2;
/// Of a column that is also opened at its shifted point, seen at both shifts.
pub(crate) const TWICE: usize = 4;

/// A polynomial with its commitment.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub coefficients: Vec<Fr>,
    pub commitment: G1Projective,
}

/// `count` random scalars.
pub(crate) fn blinds(count: usize) -> Vec<Fr> {
    (0..count).map(|_| random_scalar()).collect()
}

/// Coefficients of the interpolation plus `Z_n · Σ blinds_i X^i`.
pub(crate) fn blinded(values: &[Fr], blinds: &[Fr]) -> Vec<Fr> {
    let n = values.len();
    let mut coefficients = interpolate(values);
    for (i, blind) in blinds.iter().enumerate() {
        coefficients[i] -= blind;
        coefficients.push(*blind);
    }
    debug_assert_eq!(coefficients.len(), n + blinds.len());
    coefficients
}

impl Column {
    /// Commits to values. The basis is that of [`crate::bases::Bases::lagrange`]: blinding points follow the rows.
    pub fn new(values: &[Fr], count: usize, basis: &FixedBase) -> Self {
        Self::with_blinds(values, &blinds(count), basis)
    }

    /// With given blinding coefficients.
    pub fn with_blinds(values: &[Fr], secret: &[Fr], basis: &FixedBase) -> Self {
        Self {
            commitment: basis.msm(&[values, secret].concat()),
            coefficients: blinded(values, secret),
        }
    }

    /// With the commitment of the unblinded values known.
    pub fn with_commitment(
        values: &[Fr],
        count: usize,
        plain: G1Projective,
        basis: &FixedBase,
    ) -> Self {
        let of_values = Self::with_terms(values, count, Vec::new(), basis);
        Self {
            commitment: plain + of_values.commitment,
            ..of_values
        }
    }

    /// With the unblinded values committed as terms of the basis, which has blinding points behind its rows.
    pub fn with_terms(
        values: &[Fr],
        count: usize,
        mut terms: Vec<(usize, Fr)>,
        basis: &FixedBase,
    ) -> Self {
        let secret = blinds(count);
        terms.extend((values.len()..).zip(secret.iter().copied()));
        Self {
            commitment: basis.msm_sparse(&terms),
            coefficients: blinded(values, &secret),
        }
    }
}
