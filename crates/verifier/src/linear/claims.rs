//! `Rz` of a linear proof (spec 5).

use super::combine;
use super::names::{PHI, WEIGHTS};
use crate::opening::Point;
use crate::relation::{At, Combination};
use crate::shape::size;
use crate::{Error, Shape};
use ark_ff::{Field, One, Zero};
use assay_algebra::{root_of_unity, Fr};

/// `θ`, of order `2S`.
pub fn shift(shape: &Shape) -> Result<Fr, Error> {
    let log = shape.log_block().checked_add(1);
    log.and_then(root_of_unity).ok_or(Error::Shape("domain"))
}

/// `φ(ζ) + θ φ(θζ) + Ō ζ^(S-1) - x̂(ζ) w(ζ)`.
pub(super) fn remainder(at: &At<'_>) -> Result<Combination, Error> {
    let (alpha, beta) = (at.challenge(0)?, at.challenge(1)?);
    let top = u64::try_from(at.shape.block().saturating_sub(1)).unwrap_or(u64::MAX);
    let moved = shift(at.shape)? * at.value(PHI, Point::Half)?;
    let mut sum = Combination {
        constant: moved + outputs(at, alpha, beta) * at.zeta.pow([top]),
        ..Combination::default()
    };
    sum.add(PHI, Fr::one());
    sum.add(WEIGHTS, -inputs(at, alpha, beta));
    Ok(sum)
}

/// `x̂(ζ)`: the combined input words and the combined 1 behind them, in every group's segment, from the highest power.
fn inputs(at: &At<'_>, alpha: Fr, beta: Fr) -> Fr {
    let rows: Vec<Vec<Fr>> = at
        .statement
        .inputs
        .iter()
        .map(|row| row.iter().copied().chain([Fr::one()]).collect())
        .collect();
    let combined = combine(alpha, &rows);
    let (groups, stride) = (size(at.shape.groups), size(at.shape.stride));
    let used = size(at.shape.output_groups());
    let mut weight = Fr::one();
    let mut sum = Fr::zero();
    for group in 0..groups {
        for slot in 0..stride {
            let value = combined.get(slot).filter(|_| group < used);
            sum = sum * at.zeta + weight * value.copied().unwrap_or_default();
        }
        weight *= beta;
    }
    sum
}

/// `Ō`: the rows' and the groups' packed outputs as one number.
fn outputs(at: &At<'_>, alpha: Fr, beta: Fr) -> Fr {
    let groups = combine(alpha, &at.statement.outputs);
    let sum = groups.iter().rev();
    sum.fold(Fr::zero(), |sum, group| sum * beta + group)
}
