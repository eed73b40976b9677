//! Which shapes of linear models the protocol defines (spec 5).

use crate::shape::need;
use crate::{Error, Inputs, Shape};

impl Shape {
    pub(super) fn check_linear(&self) -> Result<(), Error> {
        need(self.bits == 64 && self.views.is_empty(), "views")?;
        need(self.lane <= 248, "lane")?;
        // The verifier computes a Lagrange value for each input of each segment.
        need(
            u64::from(self.features) * u64::from(self.output_groups()) <= 1 << 18,
            "features times outputs",
        )?;
        let absent = [self.trees, self.depth, self.table, self.ratio, self.limbs];
        need(
            absent.iter().all(|field| *field == 0) && self.network.is_none(),
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
}
