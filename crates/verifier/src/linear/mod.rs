//! The linear relation (spec 5).

mod claims;
mod combine;
mod shape;

pub use claims::shift;
pub use combine::combine;

use crate::opening::Point;
use crate::relation::{At, Combination, Name, Opened, Relation, Round};
use crate::words::{input_word, Input};
use crate::{Error, Shape};
use assay_algebra::{Fr, WORD};

/// The polynomials' names.
#[allow(missing_docs)]
pub mod names {
    use crate::relation::Name;

    pub const PHI: Name = Name::new("phi");
    /// `w`: the hidden weights.
    pub const WEIGHTS: Name = Name::new("weights");
}

/// The relation.
pub struct Linear;

impl Relation for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn check(&self, shape: &Shape) -> Result<(), Error> {
        shape.check_linear()
    }

    fn lanes(&self, shape: &Shape) -> u32 {
        250u32.checked_div(shape.lane).unwrap_or(1).max(1)
    }

    fn combines_rows(&self) -> bool {
        true
    }

    fn log_table(&self, _shape: &Shape) -> u32 {
        0
    }

    /// There is no quotient.
    fn degree(&self, _shape: &Shape, _log_rows: u32) -> usize {
        0
    }

    fn chunks(&self, _shape: &Shape, _log_rows: u32) -> usize {
        0
    }

    /// The coefficients of `φ`.
    fn chunk(&self, shape: &Shape, log_rows: u32) -> usize {
        shape.rows(log_rows).saturating_mul(3)
    }

    fn model(&self, _shape: &Shape) -> Vec<Name> {
        Vec::new()
    }

    fn fixed(&self, _shape: &Shape, log_rows: u32) -> Vec<Name> {
        if log_rows == 0 {
            vec![names::WEIGHTS]
        } else {
            Vec::new()
        }
    }

    fn rounds(&self, _shape: &Shape, _log_rows: u32) -> Vec<Round> {
        vec![Round::apart([], 2), Round::apart([names::PHI], 1)]
    }

    fn openings(&self, _shape: &Shape, _log_rows: u32) -> Vec<Opened> {
        vec![Opened::alone(names::PHI, &[Point::Half])]
    }

    /// The words themselves; none is missing.
    fn entries(&self, shape: &Shape, words: &[[u8; WORD]]) -> Result<Vec<Fr>, usize> {
        let value = |(column, word)| match input_word(word, shape.bits) {
            Some(Input::Value(value)) => Ok(Fr::from(value)),
            _ => Err(column),
        };
        words.iter().enumerate().map(value).collect()
    }

    fn remainder(&self, at: &At<'_>) -> Result<Combination, Error> {
        claims::remainder(at)
    }
}
