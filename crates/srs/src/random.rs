//! Secret randomness, from the operating system only.

use ark_ff::PrimeField;
use assay_algebra::Fr;
use zeroize::Zeroize;

/// A uniform scalar: 512 random bits modulo `r`, so that the bias is below `2^-250`.
///
/// # Panics
/// If the operating system has no randomness; no proof could be made safely then.
pub fn random_scalar() -> Fr {
    let mut bytes = [0u8; 64];
    getrandom::fill(&mut bytes).expect("the operating system gives randomness");
    let scalar = Fr::from_le_bytes_mod_order(&bytes);
    bytes.zeroize();
    scalar
}
