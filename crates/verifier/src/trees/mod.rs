//! The tree relation (spec 4).

mod claims;
mod constraints;
mod messages;
mod public;
mod shape;

pub use claims::{input_sum, output_sum};
pub use constraints::*;
pub use messages::names;
pub use public::{fixed_rows, node_id, public_column};

use crate::relation::{
    coefficients_in_pack, At, Combination, Name, Opened, Public, Relation, Round,
};
use crate::words::{input_word, Input};
use crate::{Error, Shape};
use assay_algebra::{Fr, WORD};

/// The relation.
pub struct Trees;

impl Relation for Trees {
    fn name(&self) -> &'static str {
        "trees"
    }

    fn check(&self, shape: &Shape) -> Result<(), Error> {
        shape.check_trees()
    }

    fn lanes(&self, _shape: &Shape) -> u32 {
        4
    }

    fn log_table(&self, shape: &Shape) -> u32 {
        shape.table.trailing_zeros()
    }

    fn degree(&self, shape: &Shape, log_rows: u32) -> usize {
        let shared = crate::shape::size(shape.limbs_per_helper(log_rows));
        let of_rows = shape.rows(log_rows).saturating_mul(shared);
        let of_table = crate::shape::size(shape.table).saturating_add(8);
        of_rows.saturating_add(12).max(of_table)
    }

    fn chunk(&self, shape: &Shape, log_rows: u32) -> usize {
        let rows = shape.rows(log_rows);
        let rounds = self.rounds(shape, log_rows);
        let packs = rounds.iter().flat_map(|round| &round.packs);
        let shared = packs.map(Vec::len).filter(|width| *width > 1);
        let widths = shared.map(|width| width.saturating_mul(coefficients_in_pack(rows)));
        let alone = rows.max(crate::shape::size(shape.table)).saturating_add(16);
        widths.fold(alone, usize::max)
    }

    fn model(&self, _shape: &Shape) -> Vec<Name> {
        names::TABLE.to_vec()
    }

    fn fixed(&self, shape: &Shape, log_rows: u32) -> Vec<Name> {
        messages::fixed(shape, log_rows)
    }

    fn public<'a>(&self, shape: &'a Shape) -> Vec<Public<'a>> {
        public::public(shape)
    }

    fn rounds(&self, shape: &Shape, log_rows: u32) -> Vec<Round> {
        messages::rounds(shape, log_rows)
    }

    fn openings(&self, shape: &Shape, log_rows: u32) -> Vec<Opened> {
        messages::openings(shape, log_rows)
    }

    /// The entries of all views.
    fn entries(&self, shape: &Shape, words: &[[u8; WORD]]) -> Result<Vec<Fr>, usize> {
        let words = words
            .iter()
            .enumerate()
            .map(|(column, word)| input_word(word, shape.bits).ok_or(column))
            .collect::<Result<Vec<_>, _>>()?;
        shape
            .views
            .iter()
            .enumerate()
            .map(|(index, view)| {
                let column = crate::shape::size(view.feature);
                let word = match words.get(column).ok_or(column)? {
                    Input::Value(value) => Some(*value),
                    Input::Missing => None,
                };
                let key = shape.key(view, word).ok_or(column)?;
                Ok(shape.entry(index, key))
            })
            .collect()
    }

    fn remainder(&self, at: &At<'_>) -> Result<Combination, Error> {
        claims::remainder(at)
    }
}
