//! Linear models (spec 5).

mod model;

pub use model::LinearModel;
