//! The checks of an imported reference string.

use crate::{random_scalar, Error};
use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup};
use rayon::prelude::*;

/// First point, curve, subgroup, and that every power is τ times the one before it.
pub(crate) fn check(
    powers: &[G1Affine],
    generator2: &G2Affine,
    tau: &G2Affine,
) -> Result<(), Error> {
    let one = G1Projective::generator().into_affine();
    if powers.len() < 2 || powers.first() != Some(&one) {
        return Err(Error::Invalid("the first power is not the generator of G1"));
    }
    if *generator2 != ark_bn254::G2Projective::generator().into_affine() {
        return Err(Error::Invalid("the first point of G2 is not its generator"));
    }
    if !powers.par_iter().all(|p| p.is_on_curve() && !p.is_zero()) {
        return Err(Error::Invalid("a power is not a point of G1"));
    }
    if !tau.is_on_curve() || tau.is_zero() || !tau.is_in_correct_subgroup_assuming_on_curve() {
        return Err(Error::Invalid("τ·G2 is not in the subgroup"));
    }
    // e(Σ r_i P_i, τH) = e(Σ r_i P_(i+1), H) for random r_i: a wrong power passes with chance 1/r.
    let count = powers.len() - 1;
    let weights: Vec<Fr> = (0..count).map(|_| random_scalar()).collect();
    let low = assay_msm::msm(&powers[..count], &weights).into_affine();
    let high = -assay_msm::msm(&powers[1..], &weights).into_affine();
    if Bn254::multi_pairing([low, high], [*tau, *generator2])
        == ark_ec::pairing::PairingOutput::default()
    {
        Ok(())
    } else {
        Err(Error::Invalid("the powers are not powers of one τ"))
    }
}
