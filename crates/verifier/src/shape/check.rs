//! Which shapes the protocol defines (spec 4.1 and 5).

use super::Shape;
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
            .checked_mul(u64::from(self.groups))
            .and_then(|block| block.checked_shl(self.log_max_rows));
        need(
            rows.is_some_and(|n| (16..=MAX_DOMAIN).contains(&n)) && self.block() >= 16,
            "rows",
        )?;
        self.kind.relation().check(self)
    }
}

/// Refuses a shape by the name of what is wrong with it.
pub(crate) fn need(holds: bool, what: &'static str) -> Result<(), Error> {
    if holds {
        Ok(())
    } else {
        Err(Error::Shape(what))
    }
}
