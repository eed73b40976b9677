//! The verifier of Assay proofs. The protocol is `docs/spec/protocol.md`; section numbers in the comments are its.
//!
//! Everything here reads bytes from strangers: nothing panics, indexes or casts.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::as_conversions
    )
)]

#[cfg(feature = "attack")]
pub mod attack;
#[cfg(not(feature = "attack"))]
mod attack;
mod bytes;
mod error;
mod itself;
mod key;
mod lagrange;
pub mod linear;
pub mod networks;
mod opening;
mod proof;
mod registry;
pub mod relation;
mod shape;
pub mod trees;
mod verify;
mod words;

pub use bytes::{point2_bytes, point_bytes, point_from_bytes, Reader};
pub use error::Error;
pub use itself::{check_itself, commitment, Drawn};
pub use key::{VerifyingKey, KEY_MAGIC};
pub use lagrange::{block_sum, Lagrange};
pub use opening::{Inverses, Point, PointSet, Roots};
pub use proof::{Container, ProofLayout, PROOF_MAGIC};
pub use registry::Kind;
pub use shape::{Inputs, Missing, Network, Shape, Srs, View};
pub use verify::{verify, verify_body};
pub use words::{Statement, MAX_ROWS};
