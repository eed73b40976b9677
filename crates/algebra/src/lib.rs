//! Roots of unity, dense polynomials and the transcript: what prover and verifier share.

mod fft;
mod field;
#[cfg(target_arch = "x86_64")]
pub mod lanes;
mod limbs;
mod polynomial;
mod transcript;

pub use fft::Coset;
pub use field::{inverses, root_of_unity, signed, word, Fr, WORD};
pub use limbs::Fe;
pub use polynomial::{
    add_scaled, coset_evaluate, coset_interpolate, divide_by_binomial, divide_by_linear, evaluate,
    interpolate, shift,
};
pub use transcript::{keccak256, Transcript};
