//! Circuits: what a model becomes before it is committed, and what an inference becomes before it is proven.
//!
//! A folder a relation: from [`CircuitFile`] to its tables ([`Model`]), from rows of [`Word`]s to its columns.

mod error;
mod file;
mod linear;
mod networks;
mod rows;
mod trees;

pub use error::Error;
pub use file::CircuitFile;
pub use linear::{linear_witness, LinearModel, LinearWitness};
pub use networks::{
    network_witness, Address, Block, Cells, Evaluator, Network, NetworkFile, NetworkModel,
    NetworkWitness, Table, Weights, Wiring, FIRST_SLOT,
};
pub use rows::Word;
pub use trees::{position, tree_witness, walk, Node, TreeModel, TreeWitness};

/// The tables of one relation's circuit.
pub trait Model: Sized {
    /// Builds the tables of a `circuit.json` for at most `max_rows` rows a proof.
    fn new(file: &CircuitFile, max_rows: u32) -> Result<Self, Error>;

    /// The public shape.
    fn shape(&self) -> &assay_verifier::Shape;

    /// The same with its hidden matrix committed in so many parts; a model without one stays as it is.
    fn in_parts(self, _parts: u32) -> Result<Self, Error> {
        Ok(self)
    }
}
