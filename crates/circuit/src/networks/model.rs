//! A network as the relation proves it (`docs/spec/networks.md`, section 1).

use super::evaluate::Evaluator;
use super::network::Network;
use crate::{CircuitFile, Error, Model};
use assay_verifier::{Inputs, Kind, Shape, Srs};

/// A part of the matrix that is so many times as long as everything else of a proof is divided: a part more is a
/// multiplication more for the verifier (6,300 gas), half the length saves the prover more than all other columns take.
const LONGEST_PART: usize = 4;
/// No more parts than a contract holds points of.
const MOST_PARTS: usize = 128;

/// Rows of the table are at least so many.
const LEAST_TABLE: usize = 32;

/// A network and its shape.
#[derive(Clone, Debug)]
pub struct NetworkModel {
    /// Its rows, in order.
    pub evaluator: Evaluator,
    /// The public shape.
    pub shape: Shape,
}

impl Model for NetworkModel {
    fn new(file: &CircuitFile, max_rows: u32) -> Result<Self, Error> {
        if file.base.iter().any(|base| base.0 != 0) {
            return Err(Error::Inconsistent("a network has a base".into()));
        }
        let evaluator = Evaluator::new(file)?;
        let shape = shape(file, evaluator.network(), max_rows)?;
        shape
            .check()
            .map_err(|e| Error::Inconsistent(e.to_string()))?;
        Ok(Self { evaluator, shape })
    }

    fn shape(&self) -> &Shape {
        &self.shape
    }

    fn in_parts(mut self, parts: u32) -> Result<Self, Error> {
        if let Some(network) = &mut self.shape.network {
            network.parts = parts;
        }
        self.shape
            .check()
            .map_err(|e| Error::Inconsistent(e.to_string()))?;
        Ok(self)
    }
}

impl NetworkModel {
    /// The network.
    pub fn network(&self) -> &Network {
        self.evaluator.network()
    }
}

/// How many parts a matrix has where nobody says another number (networks.md 2.3).
fn parts(network: &Network, table: usize) -> usize {
    let longest = LONGEST_PART * network.rows.max(table);
    let needed = (network.slots * network.columns).div_ceil(longest);
    let most = MOST_PARTS.min(network.columns / 2);
    needed.next_power_of_two().min(most)
}

fn shape(file: &CircuitFile, network: &Network, max_rows: u32) -> Result<Shape, Error> {
    let count = |value: usize, what| u32::try_from(value).map_err(|_| Error::TooLarge(what));
    let cells = &network.cells;
    let cell = cells.a.iter().chain(&cells.b).any(|address| *address < 0);
    let segments: usize = network.tables.iter().map(|table| table.slope.len()).sum();
    let rows = 1 + (1 << network.limb_bits) + (1 << network.low_bits) + segments;
    let table = rows.max(network.slots).max(LEAST_TABLE).next_power_of_two();
    Ok(Shape {
        kind: Kind::Networks,
        inputs: if file.private()? {
            Inputs::Private
        } else {
            Inputs::Public
        },
        srs: Srs::Development,
        bits: network.limb_bits as u8,
        features: count(file.features.len(), "features")?,
        outputs: count(file.outputs.len(), "outputs")?,
        scale_bits: file.scale_bits,
        lane: network.output_bits.max(1) + 1,
        trees: 0,
        depth: 0,
        stride: count(network.rows, "rows")?,
        groups: 1,
        table: count(table, "tables")?,
        ratio: 0,
        limbs: network.limbs,
        log_max_rows: max_rows.max(1).next_power_of_two().trailing_zeros(),
        views: Vec::new(),
        network: Some(assay_verifier::Network {
            low_bits: network.low_bits as u8,
            max: cells.max.contains(&1),
            cell,
            q_shift: if cell { network.q_shift as u8 } else { 0 },
            cell_base: if cell {
                network.tables[network.q_table].base
            } else {
                0
            },
            slots: count(network.slots, "slots")?,
            columns: count(network.columns, "columns")?,
            parts: count(parts(network, table), "parts")?,
        }),
    })
}
