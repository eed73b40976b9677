//! The public shape of a circuit (spec 4.1, 5) and all that follows from it.

mod check;

pub(crate) use check::beyond_limits;

use ark_ff::Field;
use assay_algebra::Fr;

/// What kind of model the circuit evaluates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tree ensemble (spec 4).
    Trees,
    /// A linear model (spec 5).
    Linear,
}

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
}

fn size(value: u32) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

impl Shape {
    /// Whether the inputs are hidden.
    pub fn private(&self) -> bool {
        self.inputs == Inputs::Private
    }

    /// Whether the input rows come in pairs (spec 4.1).
    pub fn pairs(&self) -> bool {
        self.private()
            && self
                .views
                .iter()
                .any(|v| v.missing == Missing::High || v.missing == Missing::Low)
    }

    fn segments(&self) -> u32 {
        self.groups
    }

    /// Rows of a block, `S`.
    pub fn block(&self) -> usize {
        size(self.stride).saturating_mul(size(self.segments()))
    }

    /// `log2 S`.
    pub fn log_block(&self) -> u32 {
        self.block().trailing_zeros()
    }

    /// `log2 N`, or 0 for a linear model.
    pub fn log_table(&self) -> u32 {
        match self.kind {
            Kind::Trees => self.table.trailing_zeros(),
            Kind::Linear => 0,
        }
    }

    /// Outputs packed in one field element.
    pub fn lanes(&self) -> u32 {
        match self.kind {
            Kind::Trees => 4,
            Kind::Linear => 250u32.checked_div(self.lane).unwrap_or(1).max(1),
        }
    }

    /// `Gr`.
    pub fn output_groups(&self) -> u32 {
        self.outputs.div_ceil(self.lanes())
    }

    /// `q_in`.
    pub fn input_slots(&self) -> u32 {
        self.stride.saturating_sub(self.depth).saturating_sub(1)
    }

    /// `R`, the limbs' base.
    pub fn limb_base(&self) -> u64 {
        u64::from(self.table.checked_div(self.ratio).unwrap_or(1)).saturating_sub(1)
    }

    fn limb_product(&self) -> Option<u128> {
        u128::from(self.limb_base())
            .checked_pow(self.limbs)
            .filter(|b| *b < 1 << 100)
    }

    /// `Bnd = R^L`.
    pub fn bound(&self) -> u128 {
        self.limb_product().unwrap_or(1)
    }

    /// `W`: the least integer with `2^W >= 4 Bnd`.
    pub fn view_bits(&self) -> u32 {
        self.bound()
            .saturating_mul(4)
            .next_power_of_two()
            .trailing_zeros()
    }

    /// The entry of a view (spec 4.2).
    pub fn entry(&self, view: usize, key: u64) -> Fr {
        let number = u64::try_from(view).unwrap_or(u64::MAX).saturating_add(1);
        Fr::from(number) * Fr::from(2u64).pow([u64::from(self.view_bits())]) + Fr::from(key)
    }

    /// `log2 nb` for this many rows: linear models combine all rows into one block.
    pub fn log_blocks(&self, rows: u32) -> u32 {
        match self.kind {
            Kind::Trees => rows.next_power_of_two().trailing_zeros(),
            Kind::Linear => 0,
        }
    }

    /// The largest `log2 nb` of any proof.
    pub fn max_log_blocks(&self) -> u32 {
        match self.kind {
            Kind::Trees => self.log_max_rows,
            Kind::Linear => 0,
        }
    }

    /// `hl`: limbs that share a helper.
    pub fn limbs_per_helper(&self, log_rows: u32) -> u32 {
        if log_rows == 0 {
            3
        } else {
            2
        }
    }

    /// The helpers' number, `Hn`.
    pub fn helpers(&self, log_rows: u32) -> usize {
        size(self.limbs.div_ceil(self.limbs_per_helper(log_rows)))
    }

    /// Whether the inputs are bound by the accumulator `a` (spec 4.3).
    pub fn accumulates(&self, log_rows: u32) -> bool {
        self.kind == Kind::Trees && !self.private() && log_rows > 0
    }

    /// `n`: rows of `H`.
    pub fn rows(&self, log_rows: u32) -> usize {
        self.block().checked_shl(log_rows).unwrap_or(usize::MAX)
    }

