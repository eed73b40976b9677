//! Linear models (spec 5).

mod model;
mod witness;

pub use model::LinearModel;
pub use witness::{linear_witness, LinearWitness};
