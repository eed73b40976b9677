//! Chooses the shape of a tree circuit: the block's layout and the table's size (spec 4.1).

use crate::Error;
use assay_verifier::{Inputs, Kind, Missing, Shape, Srs, View};

/// What the model needs.
pub(crate) struct Needs {
    pub private: bool,
    pub bits: u8,
    pub features: usize,
    pub views: Vec<View>,
    pub outputs: usize,
    pub scale_bits: u32,
    pub lane: u32,
    pub trees: usize,
    pub depth: usize,
    pub nodes_beside_roots: usize,
    pub log_max_rows: u32,
}

/// A multi-scalar multiplication's cost of one committed limb column on chain and in time, in table rows.
const LIMB_COST: usize = 4000;

pub(crate) fn plan(needs: &Needs) -> Result<Shape, Error> {
    let (stride, groups) = block(needs)?;
    let nodes = needs.nodes_beside_roots + groups;
    let (table, ratio, limbs) = table(nodes, needs.bits)?;
    let small = |value: usize| u32::try_from(value).map_err(|_| Error::TooLarge("size"));
    let shape = Shape {
        kind: Kind::Trees,
        inputs: if needs.private {
            Inputs::Private
        } else {
            Inputs::Public
        },
        // Stamped at setup, when the reference string is known.
        srs: Srs::Development,
        bits: needs.bits,
        features: small(needs.features)?,
        outputs: small(needs.outputs)?,
        scale_bits: needs.scale_bits,
        lane: needs.lane,
        trees: small(needs.trees)?,
        depth: small(needs.depth)?,
        stride: small(stride)?,
        groups: small(groups)?,
        table: small(table)?,
        ratio,
        limbs,
        log_max_rows: needs.log_max_rows,
        views: needs.views.clone(),
        network: None,
    };
    shape
        .check()
        .map_err(|e| Error::Inconsistent(e.to_string()))?;
    Ok(shape)
}

/// The smallest block that holds all trees' steps and all input entries.
fn block(needs: &Needs) -> Result<(usize, usize), Error> {
    let pairs = needs.private
        && needs
            .views
            .iter()
            .any(|v| matches!(v.missing, Missing::Low | Missing::High));
    let entries = 1 + if pairs {
        needs.features
    } else {
        needs.views.len()
    };
    let least = (needs.depth + 2).next_power_of_two();
    [least, 2 * least, 4 * least]
        .into_iter()
        .filter_map(|stride| {
            let slots = stride - needs.depth - 1;
            let usable = match (pairs, slots % 2) {
                (false, _) => slots,
                (true, 0) => slots / 2,
                (true, _) => return None,
            };
            let groups = needs
                .trees
                .max(entries.div_ceil(usable))
                .max(16 / stride + 1)
                .next_power_of_two();
            Some((stride, groups))
        })
        .min_by_key(|(stride, groups)| (stride * groups, *stride))
        .ok_or(Error::TooLarge("depth"))
}

/// Table size `N`, ratio `q` and limbs `L` with the least work.
fn table(nodes: usize, bits: u8) -> Result<(usize, u32, u32), Error> {
    let mut best: Option<(usize, (usize, u32, u32))> = None;
    for log in 5..=24 {
        let size = 1usize << log;
        for ratio in [2u32, 4, 8] {
            let range = size / ratio as usize;
            let base = range as u128 - 1;
            if size - range < nodes || base < 3 {
                continue;
            }
            let Some(limbs) =
                (1..=9).find(|l| base.checked_pow(*l).is_some_and(|b| b >= 1 << bits))
            else {
                continue;
            };
            let cost = 3 * size + LIMB_COST * (limbs + limbs.div_ceil(3)) as usize;
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, (size, ratio, limbs)));
            }
        }
    }
    best.map(|(_, shape)| shape)
        .ok_or(Error::TooLarge("more than 12 million nodes"))
}
