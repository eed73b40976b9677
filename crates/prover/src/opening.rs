//! The prover's side of the Shplonk opening (spec 4.7).

use crate::Error;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{One, Zero};
use assay_algebra::{add_scaled, divide_by_binomial, divide_by_linear, Fr, Transcript};
use assay_msm::FixedBase;
use assay_verifier::{point_bytes, Inverses, Point, Roots};
use rayon::prelude::*;
use std::borrow::Cow;

/// A polynomial of the batch and where it is opened.
pub(crate) struct Opened<'a> {
    pub polynomial: Cow<'a, [Fr]>,
    pub roots: Roots,
}

/// `Σ X^i f_i(X^c)` of `c` polynomials.
pub(crate) fn weave(polynomials: &[Cow<'_, [Fr]>]) -> Vec<Fr> {
    let width = polynomials.len();
    let longest = polynomials.iter().map(|f| f.len()).max().unwrap_or(0);
    let mut woven = vec![Fr::zero(); width * longest];
    for (place, f) in polynomials.iter().enumerate() {
        for (to, from) in woven.iter_mut().skip(place).step_by(width).zip(f.iter()) {
            *to = *from;
        }
    }
    woven
}

/// Answers `γ` with `W` and `z` with `W'`; absorbs `W`.
pub(crate) fn open(
    batch: &[Opened<'_>],
    point: impl Fn(Point) -> Result<Fr, assay_verifier::Error> + Sync,
    transcript: &mut Transcript,
    powers: &FixedBase,
) -> Result<[G1Affine; 2], Error> {
    let gamma = transcript.challenge();
    let sums = sums_by_roots(batch, gamma);
    // Dividing by one factor after the other drops the remainders, which are the claimed values.
    let divide = |(roots, sum): &(Roots, Vec<Fr>)| -> Result<Vec<Fr>, Error> {
        let mut points = roots.set.iter();
        points.try_fold(sum.clone(), |f, at| {
            Ok(divide_by_binomial(&f, roots.width, point(*at)?))
        })
    };
    let divided: Vec<Vec<Fr>> = sums.par_iter().map(divide).collect::<Result<_, _>>()?;
    let mut quotient = Vec::new();
    for divided in &divided {
        add(&mut quotient, divided);
    }
    let w = powers.msm(&quotient).into_affine();
    transcript.absorb(&point_bytes(&w));
    let z = transcript.challenge();

    let inverses = Inverses::new(z, sums.iter().map(|(roots, _)| *roots), point)?;
    let mut last: Vec<Fr> = quotient.iter().map(|c| -*c).collect();
    for (roots, sum) in &sums {
        add_scaled(&mut last, sum, inverses.scale(*roots)?);
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

fn sums_by_roots(batch: &[Opened<'_>], gamma: Fr) -> Vec<(Roots, Vec<Fr>)> {
    let mut sums: Vec<(Roots, Vec<Fr>)> = Vec::new();
    let mut weight = Fr::one();
    for opened in batch {
        if !sums.iter().any(|(roots, _)| *roots == opened.roots) {
            sums.push((opened.roots, Vec::new()));
        }
        for (roots, sum) in &mut sums {
            if *roots == opened.roots {
                add_scaled(sum, &opened.polynomial, weight);
            }
        }
        weight *= gamma;
    }
    sums
}
