//! The fixed polynomials of a block (spec 4.6): `f(X^nb)`.

use ark_ff::Zero;
use assay_algebra::{interpolate, Fr};
use assay_verifier::relation::Name;
use assay_verifier::trees::fixed_rows;
use assay_verifier::Shape;

/// Coefficients of `f(X)`, to be read in `X^nb`.
pub(super) fn coefficients(shape: &Shape, name: Name, log_rows: u32) -> Vec<Fr> {
    let mut rows = vec![Fr::zero(); shape.block()];
    for (row, value) in fixed_rows(shape, name, log_rows) {
        rows[row] = value;
    }
    interpolate(&rows)
}

/// The coefficients of `f(X^nb)`.
pub(super) fn spread(coefficients: &[Fr], blocks: usize) -> Vec<Fr> {
    let mut out = vec![Fr::zero(); coefficients.len() * blocks];
    for (to, from) in out.iter_mut().step_by(blocks).zip(coefficients) {
        *to = *from;
    }
    out
}
