//! Which shapes the protocol defines (spec 4.1 and 5).

use super::{Inputs, Kind, Missing, Shape};
use crate::Error;

const MAX_DOMAIN: u64 = 1 << 26;

/// Whether features, outputs and scale are within the limits of spec 7, which hold for keys and proofs alike.
/// What is beyond them is named.
pub(crate) fn beyond_limits(features: u32, outputs: u32, scale_bits: u32) -> Option<&'static str> {
    [
        ((1..=1 << 16).contains(&features), "features"),
        ((1..=1 << 12).contains(&outputs), "outputs"),
        (scale_bits <= 1 << 10, "scale"),
    ]
    .into_iter()
    .find_map(|(holds, what)| (!holds).then_some(what))
}

impl Shape {
    /// Refuses every shape that the protocol does not define.
    pub fn check(&self) -> Result<(), Error> {
        let need = |holds: bool, what: &'static str| {
            if holds {
                Ok(())
            } else {
                Err(Error::Shape(what))
            }
        };
        if let Some(what) = beyond_limits(self.features, self.outputs, self.scale_bits) {
            return Err(Error::Shape(what));
        }
        need(
            self.stride.is_power_of_two() && self.stride <= 1 << 20,
            "stride",
        )?;
        need(self.log_max_rows <= 20, "maximum of rows")?;
        need(self.lane >= 2, "lane")?;
        let rows = u64::from(self.stride)
            .checked_mul(u64::from(self.segments()))
            .and_then(|block| block.checked_shl(self.log_max_rows));
        need(
            rows.is_some_and(|n| (16..=MAX_DOMAIN).contains(&n)) && self.block() >= 16,
            "rows",
        )?;
        match self.kind {
            Kind::Trees => self.check_trees(need),
            Kind::Linear => self.check_linear(need),
        }
    }

    fn check_trees(
        &self,
        need: impl Fn(bool, &'static str) -> Result<(), Error>,
    ) -> Result<(), Error> {
        need(self.bits == 32 || self.bits == 64, "bits")?;
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
        self.check_views(&need)?;
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

    fn check_linear(
        &self,
        need: impl Fn(bool, &'static str) -> Result<(), Error>,
    ) -> Result<(), Error> {
        need(self.bits == 64 && self.views.is_empty(), "views")?;
        need(self.lane <= 248, "lane")?;
        // The verifier computes a Lagrange value for each input of each segment.
        need(
            u64::from(self.features) * u64::from(self.output_groups()) <= 1 << 18,
            "features times outputs",
        )?;
        let absent = [self.trees, self.depth, self.table, self.ratio, self.limbs];
        need(
            absent.iter().all(|field| *field == 0),
            "fields of another kind",
        )?;
        need(
            self.features
                .checked_add(2)
                .is_some_and(|s| s <= self.stride),
            "stride",
        )?;
        need(
            self.groups == self.output_groups().next_power_of_two(),
            "groups",
        )?;
        need(
            self.inputs == Inputs::Public,
            "private inputs of a linear model",
        )
    }

    /// Views are in use, come by feature, and none stands twice. With private inputs a feature has one view, or a
    /// low and a high one that the pair constraints tie: nothing else would tie two views of a hidden value.
    fn check_views(
        &self,
        need: impl Fn(bool, &'static str) -> Result<(), Error>,
    ) -> Result<(), Error> {
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
