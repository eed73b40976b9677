//! The polynomials of a tree key that anyone can recompute: `Pub` and the fixed ones (spec 4.2, 4.6).

use super::names::{OFFSET, OUTPUT_GROUP, RHO, USED};
use crate::relation::{Name, Place, Public, Row, Rows};
use crate::shape::size;
use crate::Shape;
use ark_ff::{Field, One};
use assay_algebra::{root_of_unity, Fr};

/// `Pub` of node row `row`.
pub fn node_id(shape: &Shape, row: u64) -> Fr {
    if row >= u64::from(shape.groups) {
        return Fr::from(2 + u128::from(row));
    }
    let root = root_of_unity(shape.log_block()).unwrap_or_default();
    let exponent = u64::from(shape.stride)
        .saturating_mul(row)
        .saturating_add(u64::from(shape.input_slots()));
    root.pow([exponent])
}

/// `Pub` by position: the range table's values and the nodes' ids.
pub fn public_column(shape: &Shape) -> impl Iterator<Item = Fr> + '_ {
    let ratio = u64::from(shape.ratio.max(1));
    (0..u64::from(shape.table)).map(move |position| {
        let (whole, rest) = (position / ratio, position % ratio);
        if rest == 0 {
            return Fr::from(whole.saturating_sub(1));
        }
        let before = whole.saturating_mul(ratio.saturating_sub(1));
        node_id(shape, before.saturating_add(rest).saturating_sub(1))
    })
}

/// The rows of a block where a fixed polynomial is not zero, in order.
pub fn fixed_rows(shape: &Shape, name: Name, log_rows: u32) -> Rows<'_> {
    match name {
        RHO => {
            let root = root_of_unity(shape.log_block().saturating_add(log_rows));
            let inverse = root.unwrap_or_default().inverse().unwrap_or_default();
            let powers = std::iter::successors(Some(Fr::one()), move |p| Some(*p * inverse));
            Box::new(powers.take(shape.block()).enumerate())
        }
        OUTPUT_GROUP => Box::new((0..size(shape.trees)).filter_map(|slot| {
            let group = u64::try_from(shape.group_of_tree(slot)?).ok()?;
            let row = slot.saturating_add(1).saturating_mul(size(shape.stride));
            (group > 0).then(|| (row.saturating_sub(1), Fr::from(group)))
        })),
        USED => Box::new(shape.input_rows().into_iter().map(|row| (row, Fr::one()))),
        OFFSET => {
            let rows = shape.input_rows().into_iter().enumerate();
            Box::new(rows.map(|(view, row)| (row, shape.entry(view, 0))))
        }
        _ => Box::new(std::iter::empty::<Row>()),
    }
}

pub(super) fn public(shape: &Shape) -> Vec<Public<'_>> {
    let mut all = vec![Public {
        place: Place::Model(0),
        log_domain: shape.log_table(),
        log_rows: 0,
        rows: Box::new(public_column(shape).enumerate()),
    }];
    for log_rows in 0..=shape.log_max_rows {
        let names = super::messages::fixed(shape, log_rows);
        all.extend(names.into_iter().enumerate().map(|(index, name)| Public {
            place: Place::Fixed { log_rows, index },
            log_domain: shape.log_block(),
            log_rows,
            rows: fixed_rows(shape, name, log_rows),
        }));
    }
    all
}
