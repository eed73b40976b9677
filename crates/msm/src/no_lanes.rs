//! Where the processor has no lanes.

use crate::point::Point;

/// Nothing.
#[derive(Default)]
pub(crate) struct Lanes;

impl Lanes {
    #[expect(
        clippy::unused_self,
        reason = "that of processors with lanes has buffers"
    )]
    pub(crate) fn add_distinct(&mut self, _: &mut [Point], _: &[(u32, u32)]) -> Option<bool> {
        None
    }
}
