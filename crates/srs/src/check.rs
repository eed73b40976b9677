//! The checks of an imported reference string.

use crate::{random_scalar, squares::square_places, Error};
use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::Zero;
use rayon::prelude::*;

/// First point, curve, subgroup, that every power is τ times the one before it, that τ is no root of unity, and that
/// `squares` are `[τ^2]_2, [τ^4]_2, …`.
pub(crate) fn check(
    powers: &[G1Affine],
    generator2: &G2Affine,
    tau: &G2Affine,
    squares: &[G2Affine],
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
    // Where τ is in a domain, a polynomial's commitment is one of its values, and vanishing polynomials are zero.
    let in_a_domain = (0..usize::BITS)
        .map_while(|log| powers.get(1usize.checked_shl(log)?))
        .any(|power| *power == one);
    if in_a_domain {
        return Err(Error::Invalid("τ is a root of unity of two-power order"));
    }
    // e(Σ r_i P_i, τH) = e(Σ r_i P_(i+1), H) for random r_i: a wrong power passes with chance 1/r.
    let count = powers.len() - 1;
    let weights: Vec<Fr> = (0..count).map(|_| random_scalar()).collect();
    let low = assay_msm::msm(&powers[..count], &weights).into_affine();
    let high = -assay_msm::msm(&powers[1..], &weights).into_affine();
    if Bn254::multi_pairing([low, high], [*tau, *generator2])
        != ark_ec::pairing::PairingOutput::default()
    {
        return Err(Error::Invalid("the powers are not powers of one τ"));
    }
    check_squares(powers, generator2, squares)
}

/// `e(Σ r_k [τ^(2^k)]_1, H) = e(G, Σ r_k [τ^(2^k)]_2)` for random `r_k`.
fn check_squares(
    powers: &[G1Affine],
    generator2: &G2Affine,
    squares: &[G2Affine],
) -> Result<(), Error> {
    let refused = Error::Invalid("the powers in G2 are not powers of the same τ");
    let (mut left, mut right) = (G1Projective::zero(), G2Projective::zero());
    for (place, square) in square_places(powers.len().saturating_sub(1)).zip(squares) {
        if !square.is_on_curve()
            || square.is_zero()
            || !square.is_in_correct_subgroup_assuming_on_curve()
        {
            return Err(Error::Invalid("a power in G2 is not in the subgroup"));
        }
        let weight = random_scalar();
        left += powers[place] * weight;
        right += *square * weight;
    }
    if Bn254::multi_pairing(
        [left.into_affine(), -G1Projective::generator().into_affine()],
        [*generator2, right.into_affine()],
    ) == ark_ec::pairing::PairingOutput::default()
    {
        Ok(())
    } else {
        Err(refused)
    }
}
