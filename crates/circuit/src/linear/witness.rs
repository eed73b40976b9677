//! From input words to what a linear proof combines (spec 5).

use super::LinearModel;
use crate::rows::check_rows;
use crate::{Error, Word};
use assay_algebra::Fr;

/// What a linear model says of each row.
#[derive(Clone, Debug)]
pub struct LinearWitness {
    /// Per row: the input words, and 1 behind them.
    pub inputs: Vec<Vec<Fr>>,
    /// Per row: the packed output groups.
    pub outputs: Vec<Vec<Fr>>,
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
