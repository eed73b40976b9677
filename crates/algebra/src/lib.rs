//! Roots of unity, dense polynomials and the transcript: what prover and verifier share.

mod field;
mod polynomial;
mod transcript;

pub use field::{inverses, root_of_unity, signed, word, Fr, WORD};
pub use polynomial::{
    add_scaled, coset_evaluate, coset_interpolate, divide_by_linear, evaluate, interpolate, shift,
};
pub use transcript::{keccak256, Transcript};
