//! The linear relation (spec 5).

mod claims;
mod constraints;

pub use constraints::*;
