//! A committed column: values on the rows, blinded by a random multiple of the vanishing polynomial.

use crate::bases::{Bases, Scalars};
use crate::opening::weave;
use crate::Error;
use ark_bn254::G1Projective;
use ark_ff::Zero;
use assay_algebra::{interpolate, Fr};
use assay_msm::FixedBase;
use assay_srs::random_scalar;
use assay_verifier::relation::coefficients_in_pack;
use rayon::prelude::*;
use std::borrow::Cow;

/// Blinding coefficients of a column that is opened at one point and committed once, and one to spare.
pub(crate) const ONCE: usize = 2;
/// Of a column that is also opened at its shifted point, seen at both shifts.
pub(crate) const TWICE: usize = 4;

/// As [`ONCE`], of a column that shares a commitment: also seen at its shifted point, and in the pack at τ.
pub(crate) const ONCE_IN_PACK: usize = 4;
/// As [`TWICE`], of a column that shares a commitment: also seen in the pack at τ.
pub(crate) const TWICE_IN_PACK: usize = 5;

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
    /// Commits to the coefficients by powers, as many at least.
    pub fn by_powers(values: &[Fr], count: usize, powers: &FixedBase) -> Self {
        let coefficients = blinded(values, &blinds(count));
        Self {
            commitment: powers.msm(&coefficients),
            coefficients,
        }
    }

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

/// Columns that share a commitment (spec 2.1).
pub(crate) struct Packed {
    /// Coefficients of each.
    pub columns: Vec<Vec<Fr>>,
    pub commitment: G1Projective,
}

/// The values of a column, and its number of blinding coefficients.
pub(crate) type Counted<'a> = (Cow<'a, [Fr]>, usize);

impl Packed {
    /// From the columns' values, each with its number of blinding coefficients; `length` is that of the longest
    /// commitment of the proof.
    pub fn new(columns: &[Counted<'_>], bases: &Bases, length: usize) -> Result<Self, Error> {
        Self::in_basis(columns, bases, length, Scalars::Full)
    }

    /// The same of values that are short.
    pub fn short(columns: &[Counted<'_>], bases: &Bases, length: usize) -> Result<Self, Error> {
        Self::in_basis(columns, bases, length, Scalars::Short)
    }

    /// The same by the powers alone: for values that are not short in packs that are, nearly, as long as the others.
    pub fn woven(columns: &[Counted<'_>], bases: &Bases, length: usize) -> Result<Self, Error> {
        let (columns, _) = blinded_all(columns);
        Ok(Self {
            commitment: by_powers(&columns, bases, length)?,
            columns,
        })
    }

    fn in_basis(
        columns: &[Counted<'_>],
        bases: &Bases,
        length: usize,
        scalars: Scalars,
    ) -> Result<Self, Error> {
        let rows = columns.first().map_or(0, |(values, _)| values.len());
        let (coefficients, secrets) = blinded_all(columns);
        let basis = bases.packed(rows.trailing_zeros(), columns.len(), scalars)?;
        let commitment = if let Some(basis) = basis {
            let each = coefficients_in_pack(rows);
            let mut all = Vec::with_capacity(columns.len() * each);
            let mut blinding = Vec::new();
            for (place, ((values, _), secret)) in columns.iter().zip(secrets).enumerate() {
                all.extend_from_slice(values);
                // Short values are committed apart from the blinding, whose length they would share.
                match scalars {
                    Scalars::Full => all.extend(secret),
                    Scalars::Short => blinding.extend((all.len()..).zip(secret)),
                }
                all.resize((place + 1) * each, Fr::zero());
            }
            basis.msm(&all) + basis.msm_sparse(&blinding)
        } else {
            by_powers(&coefficients, bases, length)?
        };
        Ok(Self {
            columns: coefficients,
            commitment,
        })
    }
}

/// The coefficients of each column, and what blinds it.
fn blinded_all(columns: &[Counted<'_>]) -> (Vec<Vec<Fr>>, Vec<Vec<Fr>>) {
    let secrets: Vec<Vec<Fr>> = columns.iter().map(|(_, count)| blinds(*count)).collect();
    let both = columns.par_iter().zip(&secrets);
    let coefficients = both.map(|((values, _), secret)| blinded(values, secret));
    (coefficients.collect(), secrets)
}

/// The commitment to a pack of these polynomials.
fn by_powers(columns: &[Vec<Fr>], bases: &Bases, length: usize) -> Result<G1Projective, Error> {
    let columns = columns.iter().map(|f| Cow::Borrowed(f.as_slice()));
    let woven = weave(&columns.collect::<Vec<_>>());
    Ok(bases.powers(length)?.msm(&woven))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_committed_alike_from_either_basis() {
        let folder = std::env::temp_dir().join(format!("assay-pack-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("string.srs");
        let info = assay_srs::generate(&path, 127).unwrap();
        let bases = Bases::new(&path, info.tau);
        let values: Vec<Vec<Fr>> = (0..3u64)
            .map(|column| (0..16).map(|row| Fr::from(row * column)).collect())
            .collect();
        let counts = [ONCE_IN_PACK, TWICE_IN_PACK, ONCE_IN_PACK];
        let columns = values.iter().map(|column| Cow::Borrowed(column.as_slice()));
        let columns: Vec<_> = columns.zip(counts).collect();
        // The first from powers, the others from the basis that the second computes.
        for make in [
            Packed::new,
            Packed::new,
            Packed::new,
            Packed::short,
            Packed::woven,
        ] {
            let packed = make(&columns, &bases, 63).unwrap();
            let each = packed.columns.iter().map(|f| Cow::Borrowed(f.as_slice()));
            let woven = weave(&each.collect::<Vec<_>>());
            assert_eq!(packed.commitment, bases.powers(63).unwrap().msm(&woven));
        }
        assert!(path.with_file_name("string.srs.lagrange-4-of-3").exists());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
