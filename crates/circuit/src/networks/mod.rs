//! Networks: rows of one machine (`docs/spec/networks-circuit.md`).

// Sizes are below 2^24 and segments' numbers below 2^52 (`Network::check`); low parts and limbs are masked.
#![allow(clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod evaluate;
mod features;
mod file;
mod fixed;
mod model;
mod network;
mod order;
mod wiring;
mod witness;

pub use evaluate::{Block, Evaluator};
pub use file::NetworkFile;
pub use fixed::{Address, Wiring};
pub use model::NetworkModel;
pub use network::{Cells, Network, Table, Weights, FIRST_SLOT};
pub use witness::{network_witness, NetworkWitness};
