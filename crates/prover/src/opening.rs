//! The prover's side of the Shplonk opening (spec 4.7).

use crate::Error;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{One, Zero};
use assay_algebra::{add_scaled, divide_by_linear, Fr, Transcript};
use assay_msm::FixedBase;
use assay_verifier::{point_bytes, Inverses, Point, PointSet};
use rayon::prelude::*;
use std::borrow::Cow;

/// A polynomial of the batch and where it is opened.
pub(crate) struct Opened<'a> {
    pub polynomial: Cow<'a, [Fr]>,
    pub set: PointSet,
}

/// Answers `γ` with `W` and `z` with `W'`; absorbs `W`.
pub(crate) fn open(
    batch: &[Opened<'_>],
    point: impl Fn(Point) -> Result<Fr, assay_verifier::Error> + Sync,
    transcript: &mut Transcript,
    powers: &FixedBase,
) -> Result<[G1Affine; 2], Error> {
    let gamma = transcript.challenge();
    let sums = sums_by_set(batch, gamma);
    // Dividing by one root after the other drops the remainders, which are the claimed values.
    let divide = |(set, sum): &(PointSet, Vec<Fr>)| -> Result<Vec<Fr>, Error> {
        set.iter()
            .try_fold(sum.clone(), |f, at| Ok(divide_by_linear(&f, point(*at)?).0))
    };
    let divided: Vec<Vec<Fr>> = sums.par_iter().map(divide).collect::<Result<_, _>>()?;
    let mut quotient = Vec::new();
    for divided in &divided {
        add(&mut quotient, divided);
    }
    let w = powers.msm(&quotient).into_affine();
    transcript.absorb(&point_bytes(&w));
    let z = transcript.challenge();

    let inverses = Inverses::new(z, sums.iter().map(|(set, _)| *set), point)?;
    let mut last: Vec<Fr> = quotient.iter().map(|c| -*c).collect();
    for (set, sum) in &sums {
        add_scaled(&mut last, sum, inverses.scale(set)?);
    }
    // The constant that makes the value at z zero is the remainder of the division.
    let (last, _) = divide_by_linear(&last, z);
    let w_prime: G1Projective = powers.msm(&last);
    Ok([w, w_prime.into_affine()])
}

/// `target += source`, growing `target` where needed.
fn add(target: &mut Vec<Fr>, source: &[Fr]) {
    if target.len() < source.len() {
        target.resize(source.len(), Fr::zero());
    }
    for (to, from) in target.iter_mut().zip(source) {
        *to += from;
    }
}

fn sums_by_set(batch: &[Opened<'_>], gamma: Fr) -> Vec<(PointSet, Vec<Fr>)> {
    let mut sums: Vec<(PointSet, Vec<Fr>)> = Vec::new();
    let mut weight = Fr::one();
    for opened in batch {
        if !sums.iter().any(|(set, _)| *set == opened.set) {
            sums.push((opened.set, Vec::new()));
        }
        for (set, sum) in &mut sums {
            if *set == opened.set {
                add_scaled(sum, &opened.polynomial, weight);
            }
        }
        weight *= gamma;
    }
    sums
}
