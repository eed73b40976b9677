//! The prover's side of the Shplonk opening (spec 4.7).

use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{One, Zero};
use assay_algebra::{add_scaled, divide_by_linear, Fr, Transcript};
use assay_msm::FixedBase;
use assay_verifier::{point_bytes, Inverses, PointSet};
use rayon::prelude::*;
use std::borrow::Cow;

/// A polynomial of the batch and where it is opened.
pub(crate) struct Opened<'a> {
    pub polynomial: Cow<'a, [Fr]>,
    pub set: PointSet,
}

/// `ζ, ωζ, vζ`.
#[derive(Clone, Copy)]
pub(crate) struct Points {
    pub zeta: Fr,
    pub next: Fr,
    pub next_of_table: Fr,
}

impl Points {
    fn of(&self, set: PointSet) -> Vec<Fr> {
        match set {
            PointSet::Here => vec![self.zeta],
            PointSet::Next => vec![self.next],
            PointSet::HereAndNext => vec![self.zeta, self.next],
            PointSet::HereAndNextOfTable => vec![self.zeta, self.next_of_table],
        }
    }
}

const SETS: [PointSet; 4] = [
    PointSet::Here,
    PointSet::HereAndNext,
    PointSet::Next,
    PointSet::HereAndNextOfTable,
];

/// Answers `γ` with `W` and `z` with `W'`; absorbs `W`.
pub(crate) fn open(
    batch: &[Opened<'_>],
    points: Points,
    transcript: &mut Transcript,
    powers: &FixedBase,
) -> Option<[G1Affine; 2]> {
    let gamma = transcript.challenge();
    let sums = sums_by_set(batch, gamma);
    // Dividing by one root after the other drops the remainders, which are the claimed values.
    let divide = |(set, sum): (&PointSet, &Vec<Fr>)| -> Vec<Fr> {
        let roots = points.of(*set).into_iter();
        roots.fold(sum.clone(), |f, point| divide_by_linear(&f, point).0)
    };
    let divided: Vec<Vec<Fr>> = SETS.par_iter().zip(&sums).map(divide).collect();
    let mut quotient = Vec::new();
    for divided in &divided {
        add(&mut quotient, divided);
    }
    let w = powers.msm(&quotient).into_affine();
    transcript.absorb(&point_bytes(&w));
    let z = transcript.challenge();

    let inverses = Inverses::new(z, points.zeta, points.next, points.next_of_table).ok()?;
    let mut last: Vec<Fr> = quotient.iter().map(|c| -*c).collect();
    for (set, sum) in SETS.iter().zip(&sums) {
        let (scale, _) = inverses.weigh(*set, Fr::zero(), Fr::zero());
        add_scaled(&mut last, sum, scale);
    }
    // The constant that makes the value at z zero is the remainder of the division.
    let (last, _) = divide_by_linear(&last, z);
    let w_prime: G1Projective = powers.msm(&last);
    Some([w, w_prime.into_affine()])
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

fn sums_by_set(batch: &[Opened<'_>], gamma: Fr) -> [Vec<Fr>; 4] {
    let mut sums: [Vec<Fr>; 4] = Default::default();
    let mut weight = Fr::one();
    for opened in batch {
        for (set, sum) in SETS.iter().zip(&mut sums) {
            if *set == opened.set {
                add_scaled(sum, &opened.polynomial, weight);
            }
        }
        weight *= gamma;
    }
    sums
}
