//! What follows from the shape of a tree circuit (spec 4.1), and which such shapes the protocol defines.

use crate::shape::{need, size};
use crate::{Error, Missing, Shape, View};
use ark_ff::Field;
use assay_algebra::Fr;

impl Shape {
    /// Whether the input rows come in pairs (spec 4.1).
    pub fn pairs(&self) -> bool {
        self.private()
            && self
                .views
                .iter()
                .any(|v| v.missing == Missing::High || v.missing == Missing::Low)
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
        !self.private() && log_rows > 0
    }

    /// How many columns of `H` may share a commitment (spec 4.3): of one block, as many as the table is longer than the
    /// block. `W` and `W'` have as many coefficients as the longest pack, which beyond the table's length costs more time
    /// than the points save gas.
    pub fn pack_width(&self, log_rows: u32) -> usize {
        let blocks = size(self.table).checked_div(self.block());
        blocks.filter(|_| log_rows == 0).unwrap_or(1).max(1)
    }

    /// Whether the columns of `H` share commitments.
    pub fn packs(&self, log_rows: u32) -> bool {
        self.pack_width(log_rows) > 1
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
}

impl Shape {
    pub(super) fn check_trees(&self) -> Result<(), Error> {
        need(self.bits == 32 || self.bits == 64, "bits")?;
        need(self.network.is_none(), "fields of another kind")?;
        need(
            self.groups.is_power_of_two() && self.trees >= 1 && self.trees <= self.groups,
            "trees",
        )?;
        need(
            self.lane <= 128 && u64::from(self.lane) * u64::from(self.outputs.min(4)) <= 250,
            "lane",
        )?;
        need(
            self.depth >= 1 && self.depth.checked_add(2).is_some_and(|d| d <= self.stride),
            "depth",
        )?;
        need(matches!(self.ratio, 2 | 4 | 8), "ratio")?;
        need(
            self.table.is_power_of_two() && (32..=1 << 24).contains(&self.table),
            "table",
        )?;
        need((1..=9).contains(&self.limbs), "limbs")?;
        need(
            self.table
                .checked_div(self.ratio)
                .is_some_and(|ranges| self.groups <= self.table.saturating_sub(ranges)),
            "roots",
        )?;
        need(
            self.limb_product()
                .is_some_and(|bound| bound >= 1 << self.bits),
            "limbs",
        )?;
        need(
            self.trees.checked_rem(self.output_groups()) == Some(0),
            "trees of output groups",
        )?;
        self.check_views()?;
        let capacity = if self.pairs() {
            need(self.input_slots().is_multiple_of(2), "pairs")?;
            (self.features, self.input_slots() / 2)
        } else {
            (
                u32::try_from(self.views.len()).unwrap_or(u32::MAX),
                self.input_slots(),
            )
        };
        let slots = u64::from(self.groups).saturating_mul(u64::from(capacity.1));
        need(u64::from(capacity.0) < slots, "input rows")
    }

    /// Views are in use, come by feature, and none stands twice. With private inputs a feature has one view, or a
    /// low and a high one that the pair constraints tie: nothing else would tie two views of a hidden value.
    fn check_views(&self) -> Result<(), Error> {
        need(
            !self.views.is_empty() && self.views.iter().all(|v| v.feature < self.features),
            "views",
        )?;
        need(self.views.is_sorted_by_key(|v| v.feature), "order of views")?;
        let mut rest = self.views.as_slice();
        let mut seen = 0u32;
        while let Some(first) = rest.first() {
            let (same, later) = rest
                .split_at_checked(
                    rest.iter()
                        .take_while(|v| v.feature == first.feature)
                        .count(),
                )
                .ok_or(Error::Shape("views"))?;
            seen = seen.saturating_add(1);
            // Four rules, with and without zeros: more views than eight repeat one.
            need(
                same.len() <= 8
                    && same
                        .iter()
                        .enumerate()
                        .all(|(i, v)| !same.iter().take(i).any(|w| w == v)),
                "views",
            )?;
            if self.private() {
                need(
                    same.iter().all(|v| !v.zero_missing),
                    "zeros of private inputs",
                )?;
                let rules: Vec<Missing> = same.iter().map(|v| v.missing).collect();
                need(
                    same.len() == 1 || rules == [Missing::Low, Missing::High],
                    "views of private inputs",
                )?;
            }
            rest = later;
        }
        need(
            !self.pairs() || seen == self.features,
            "views of private inputs",
        )
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
