//! Which squares `[τ^(2^k)]_2` a string of a degree has.

/// The highest powers of two that any string has: 2^27 in a .ptau file of 2^28 powers.
const MAX_SQUARES: u8 = 28;

/// The exponents of the squares for a degree; a .ptau file has half as many powers in G2 as in G1.
pub(crate) fn square_places(degree: usize) -> impl Iterator<Item = usize> {
    (1..u32::from(MAX_SQUARES))
        .map(|log| 1usize << log)
        .take_while(move |place| *place <= degree / 2)
}
