//! Circuits: what a model becomes before it is committed, and what an inference becomes before it is proven.

mod error;
mod file;
mod linear;
mod trees;
mod witness;

pub use error::Error;
pub use file::CircuitFile;
pub use linear::LinearModel;

pub use trees::{position, Node, TreeModel};
pub use witness::{
    linear_columns, linear_witness, tree_witness, walk, LinearColumns, LinearWitness, TreeWitness,
    Word,
};

/// A circuit of either kind.
#[derive(Clone, Debug)]
pub enum Model {
    /// A tree ensemble.
    Trees(TreeModel),
    /// A linear model.
    Linear(LinearModel),
}

impl Model {
    /// Builds the tables of a `circuit.json` for at most `max_rows` rows a proof.
    pub fn new(file: &CircuitFile, max_rows: u32) -> Result<Self, Error> {
        match file.kind.as_str() {
            "trees" => TreeModel::new(file, max_rows).map(Self::Trees),
            "linear" => LinearModel::new(file, max_rows).map(Self::Linear),
            other => Err(Error::Kind(other.to_owned())),
        }
    }

    /// The public shape.
    pub fn shape(&self) -> &assay_verifier::Shape {
        match self {
            Self::Trees(model) => &model.shape,
            Self::Linear(model) => &model.shape,
        }
    }

    /// The highest power of τ that proofs of `rows` rows need.
    pub fn degree(&self, rows: u32) -> usize {
        let shape = self.shape();
        shape.chunk(shape.log_blocks(rows))
    }
}
