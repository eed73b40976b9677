//! From input words to the columns that a network's proof commits to (`docs/spec/networks.md`, 4.1).

use super::evaluate::Block;
use super::model::NetworkModel;
use crate::rows::check_count;
use crate::{Error, Word};
use rayon::prelude::*;

/// The columns of round 1 on all rows, and what the statement says.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct NetworkWitness {
    pub a: Vec<i64>,
    pub b: Vec<i64>,
    pub k: Vec<i64>,
    pub l: Vec<u32>,
    /// One column a limb.
    pub r: Vec<Vec<u32>>,
    pub slope: Vec<i64>,
    pub y: Vec<i64>,
    /// The segment of each row, among those of all tables.
    pub segment: Vec<u32>,
    /// Uses of each row of the table.
    pub m: Vec<u64>,
    /// Per proven row: the inputs `u`.
    pub inputs: Vec<Vec<i64>>,
    /// Per proven row: the outputs.
    pub outputs: Vec<Vec<i64>>,
    /// The proven rows that reached an end of a value.
    pub ended: Vec<usize>,
}

/// Evaluates every row.
pub fn network_witness(model: &NetworkModel, rows: &[Vec<Word>]) -> Result<NetworkWitness, Error> {
    check_count(&model.shape, rows.len())?;
    let evaluator = &model.evaluator;
    let inputs: Vec<Vec<i64>> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| evaluator.inputs(index, row))
        .collect::<Result<_, _>>()?;
    let mut blocks: Vec<Block> = inputs
        .par_iter()
        .map(|inputs| evaluator.block(inputs))
        .collect::<Result<_, _>>()?;
    let outputs: Vec<Vec<i64>> = blocks.iter().map(|b| evaluator.outputs(b)).collect();
    let ended = (0..blocks.len())
        .filter(|row| evaluator.ended(&blocks[*row]))
        .collect();
    let limit = 1i64 << (model.shape.lane - 1);
    let beyond = |output: &i64| !(-limit..limit).contains(output);
    if outputs.iter().flatten().any(beyond) {
        let problem = "an output is beyond the range that the circuit states";
        return Err(Error::TooLarge(problem));
    }
    // The last blocks repeat row 0.
    while !blocks.len().is_power_of_two() {
        blocks.push(blocks[0].clone());
    }
    let mut witness = NetworkWitness {
        a: join(&blocks, |block| &block.a),
        b: join(&blocks, |block| &block.b),
        k: join(&blocks, |block| &block.k),
        l: join(&blocks, |block| &block.l),
        r: (0..model.shape.limbs as usize)
            .map(|limb| join(&blocks, |block| &block.r[limb]))
            .collect(),
        slope: join(&blocks, |block| &block.slope),
        y: join(&blocks, |block| &block.y),
        segment: join(&blocks, |block| &block.segment),
        m: Vec::new(),
        inputs,
        outputs,
        ended,
    };
    witness.count_uses(model);
    Ok(witness)
}

fn join<T: Copy>(blocks: &[Block], column: impl Fn(&Block) -> &Vec<T>) -> Vec<T> {
    blocks.iter().flat_map(column).copied().collect()
}

impl NetworkWitness {
    /// Counts the uses of each row of the table by all rows but the first.
    pub fn count_uses(&mut self, model: &NetworkModel) {
        let mut m = vec![0; model.shape.table as usize];
        for limb in self.r.iter().flat_map(|limbs| &limbs[1..]) {
            m[NetworkModel::range_row(*limb)] += 1;
        }
        for low in &self.l[1..] {
            m[model.low_row(*low)] += 1;
        }
        for segment in &self.segment[1..] {
            m[model.segment_row(*segment)] += 1;
        }
        self.m = m;
    }
}
