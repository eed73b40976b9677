//! `Rz` of a linear proof (spec 5).

use super::names::{PHI, WEIGHTS};
use super::{combine, constraints, Row, Slots};
use crate::lagrange::{pow2, slots, Lagrange};
use crate::opening::Point;
use crate::relation::{At, Combination};
use crate::{Error, Shape};
use ark_ff::{Field, One};
use assay_algebra::Fr;

pub(super) fn remainder(at: &At<'_>) -> Result<Combination, Error> {
    let (alpha, y) = (at.challenge(0)?, at.challenge(2)?);
    let lagrange = slots(at.shape, at.log_domain(), at.zeta)?;
    let row = Row {
        slots: Slots {
            start: lagrange.one(0)?,
            last: lagrange.one(at.shape.last_slot())?,
        },
        x: inputs(at, alpha)?,
        next_phi: at.value(PHI, Point::Next)?,
        public_outputs: outputs(at, alpha)?,
    };
    let linear = constraints(y, &row);
    let vanish = pow2(at.zeta, at.log_domain()) - Fr::one();
    let over = vanish.inverse().ok_or(Error::Denominator)?;
    let mut sum = Combination {
        constant: linear.constant * over,
        ..Combination::default()
    };
    sum.add(PHI, linear.phi * over);
    sum.add(WEIGHTS, linear.weights * over);
    Ok(sum)
}

/// The rows of slot `slot` in every output group's segment.
fn segment_rows(shape: &Shape, slot: usize) -> impl Iterator<Item = usize> + '_ {
    let stride = crate::shape::size(shape.stride);
    let groups = crate::shape::size(shape.output_groups());
    (0..groups).map(move |group| group.saturating_mul(stride).saturating_add(slot))
}

/// `x(ζ)`: the combined input words, and the combined 1 behind them.
fn inputs(at: &At<'_>, alpha: Fr) -> Result<Fr, Error> {
    let rows: Vec<Vec<Fr>> = at
        .statement
        .inputs
        .iter()
        .map(|row| row.iter().copied().chain([Fr::one()]).collect())
        .collect();
    let terms: Vec<_> = combine(alpha, &rows)
        .into_iter()
        .enumerate()
        .flat_map(|(slot, value)| segment_rows(at.shape, slot).map(move |row| (row, value)))
        .collect();
    Lagrange::new(at.shape.log_block(), at.zeta)?.sum(&terms)
}

/// `OPI(ζ)`.
fn outputs(at: &At<'_>, alpha: Fr) -> Result<Fr, Error> {
    let outputs = combine(alpha, &at.statement.outputs);
    let rows = segment_rows(at.shape, at.shape.last_slot());
    let terms: Vec<_> = rows.zip(outputs).collect();
    Lagrange::new(at.shape.log_block(), at.zeta)?.sum(&terms)
}
