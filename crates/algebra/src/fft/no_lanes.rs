//! Where the processor has no lanes: nothing is done.

use super::{Coset, Limbs};

pub(super) fn forward(_: &Coset, _: &mut [Limbs], _: u32, _: usize) -> bool {
    false
}

pub(super) fn backward(_: &mut [Limbs], _: usize, _: &[Limbs]) -> bool {
    false
}

pub(super) fn split(_: &mut [Limbs], _: &mut [Limbs], _: &Limbs) -> bool {
    false
}

pub(super) fn merge(_: &mut [Limbs], _: &mut [Limbs], _: &Limbs) -> bool {
    false
}

pub(super) fn multiply(_: &mut [Limbs], _: &Limbs) -> bool {
    false
}
