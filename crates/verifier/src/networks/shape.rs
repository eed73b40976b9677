//! Which shapes of networks the protocol defines (networks.md 1 and 7), and what follows from one.

use crate::bytes::Reader;
use crate::shape::{need, size, Network};
use crate::{Error, Shape};
use ark_ff::Field;
use assay_algebra::{root_of_unity, Fr};

/// Features in one input word.
pub const LANES: u32 = 13;
/// Bits of a feature in it.
pub const LANE_BITS: u32 = 19;
/// Ids of range rows begin here.
pub const RANGE_ID: u64 = 1 << 50;
/// Ids of low rows begin here.
pub const LOW_ID: u64 = 1 << 51;
/// The separator that range rows have for a slope; low rows have twice as much.
pub const SEPARATOR: u128 = 1 << 100;
/// The reserved slots whose entries make the masks vanish.
pub const RESERVED: std::ops::RangeInclusive<u64> = 1..=4;
/// The slot of reads that no weight meets.
pub const NULL_SLOT: u64 = 5;
/// `log2` of the order of the public slots.
pub const LOG_PUBLIC_SLOTS: u32 = 14;
/// The fractions that share a helper.
pub const PER_HELPER: usize = 3;

const MAX_MATRIX: u64 = 1 << 26;
/// The most parts of a matrix: whoever verifies multiplies a point for each.
const MAX_PARTS: u32 = 1 << 12;

/// What no root of unity of two-power order is, times any: the group's generator.
pub fn outside() -> Fr {
    Fr::from(5u64)
}

/// The public slot number `index`, `c_index`.
pub fn public_slot(index: u64) -> Fr {
    let root = root_of_unity(LOG_PUBLIC_SLOTS).unwrap_or_default();
    outside() * root.pow([index])
}

impl Network {
    /// `Hn`.
    pub fn helpers(&self, shape: &Shape) -> usize {
        let fractions = size(shape.limbs)
            .saturating_add(3)
            .saturating_add(usize::from(self.cell));
        fractions.div_ceil(PER_HELPER)
    }

    /// `M_p`: powers of `X^K` in a part of the hidden matrix.
    pub fn part_columns(&self) -> u32 {
        self.columns.checked_div(self.parts).unwrap_or(0)
    }

    /// `N_p`: coefficients of a part of the hidden matrix.
    pub fn part(&self) -> usize {
        size(self.slots).saturating_mul(size(self.part_columns()))
    }
}

impl Shape {
    /// `G`: input words of a row, 0 where they are hidden.
    pub fn input_groups(&self) -> u32 {
        if self.private() {
            0
        } else {
            self.features.div_ceil(LANES)
        }
    }
}

/// The fields of a network; a shape of another kind has none.
pub(super) fn own(shape: &Shape) -> Result<&Network, Error> {
    shape.network.as_ref().ok_or(Error::Shape("network"))
}

/// `mode` of a key's bytes: pairing mode is reserved; from two on it says in how many parts the matrix is committed.
const PAIRING: u8 = 1;

/// `P` of a `mode`.
fn parts_of(mode: u8) -> Result<u32, Error> {
    need(mode != PAIRING, "pairing mode, which is reserved")?;
    let parts = 1u32.checked_shl(u32::from(mode.saturating_sub(1)));
    parts
        .filter(|parts| *parts <= MAX_PARTS)
        .ok_or(Error::Shape("mode"))
}

/// `flags` of a key's bytes.
const MAX_FLAG: u8 = 1;
const CELL_FLAG: u8 = 2;

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Network, Error> {
    let (low_bits, flags, q_shift, mode) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
    need(flags <= (MAX_FLAG | CELL_FLAG), "flags")?;
    let parts = parts_of(mode)?;
    Ok(Network {
        low_bits,
        max: flags & MAX_FLAG != 0,
        cell: flags & CELL_FLAG != 0,
        q_shift,
        slots: reader.u32()?,
        columns: reader.u32()?,
        parts,
        cell_base: i64::from_be_bytes(reader.array()?),
    })
}

pub(super) fn write(network: &Network, out: &mut Vec<u8>) {
    let max = if network.max { MAX_FLAG } else { 0 };
    let cell = if network.cell { CELL_FLAG } else { 0 };
    let log = u8::try_from(network.parts.trailing_zeros()).unwrap_or(0);
    let mode = if log == 0 { 0 } else { log.saturating_add(1) };
    out.extend([network.low_bits, max | cell, network.q_shift, mode]);
    out.extend(network.slots.to_be_bytes());
    out.extend(network.columns.to_be_bytes());
    out.extend(network.cell_base.to_be_bytes());
}

pub(super) fn check(shape: &Shape) -> Result<(), Error> {
    let network = own(shape)?;
    need((4..=16).contains(&shape.bits), "limb bits")?;
    need((1..=4).contains(&shape.limbs), "limbs")?;
    need(u32::from(shape.bits) * shape.limbs <= 40, "shift")?;
    need((1..=12).contains(&network.low_bits), "low bits")?;
    let absent = [shape.trees, shape.depth, shape.ratio];
    need(
        shape.views.is_empty() && absent.iter().all(|field| *field == 0),
        "fields of another kind",
    )?;
    need(shape.groups == 1, "groups")?;
    need(shape.lane <= 61, "lane")?;
    let (slots, columns) = (network.slots, network.columns);
    need(
        slots.is_power_of_two() && (8..=1 << 24).contains(&slots),
        "slots",
    )?;
    need(
        columns.is_power_of_two() && (2..=1 << 20).contains(&columns),
        "columns",
    )?;
    need(
        u64::from(slots) * u64::from(columns) <= MAX_MATRIX,
        "matrix",
    )?;
    let parts = network.parts;
    need(
        parts == 1 || (parts.is_power_of_two() && parts < columns && parts <= MAX_PARTS),
        "parts of the matrix",
    )?;
    let rows = (1u64 << shape.bits) + (1 << network.low_bits) + 2;
    need(
        shape.table.is_power_of_two()
            && (32..=1 << 24).contains(&shape.table)
            && slots <= shape.table
            && u64::from(shape.table) >= rows,
        "table",
    )?;
    need(network.q_shift < 64, "shift of arguments")?;
    need(
        network.cell_base.unsigned_abs() < 1 << 40,
        "base of arguments",
    )?;
    need(
        network.cell || (network.q_shift == 0 && network.cell_base == 0),
        "arguments that nobody reads",
    )?;
    need(
        u64::from(shape.features) + u64::from(shape.outputs) + 3 <= u64::from(shape.stride),
        "rows",
    )
}
