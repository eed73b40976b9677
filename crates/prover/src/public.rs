//! A key's public polynomials: their commitments, and its proof that it has them (spec 7.1).

use crate::Error;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{One, Zero};
use assay_algebra::{divide_by_linear, interpolate, Fr};
use assay_verifier::relation::Public;
use assay_verifier::{commitment, Drawn, Shape, VerifyingKey};

/// Coefficients of `f`, of which the polynomial is `f(X^blocks)`.
struct Periodic {
    coefficients: Vec<Fr>,
    blocks: usize,
}

impl Periodic {
    fn new(polynomial: Public<'_>) -> Self {
        let mut rows = vec![Fr::zero(); 1 << polynomial.log_domain];
        for (row, value) in polynomial.rows {
            rows[row] = value;
        }
        Self {
            coefficients: interpolate(&rows),
            blocks: 1 << polynomial.log_rows,
        }
    }

    /// Its commitment, from as many powers as `f` has coefficients.
    fn commit(&self, powers: &[G1Affine]) -> G1Affine {
        let strided = powers.iter().step_by(self.blocks);
        let strided: Vec<G1Affine> = strided.take(self.coefficients.len()).copied().collect();
        assay_msm::msm(&strided, &self.coefficients).into_affine()
    }
}

/// The public commitments for each `log2 nb`.
pub(crate) fn fixed(shape: &Shape, powers: &[G1Affine]) -> Vec<Vec<G1Affine>> {
    use assay_verifier::relation::Place;
    let mut fixed = vec![Vec::new(); shape.log_max_rows as usize + 1];
    for polynomial in shape.kind.relation().public(shape) {
        if let Place::Fixed { log_rows, .. } = polynomial.place {
            fixed[log_rows as usize].push(Periodic::new(polynomial).commit(powers));
        }
    }
    fixed
}

/// Recomputes every public commitment of a key.
pub(crate) fn check(key: &VerifyingKey, powers: &[G1Affine]) -> Result<(), Error> {
    for polynomial in key.shape.kind.relation().public(&key.shape) {
        let own = commitment(key, &polynomial.place)?;
        if own != Periodic::new(polynomial).commit(powers) {
            return Err(Error::Forged("a public polynomial is not the protocol's"));
        }
    }
    Ok(())
}

/// One opening of all public polynomials; none for a relation without.
pub(crate) fn prove(key: &VerifyingKey, powers: &[G1Affine]) -> Option<G1Affine> {
    let Drawn { weight, point } = Drawn::new(key);
    let mut sum: Vec<Fr> = Vec::new();
    let mut power = Fr::one();
    for polynomial in key.shape.kind.relation().public(&key.shape) {
        let Periodic {
            coefficients,
            blocks,
        } = Periodic::new(polynomial);
        if sum.len() < coefficients.len() * blocks {
            sum.resize(coefficients.len() * blocks, Fr::zero());
        }
        for (to, from) in sum.iter_mut().step_by(blocks).zip(&coefficients) {
            *to += power * from;
        }
        power *= weight;
    }
    if sum.is_empty() {
        return None;
    }
    let (quotient, _) = divide_by_linear(&sum, point);
    let proof: G1Projective = assay_msm::msm(&powers[..quotient.len()], &quotient);
    Some(proof.into_affine())
}
