//! Proving the tree relation (spec 4).

#[cfg(feature = "attack")]
pub mod attack;
mod quotient;
mod session;
mod sums;
mod table;

pub(crate) use session::prove;
pub(crate) use table::{public_column, Table};
