//! A linear model as packed weights (spec 5).

use crate::file::{Feature, Int};
use crate::{CircuitFile, Error, Model};
use ark_ff::{Field, Zero};
use assay_algebra::{signed, Fr};
use assay_verifier::{Inputs, Kind, Shape, Srs};

/// The weights of a linear model.
#[derive(Clone, Debug)]
pub struct LinearModel {
    /// The public shape.
    pub shape: Shape,
    /// Per output group: `features` packed weights, then the packed base with its offsets.
    pub weights: Vec<Vec<Fr>>,
    /// The greatest word of each feature.
    pub max_word: Vec<u64>,
}

impl Model for LinearModel {
    fn new(file: &CircuitFile, max_rows: u32) -> Result<Self, Error> {
        let features = file.features.len();
        let outputs = file.outputs.len();
        if file.private()? {
            return Err(Error::Unsupported(
                "private inputs of a linear model: nothing would bound them; transpile it with public inputs",
            ));
        }
        if file.weights.len() != outputs || file.weights.iter().any(|w| w.len() != features) {
            return Err(Error::Inconsistent(
                "weights are not one list an output, one integer a feature".into(),
            ));
        }
        let (minima, max_word) = ranges(file)?;
        let bases = file
            .weights
            .iter()
            .zip(&file.base)
            .map(|(weights, base)| base_of_words(weights, base.0, &minima))
            .collect::<Result<Vec<_>, _>>()?;
        let lane = lane(file, &bases)?;
        let mut shape = Shape {
            kind: Kind::Linear,
            inputs: Inputs::Public,
            srs: Srs::Development,
            bits: 64,
            features: u32::try_from(features).map_err(|_| Error::TooLarge("features"))?,
            outputs: u32::try_from(outputs).map_err(|_| Error::TooLarge("outputs"))?,
            scale_bits: file.scale_bits,
            lane,
            trees: 0,
            depth: 0,
            stride: u32::try_from((features + 2).next_power_of_two().max(16))
                .map_err(|_| Error::TooLarge("features"))?,
            groups: 1,
            table: 0,
            ratio: 0,
            limbs: 0,
            log_max_rows: max_rows.max(1).next_power_of_two().trailing_zeros(),
            views: Vec::new(),
            network: None,
        };
        shape.groups = shape.output_groups().next_power_of_two();
        shape
            .check()
            .map_err(|e| Error::Inconsistent(e.to_string()))?;
        let weights = pack(file, &bases, &shape);
        Ok(Self {
            shape,
            weights,
            max_word,
        })
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }
}

fn ranges(file: &CircuitFile) -> Result<(Vec<i128>, Vec<u64>), Error> {
    let pairs = file.features.iter().map(|feature| match feature {
        Feature::Fixed { min, max, .. } | Feature::Integer { min, max } => {
            let range = max.0.checked_sub(min.0).and_then(|r| u64::try_from(r).ok());
            range
                .map(|r| (min.0, r))
                .ok_or_else(|| Error::Inconsistent("a feature's range is not below 2^64".into()))
        }
        Feature::Float32 | Feature::Float64 => Err(Error::Inconsistent(
            "linear models need fixed features".into(),
        )),
    });
    Ok(pairs.collect::<Result<Vec<_>, _>>()?.into_iter().unzip())
}

/// The base when the inputs are words: a word is the integer less its feature's minimum.
fn base_of_words(weights: &[Int], base: i128, minima: &[i128]) -> Result<i128, Error> {
    weights
        .iter()
        .zip(minima)
        .try_fold(base, |sum, (weight, min)| {
            sum.checked_add(weight.0.checked_mul(*min)?)
        })
        .ok_or(Error::TooLarge("weights"))
}

/// Bits of a lane for every 64-bit word, in or out of the declared ranges: lanes must never run over.
fn lane(file: &CircuitFile, bases: &[i128]) -> Result<u32, Error> {
    let bits = |value: u128| 128 - value.leading_zeros();
    let mut most = 0;
    for (weights, base) in file.weights.iter().zip(bases) {
        let widest = weights
            .iter()
            .map(|w| bits(w.0.unsigned_abs()))
            .max()
            .unwrap_or(0);
        let terms = bits(weights.len() as u128);
        most = most.max(widest + 64 + terms).max(bits(base.unsigned_abs()));
    }
    if most + 3 > 248 {
        return Err(Error::TooLarge("weights"));
    }
    Ok(most + 3)
}

fn pack(file: &CircuitFile, bases: &[i128], shape: &Shape) -> Vec<Vec<Fr>> {
    let shift = Fr::from(2u64).pow([u64::from(shape.lane)]);
    let offset = Fr::from(2u64).pow([u64::from(shape.lane - 1)]);
    let lanes = shape.lanes() as usize;
    let fold = |values: Vec<Fr>| {
        values
            .iter()
            .rev()
            .fold(Fr::zero(), |sum, v| sum * shift + v)
    };
    file.weights
        .chunks(lanes)
        .zip(bases.chunks(lanes))
        .map(|(group, bases)| {
            let mut packed: Vec<Fr> = (0..file.features.len())
                .map(|feature| {
                    fold(
                        group
                            .iter()
                            .map(|weights| signed(weights[feature].0))
                            .collect(),
                    )
                })
                .collect();
            packed.push(fold(
                bases.iter().map(|base| signed(*base) + offset).collect(),
            ));
            packed
        })
        .collect()
}
