//! A network's rows, tables and weights.

use std::collections::BTreeMap;

/// Slot 0 blinds, 1 to 4 are reserved, 5 is the null slot.
pub const FIRST_SLOT: usize = 6;
/// An input `u` is in `[-2^18, 2^18)`, so that lanes of a public word never meet.
pub(crate) const INPUT_LIMIT: i64 = 1 << 18;

/// A piecewise linear function: its segment `k`, `low <= k < high`, has the id `base + k`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Of the activation, for people.
    pub name: String,
    /// What is added to a segment to give its id.
    pub base: i64,
    /// The first segment.
    pub low: i64,
    /// One for each segment, as the offsets: a value is `offset + slope · low part`.
    pub slope: Vec<i64>,
    /// The values at the segments' starts.
    pub offset: Vec<i64>,
    /// Runs of segments, the first and the one behind the last, in which values end before the function's own do.
    pub ends: Vec<(i64, i64)>,
}

impl Table {
    /// The id of the first segment.
    pub fn first_id(&self) -> i64 {
        self.base + self.low
    }

    /// The segment behind the last.
    pub fn high(&self) -> i64 {
        self.low + self.slope.len() as i64
    }
}

/// The rows' fields, one entry a row from row 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// The first address: `i > 0` is `y` of row `i`, `-i` its `q`, 0 the zero cell.
    pub a: Vec<i64>,
    /// The second address.
    pub b: Vec<i64>,
    /// The slot of the hidden matrix that `a` feeds; 0 for none.
    pub slot: Vec<i64>,
    /// The column whose sum the row receives; -1 for none.
    pub column: Vec<i64>,
    /// The linear call; 0 for none.
    pub position: Vec<i64>,
    /// The factor of the row's pairs.
    pub product: Vec<i64>,
    /// 1 on a max row.
    pub max: Vec<i64>,
}

/// A rectangle of the hidden matrix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    /// The first slot.
    pub slot: usize,
    /// The first column.
    pub column: usize,
    /// How many columns.
    pub width: usize,
    /// Slot by slot, `width` each.
    pub values: Vec<i64>,
}

impl Weights {
    /// How many slots.
    pub fn height(&self) -> usize {
        self.values.len() / self.width
    }
}

/// A network as rows of the machine. Whatever reads one may rely on the rules of its wiring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Bits of a limb of the remainder, `ρ`.
    pub limb_bits: u32,
    /// Limbs of the remainder, `L`.
    pub limbs: u32,
    /// Bits of the low part, `f`.
    pub low_bits: u32,
    /// Rows of a block, `S`: a power of two, at least 16.
    pub rows: usize,
    /// Slots of the hidden matrix, `K`.
    pub slots: usize,
    /// Its columns, `M`.
    pub columns: usize,
    /// Every output `y` is in `-2^k <= y < 2^k`.
    pub output_bits: u32,
    /// The table whose rows' arguments are read.
    pub q_table: usize,
    /// By what power of two such a read is scaled.
    pub q_shift: u32,
    /// The activations; table 0 is the identity.
    pub tables: Vec<Table>,
    /// A row for each feature.
    pub input_rows: Vec<usize>,
    /// What is taken from each feature's integer to give the input `u`.
    pub input_centres: Vec<i64>,
    /// The row of the constant 1.
    pub one_row: usize,
    /// A row for each output.
    pub output_rows: Vec<usize>,
    /// The rows' fields.
    pub cells: Cells,
    /// The hidden matrix, zero elsewhere.
    pub weights: Vec<Weights>,
}

impl Network {
    /// Bits that every row's sum is shifted by, `s = ρ·L`.
    pub fn shift(&self) -> u32 {
        self.limb_bits * self.limbs
    }

    /// Rows that have fields: 0 to this, excluded.
    pub fn listed(&self) -> usize {
        self.cells.a.len()
    }

    /// Whether any row reads by `b`.
    pub fn reads_pairs(&self) -> bool {
        self.cells.b.iter().any(|b| *b != 0)
    }

    /// The input rows, then ONE.
    pub(crate) fn given(&self) -> impl Iterator<Item = usize> + '_ {
        self.input_rows.iter().copied().chain([self.one_row])
    }

    /// The rows of each position, by its number.
    pub(crate) fn positions(&self) -> BTreeMap<i64, Vec<usize>> {
        let mut found: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
        for (row, position) in self.cells.position.iter().enumerate() {
            if *position > 0 {
                found.entry(*position).or_default().push(row);
            }
        }
        found
    }
}