    /// The output group that a tree slot speaks for; `None` for padding.
    pub fn group_of_tree(&self, slot: usize) -> Option<usize> {
        let each = size(self.trees).checked_div(size(self.output_groups()))?;
        (slot < size(self.trees))
            .then(|| slot.checked_div(each))
            .flatten()
    }

    /// The row in a block where each view's entry stands (spec 4.1).
    pub fn input_rows(&self) -> Vec<usize> {
        let stride = size(self.stride);
        let slots = size(self.input_slots());
        if !self.pairs() {
            return (1..=self.views.len())
                .map(|ordinal| row_of(stride, ordinal, slots, 1))
                .collect();
        }
        let slots = slots.checked_div(2).unwrap_or(0);
        let mut before = None;
        let row = |view: &View| {
            let second = before.replace(view.feature) == Some(view.feature);
            row_of(stride, size(view.feature).saturating_add(1), slots, 2)
                .saturating_add(usize::from(second))
        };
        self.views.iter().map(row).collect()
    }

    /// The key of a view for an input word; `None` if the word is not allowed.
    pub fn key(&self, view: &View, word: Option<u64>) -> Option<u64> {
        let high = if self.bits == 64 {
            u64::MAX
        } else {
            u64::from(u32::MAX)
        };
        let zero = view.zero_missing && word.is_some_and(|w| ZERO_KEYS.contains(&w));
        match word {
            Some(word) if !zero => (word <= high).then_some(word),
            _ => match view.missing {
                Missing::Refuse => None,
                Missing::Low => Some(0),
                Missing::High => Some(high),
                Missing::Zero => Some(KEY_OF_ZERO),
            },
        }
    }

    /// `Ck`: coefficients in a chunk of the quotient.
    pub fn chunk(&self, log_rows: u32) -> usize {
        self.rows(log_rows).max(size(self.table)).saturating_add(16)
    }

    /// The number of chunks.
    pub fn chunks(&self, log_rows: u32) -> usize {
        let rows = self.rows(log_rows);
        let degree = match self.kind {
            Kind::Trees => rows
                .saturating_mul(size(self.limbs_per_helper(log_rows)))
                .saturating_add(12)
                .max(size(self.table).saturating_add(8)),
            Kind::Linear => rows.saturating_mul(2).saturating_add(8),
        };
        degree.saturating_add(1).div_ceil(self.chunk(log_rows))
    }

    /// Names of the fixed polynomials for `nb = 2^log_rows` (spec 4.6).
    pub fn fixed(&self, log_rows: u32) -> Vec<crate::Fixed> {
        use crate::Fixed;
        if self.kind == Kind::Linear {
            return if log_rows == 0 {
                vec![Fixed::Weights]
            } else {
                Vec::new()
            };
        }
        let mut names = Vec::new();
        if log_rows > 0 {
            names.push(Fixed::Rho);
        }
        if self.output_groups() > 1 {
            names.push(Fixed::OutputGroup);
        }
        if self.private() {
            names.extend([Fixed::Used, Fixed::Offset]);
        }
        names
    }
}

fn row_of(stride: usize, ordinal: usize, per_group: usize, width: usize) -> usize {
    let group = ordinal.checked_div(per_group).unwrap_or(0);
    let slot = ordinal.checked_rem(per_group).unwrap_or(0);
    stride
        .saturating_mul(group)
        .saturating_add(slot.saturating_mul(width))
}

/// The float32 key of 0.0.
pub const KEY_OF_ZERO: u64 = 0x8000_0000;
/// The keys from -1e-35f to 1e-35f.
pub const ZERO_KEYS: std::ops::RangeInclusive<u64> = key_of_bits(true)..=key_of_bits(false);

const fn key_of_bits(negative: bool) -> u64 {
    // 1e-35f32 is 0x0554ad2e; a negative float's key is the complement of its bits.
    const TINY: u64 = 0x0554_AD2E;
    if negative {
        0x7FFF_FFFF ^ TINY
    } else {
        0x8000_0000 | TINY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_the_zero_range() {
        let key = |x: f32| {
            let bits = x.to_bits();
            u64::from(if bits >> 31 == 1 {
                !bits
            } else {
                bits | 0x8000_0000
            })
        };
        assert_eq!(*ZERO_KEYS.start(), key(-1e-35));
        assert_eq!(*ZERO_KEYS.end(), key(1e-35));
        assert_eq!(KEY_OF_ZERO, key(0.0));
    }
}
