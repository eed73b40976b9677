//! The relation of networks (networks.md). Section numbers in this folder's comments are that page's.

mod claims;
mod constraints;
mod messages;
mod shape;
mod words;

pub use claims::public_sum;
pub use constraints::*;
pub use messages::names;
pub use shape::{
    outside, public_slot, LANES, LANE_BITS, LOG_PUBLIC_SLOTS, LOW_ID, NULL_SLOT, PER_HELPER,
    RANGE_ID, RESERVED, SEPARATOR,
};
pub use words::{lane_factor, lanes_of, offset};

use crate::bytes::Reader;
use crate::relation::{At, Combination, Name, Opened, Pack, Relation, Round};
use crate::shape::{size, Network};
use crate::{Error, Shape};
use assay_algebra::{Fr, WORD};

/// The relation.
pub struct Networks;

/// What a shape's network says; nothing for a shape that `Shape::check` refuses.
fn of<T: Default>(shape: &Shape, say: impl Fn(&Network) -> T) -> T {
    shape.network.as_ref().map(say).unwrap_or_default()
}

impl Relation for Networks {
    fn name(&self) -> &'static str {
        "network"
    }

    fn check(&self, shape: &Shape) -> Result<(), Error> {
        shape::check(shape)
    }

    fn read(&self, reader: &mut Reader<'_>, shape: &mut Shape) -> Result<(), Error> {
        shape.network = Some(shape::read(reader)?);
        Ok(())
    }

    fn write(&self, shape: &Shape, out: &mut Vec<u8>) {
        if let Some(network) = &shape.network {
            shape::write(network, out);
        }
    }

    fn lanes(&self, _shape: &Shape) -> u32 {
        1
    }

    fn log_table(&self, shape: &Shape) -> u32 {
        shape.table.trailing_zeros()
    }

    fn degree(&self, shape: &Shape, log_rows: u32) -> usize {
        of(shape, |network| {
            let of_rows = shape.rows(log_rows).saturating_mul(3).saturating_add(12);
            let slots = size(network.slots);
            let of_table = size(shape.table).saturating_add(slots).saturating_add(6);
            let of_matrix = network.part().saturating_sub(slots);
            of_rows.max(of_table).max(of_matrix)
        })
    }

    fn chunk(&self, shape: &Shape, log_rows: u32) -> usize {
        of(shape, |network| {
            let largest = shape.rows(log_rows).max(size(shape.table));
            let slots = size(network.slots);
            let largest = largest.max(network.part());
            largest.saturating_add(slots).saturating_add(16)
        })
    }

    fn model(&self, shape: &Shape) -> Vec<Name> {
        let table = names::TABLE.into_iter();
        of(shape, |network| {
            let parts = messages::parts_of_matrix(network);
            table.clone().chain(parts).collect()
        })
    }

    fn fixed(&self, shape: &Shape, _log_rows: u32) -> Vec<Name> {
        of(shape, |network| messages::fixed(shape, network))
    }

    /// Its wiring, which the key does not hold.
    fn needs_circuit(&self) -> bool {
        true
    }

    fn model_packs(&self, shape: &Shape) -> Vec<Pack> {
        of(shape, |network| messages::model_packs(shape, network))
    }

    fn fixed_packs(&self, shape: &Shape, log_rows: u32) -> Vec<Pack> {
        of(shape, |network| {
            messages::fixed_packs(shape, network, log_rows)
        })
    }

    fn rounds(&self, shape: &Shape, log_rows: u32) -> Vec<Round> {
        of(shape, |network| messages::rounds(shape, network, log_rows))
    }

    fn openings(&self, shape: &Shape, log_rows: u32) -> Vec<Opened> {
        of(shape, |network| {
            messages::openings(shape, network, log_rows)
        })
    }

    fn input_words(&self, shape: &Shape) -> usize {
        size(shape.input_groups())
    }

    /// `P_g` of each word.
    fn entries(&self, shape: &Shape, words: &[[u8; WORD]]) -> Result<Vec<Fr>, usize> {
        words::entries(shape, words)
    }

    fn remainder(&self, at: &At<'_>) -> Result<Combination, Error> {
        claims::remainder(at)
    }
}

#[cfg(test)]
mod tests;
