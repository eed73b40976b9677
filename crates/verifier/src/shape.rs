//! The public shape of a circuit (spec 4.1, 5) and what follows from it for every relation.

mod check;

pub(crate) use check::{beyond_limits, need};

use crate::Kind;

/// Whether the inputs are public words or hidden behind a commitment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Public words.
    Public,
    /// A blinded commitment.
    Private,
}

/// Where the reference string came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Srs {
    /// Made on one machine: whoever made it could forge.
    Development,
    /// Imported from a ceremony.
    Ceremony,
}

/// What a missing value becomes in a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Not allowed.
    Refuse,
    /// Below every value.
    Low,
    /// Above every value.
    High,
    /// The value 0.0.
    Zero,
}

/// A feature with a rule for missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// Index of the feature.
    pub feature: u32,
    /// The rule.
    pub missing: Missing,
    /// Whether values between -1e-35 and 1e-35 count as missing.
    pub zero_missing: bool,
}

/// The public shape; the fields are those of spec 7.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Shape {
    pub kind: Kind,
    pub inputs: Inputs,
    pub srs: Srs,
    pub bits: u8,
    pub features: u32,
    pub outputs: u32,
    pub scale_bits: u32,
    pub lane: u32,
    pub trees: u32,
    pub depth: u32,
    pub stride: u32,
    pub groups: u32,
    pub table: u32,
    pub ratio: u32,
    pub limbs: u32,
    pub log_max_rows: u32,
    pub views: Vec<View>,
    pub network: Option<Network>,
}

/// The fields that only the shape of a network has (networks.md 7).
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Network {
    /// `f`.
    pub low_bits: u8,
    /// Whether there are max rows.
    pub max: bool,
    /// Whether a row's `q` is read; then `q_shift` and `base_c`.
    pub cell: bool,
    pub q_shift: u8,
    pub cell_base: i64,
    /// `K`, the entries of the hidden matrix, and `M`, its columns.
    pub slots: u32,
    pub columns: u32,
    /// `P`, the parts in which it is committed.
    pub parts: u32,
}

pub(crate) fn size(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Shape {
    /// Whether the inputs are hidden.
    pub fn private(&self) -> bool {
        self.inputs == Inputs::Private
    }

    /// Rows of a block, `S`.
    pub fn block(&self) -> usize {
        size(self.stride).saturating_mul(size(self.groups))
    }

    /// The last slot of a stride.
    pub fn last_slot(&self) -> usize {
        size(self.stride).saturating_sub(1)
    }

    /// `log2 S`.
    pub fn log_block(&self) -> u32 {
        self.block().trailing_zeros()
    }

    /// `log2 N`, or 0 where there is no table.
    pub fn log_table(&self) -> u32 {
        self.kind.relation().log_table(self)
    }

    /// Outputs packed in one field element.
    pub fn lanes(&self) -> u32 {
        self.kind.relation().lanes(self)
    }

    /// `Gr`.
    pub fn output_groups(&self) -> u32 {
        self.outputs.div_ceil(self.lanes())
    }

    /// `log2 nb` for this many rows.
    pub fn log_blocks(&self, rows: u32) -> u32 {
        if self.kind.relation().combines_rows() {
            0
        } else {
            rows.next_power_of_two().trailing_zeros()
        }
    }

    /// The largest `log2 nb` of any proof.
    pub fn max_log_blocks(&self) -> u32 {
        if self.kind.relation().combines_rows() {
            0
        } else {
            self.log_max_rows
        }
    }

    /// `n`: rows of `H`.
    pub fn rows(&self, log_rows: u32) -> usize {
        self.block().checked_shl(log_rows).unwrap_or(usize::MAX)
    }

    /// `Ck`: coefficients in a chunk of the quotient.
    pub fn chunk(&self, log_rows: u32) -> usize {
        self.kind.relation().chunk(self, log_rows)
    }

    /// The highest power of τ that proofs of at most `2^log_rows` blocks need.
    pub fn string_degree(&self, log_rows: u32) -> usize {
        let each = (0..=log_rows).map(|log| self.chunk(log));
        each.max().unwrap_or(0)
    }

    /// The number of chunks.
    pub fn chunks(&self, log_rows: u32) -> usize {
        self.kind.relation().chunks(self, log_rows)
    }
}
