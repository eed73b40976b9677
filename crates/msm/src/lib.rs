//! Multi-scalar multiplication on BN254 G1.

#![forbid(unsafe_code)]
#![warn(missing_docs, clippy::pedantic)]
#![allow(clippy::inline_always, clippy::cast_possible_truncation)]

mod accumulate;
mod base;
mod batch;
mod field;
mod plan;
mod point;
mod reduce;
mod run;
mod scalar;
mod sort;
mod table;

pub use base::{msm, FixedBase};
