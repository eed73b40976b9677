//! The tree relation (spec 4).

mod claims;
mod constraints;

pub use constraints::*;
