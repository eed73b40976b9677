//! Tree ensembles (spec 4).

mod model;
mod plan;
mod position;
mod witness;

pub use model::{Node, TreeModel};
pub use position::position;
pub use witness::{tree_witness, walk, TreeWitness};
