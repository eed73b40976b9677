//! Tree ensembles (spec 4).

mod model;
mod plan;
mod position;

pub use model::{Node, TreeModel};
pub use position::position;
