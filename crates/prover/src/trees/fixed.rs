//! The fixed polynomials of a block (spec 4.6): `f(X^nb)`, committed from `S` strided powers.

use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{Field, One, Zero};
use assay_algebra::{interpolate, root_of_unity, Fr};
use assay_verifier::relation::Name;
use assay_verifier::trees::names;
use assay_verifier::Shape;

/// Values on the rows of a block.
fn values(shape: &Shape, name: Name, log_rows: u32) -> Vec<Fr> {
    let mut rows = vec![Fr::zero(); shape.block()];
    if name == names::RHO {
        let inverse = root(shape, log_rows).inverse().unwrap_or_default();
        let mut power = Fr::one();
        for row in &mut rows {
            *row = power;
            power *= inverse;
        }
    } else if name == names::OUTPUT_GROUP {
        for slot in 0..shape.trees as usize {
            let group = shape.group_of_tree(slot).unwrap_or(0);
            rows[(slot + 1) * shape.stride as usize - 1] = Fr::from(group as u64);
        }
    } else if name == names::USED {
        for row in shape.input_rows() {
            rows[row] = Fr::one();
        }
    } else if name == names::OFFSET {
        for (view, row) in shape.input_rows().into_iter().enumerate() {
            rows[row] = shape.entry(view, 0);
        }
    }
    rows
}

fn root(shape: &Shape, log_rows: u32) -> Fr {
    root_of_unity(shape.log_block() + log_rows).unwrap_or_default()
}

/// Coefficients of `f(X)`, to be read in `X^nb`.
pub(super) fn coefficients(shape: &Shape, name: Name, log_rows: u32) -> Vec<Fr> {
    interpolate(&values(shape, name, log_rows))
}

/// `[f(X^nb)]`.
fn commit(coefficients: &[Fr], powers: &[G1Affine], blocks: usize) -> G1Projective {
    let strided: Vec<G1Affine> = powers
        .iter()
        .step_by(blocks)
        .take(coefficients.len())
        .copied()
        .collect();
    assay_msm::msm(&strided, coefficients)
}

/// The coefficients of `f(X^nb)`.
pub(super) fn spread(coefficients: &[Fr], blocks: usize) -> Vec<Fr> {
    let mut out = vec![Fr::zero(); coefficients.len() * blocks];
    for (to, from) in out.iter_mut().step_by(blocks).zip(coefficients) {
        *to = *from;
    }
    out
}

/// All commitments of a shape, by `log2 nb`.
pub(super) fn commitments(shape: &Shape, powers: &[G1Affine]) -> Vec<Vec<G1Affine>> {
    let relation = shape.kind.relation();
    (0..=shape.log_max_rows)
        .map(|log| {
            let names = relation.fixed(shape, log).into_iter();
            let commitment =
                |name| commit(&coefficients(shape, name, log), powers, 1 << log).into_affine();
            names.map(commitment).collect()
        })
        .collect()
}
