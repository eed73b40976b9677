//! From input words to the columns that a linear proof commits to (spec 5).

use super::LinearModel;
use crate::rows::check_rows;
use crate::{Error, Word};
use ark_ff::Zero;
use assay_algebra::Fr;

/// What a linear model says of each row.
#[derive(Clone, Debug)]
pub struct LinearWitness {
    /// Per row: the input words, and 1 behind them.
    pub inputs: Vec<Vec<Fr>>,
    /// Per row: the packed output groups.
    pub outputs: Vec<Vec<Fr>>,
}

/// The columns of a linear model's combined row (spec 5).
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct LinearColumns {
    pub x: Vec<Fr>,
    pub phi: Vec<Fr>,
}

/// Evaluates every row.
pub fn linear_witness(model: &LinearModel, rows: &[Vec<Word>]) -> Result<LinearWitness, Error> {
    check_rows(&model.shape, &model.max_word, rows)?;
    let mut witness = LinearWitness {
        inputs: Vec::with_capacity(rows.len()),
        outputs: Vec::with_capacity(rows.len()),
    };
    for (index, row) in rows.iter().enumerate() {
        let value = |(feature, word): (usize, &Word)| {
            word.map(Fr::from).ok_or(Error::Input {
                row: index,
                feature,
            })
        };
        let mut inputs = row
            .iter()
            .enumerate()
            .map(value)
            .collect::<Result<Vec<_>, _>>()?;
        inputs.push(Fr::from(1u64));
        let product = |weights: &Vec<Fr>| weights.iter().zip(&inputs).map(|(w, x)| *w * x).sum();
        witness
            .outputs
            .push(model.weights.iter().map(product).collect());
        witness.inputs.push(inputs);
    }
    Ok(witness)
}

/// Runs the sums of the combined inputs.
pub fn linear_columns(model: &LinearModel, inputs: &[Fr]) -> LinearColumns {
    let stride = model.shape.stride as usize;
    let n = model.shape.block();
    let (mut x, mut phi) = (vec![Fr::zero(); n], vec![Fr::zero(); n]);
    for (group, weights) in model.weights.iter().enumerate() {
        let start = group * stride;
        let mut sum = Fr::zero();
        for slot in 0..stride {
            phi[start + slot] = sum;
            if let (Some(value), Some(weight)) = (inputs.get(slot), weights.get(slot)) {
                x[start + slot] = *value;
                sum += *value * weight;
            }
        }
    }
    LinearColumns { x, phi }
}
