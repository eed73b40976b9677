//! The public statement: input words or their commitment, output words, and the context (spec 3).

use crate::shape::size;
use crate::{point_from_bytes, Error, Shape};
use ark_bn254::G1Affine;
use ark_ff::{PrimeField, Zero};
use assay_algebra::{Fr, WORD};

/// The most rows that one proof may cover under any key.
pub const MAX_ROWS: u32 = 1 << 20;

/// A statement whose words have been checked.
#[derive(Clone, Debug)]
pub struct Statement {
    /// `B`.
    pub rows: u32,
    /// `log2 nb`.
    pub log_rows: u32,
    /// The words as they enter the transcript.
    pub words: Vec<[u8; WORD]>,
    /// The last word: whatever the caller bound the proof to.
    pub context: [u8; WORD],
    /// Per row: what `Relation::entries` says; empty for private inputs.
    pub inputs: Vec<Vec<Fr>>,
    /// `C_in` for private inputs.
    pub commitment: Option<G1Affine>,
    /// Per row: the packed output groups.
    pub outputs: Vec<Vec<Fr>>,
}

impl Statement {
    /// The number of words for `rows` rows.
    pub fn word_count(shape: &Shape, rows: u32) -> usize {
        let inputs = if shape.private() {
            2
        } else {
            size(rows).saturating_mul(shape.kind.relation().input_words(shape))
        };
        let outputs = size(rows).saturating_mul(size(shape.outputs));
        inputs.saturating_add(outputs).saturating_add(1)
    }

    /// Checks the words against the shape.
    pub fn new(shape: &Shape, rows: u32, words: &[[u8; WORD]]) -> Result<Self, Error> {
        let max = 1u32
            .checked_shl(shape.log_max_rows)
            .unwrap_or(0)
            .min(MAX_ROWS);
        if rows == 0 || rows > max {
            return Err(Error::Rows { max, found: rows });
        }
        let expected = Self::word_count(shape, rows);
        if words.len() != expected {
            return Err(Error::WordCount {
                expected,
                found: words.len(),
            });
        }
        let (context, values) = words.split_last().ok_or(Error::Truncated)?;
        let outputs = size(rows).saturating_mul(size(shape.outputs));
        let outputs_from = values.len().saturating_sub(outputs);
        let (first, last) = values
            .split_at_checked(outputs_from)
            .ok_or(Error::Truncated)?;
        let (inputs, commitment) = if shape.private() {
            (Vec::new(), Some(commitment(first)?))
        } else {
            (read_inputs(shape, first)?, None)
        };
        Ok(Self {
            rows,
            log_rows: shape.log_blocks(rows),
            words: words.to_vec(),
            context: *context,
            inputs,
            commitment,
            outputs: read_outputs(shape, last, outputs_from)?,
        })
    }
}

fn commitment(words: &[[u8; WORD]]) -> Result<G1Affine, Error> {
    let bytes: Vec<u8> = words.concat();
    let bytes: [u8; 2 * WORD] = bytes.try_into().map_err(|_| Error::Truncated)?;
    point_from_bytes(&bytes).ok_or(Error::InputWord { index: 0 })
}

/// What an input word says.
#[derive(Clone, Copy)]
pub(crate) enum Input {
    Value(u64),
    Missing,
}

/// A value below `2^bits`, or missing (exactly `2^bits`).
pub(crate) fn input_word(word: &[u8; WORD], bits: u8) -> Option<Input> {
    let (head, tail) = word.split_last_chunk::<16>()?;
    if head.iter().any(|byte| *byte != 0) {
        return None;
    }
    let value = u128::from_be_bytes(*tail);
    if value == 1 << bits {
        return Some(Input::Missing);
    }
    u64::try_from(value)
        .ok()
        .filter(|v| u128::from(*v) < 1 << bits)
        .map(Input::Value)
}

fn read_inputs(shape: &Shape, words: &[[u8; WORD]]) -> Result<Vec<Vec<Fr>>, Error> {
    let relation = shape.kind.relation();
    let of_row = relation.input_words(shape).max(1);
    words
        .chunks(of_row)
        .enumerate()
        .map(|(row, words)| {
            let index = |column| row.saturating_mul(of_row).saturating_add(column);
            let entries = relation.entries(shape, words);
            entries.map_err(|column| Error::InputWord {
                index: index(column),
            })
        })
        .collect()
}

fn read_outputs(shape: &Shape, words: &[[u8; WORD]], base: usize) -> Result<Vec<Vec<Fr>>, Error> {
    let offset = Fr::from(2u64).pow_u(shape.lane.saturating_sub(1));
    let shift = Fr::from(2u64).pow_u(shape.lane);
    let outputs = size(shape.outputs).max(1);
    words
        .chunks(outputs)
        .enumerate()
        .map(|(row, chunk)| {
            let mut lanes = Vec::with_capacity(chunk.len());
            for (column, word) in chunk.iter().enumerate() {
                let index = base
                    .saturating_add(row.saturating_mul(outputs))
                    .saturating_add(column);
                lanes.push(
                    signed_word(word, shape.lane).ok_or(Error::OutputWord { index })? + offset,
                );
            }
            Ok(lanes
                .chunks(size(shape.lanes()).max(1))
                .map(|group| {
                    group
                        .iter()
                        .rev()
                        .fold(Fr::zero(), |sum, lane| sum * shift + lane)
                })
                .collect())
        })
        .collect()
}

/// The field element of a two's complement word within `lane` bits.
fn signed_word(word: &[u8; WORD], lane: u32) -> Option<Fr> {
    let negative = word.first().is_some_and(|byte| byte & 0x80 != 0);
    let fill = if negative { 0xFF } else { 0 };
    // Every bit above the value's lane must repeat the sign.
    let mut magnitude = [0u8; WORD];
    for (to, from) in magnitude.iter_mut().zip(word) {
        *to = from ^ fill;
    }
    let used = WORD
        .saturating_mul(8)
        .saturating_sub(leading_zeros(&magnitude));
    if used > size(lane).saturating_sub(1) {
        return None;
    }
    let value = Fr::from_be_bytes_mod_order(&magnitude);
    // `!w` is `-w - 1`.
    Some(if negative {
        -value - Fr::from(1u64)
    } else {
        value
    })
}

fn leading_zeros(bytes: &[u8; WORD]) -> usize {
    let mut count: usize = 0;
    for byte in bytes {
        count = count.saturating_add(usize::try_from(byte.leading_zeros()).unwrap_or(8));
        if *byte != 0 {
            break;
        }
    }
    count
}

trait PowU {
    fn pow_u(&self, exponent: u32) -> Fr;
}

impl PowU for Fr {
    fn pow_u(&self, exponent: u32) -> Fr {
        ark_ff::Field::pow(self, [u64::from(exponent)])
    }
}
