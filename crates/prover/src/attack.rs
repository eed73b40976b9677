//! A prover that cheats, for the tests that show what each constraint is for. Only built with the feature `attack`.

use crate::prove::{Inputs, Prover, Relation};
use crate::trees::{sums::Values, Session};
use crate::Error;
use ark_ff::Zero;
use assay_algebra::Fr;
use assay_circuit::{tree_witness, TreeModel, TreeWitness};
use assay_verifier::Container;

/// Where the prover hides the difference that its false witness leaves in the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hide {
    /// Nowhere: constraint 10 fails.
    Nowhere,
    /// In a step of `φ` that does not follow from its row (constraint 4).
    Bus,
    /// In a helper (constraint 5).
    Helper,
    /// In the last helper at this row.
    HelperAt(usize),
    /// In a step of `φ_V` (constraint 7).
    Table,
    /// In a start of `φ` that is not zero (constraint 8).
    Start,
    /// In a start of `φ_V` that is not zero (constraint 9).
    StartOfTable,
}

/// Which entries the statement binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entries {
    /// Those of the inputs.
    Stated,
    /// Those of the false witness: the prover commits to what it uses.
    OfWitness,
}

/// A row that is neither reserved nor the last.
const ROW: usize = 2;

impl Hide {
    fn adjust(self, values: &mut Values, outputs: Fr) {
        let n = values.phi.len();
        let table: Fr = values.growth.iter().map(|(_, term)| *term).sum();
        let missing = table + outputs - values.phi[0];
        let mut raise = |from: usize| {
            for row in (from..n).chain([0]) {
                values.phi[row] += missing;
            }
        };
        match self {
            Self::Nowhere => {}
            Self::Bus => raise(ROW + 1),
            Self::Start => raise(1),
            Self::Helper => {
                raise(ROW + 1);
                values.helpers[0][ROW] += missing;
            }
            Self::HelperAt(row) => {
                raise(row + 1);
                if let Some(helper) = values.helpers.last_mut() {
                    helper[row] += missing;
                }
            }
            Self::Table => values.growth[0].1 -= missing,
            Self::StartOfTable => values.start_of_table -= missing,
        }
        debug_assert!(!missing.is_zero() || self == Self::Nowhere);
    }
}

impl Prover {
    /// A proof from a witness that `alter` made false.
    pub fn cheat(
        &self,
        inputs: &Inputs,
        alter: impl Fn(&mut TreeWitness, &TreeModel),
        hide: Hide,
        bound: Entries,
    ) -> Result<Vec<u8>, Error> {
        let Relation::Trees(relation) = &self.relation else {
            return Err(Error::Damaged("only tree models are attacked"));
        };
        let mut witness = tree_witness(&relation.model, &inputs.rows)?;
        let session = Session::new(self, relation, inputs.rows.len())?;
        let mut entries = session.entries(&witness);
        alter(&mut witness, &relation.model);
        if bound == Entries::OfWitness {
            entries = session.entries(&witness);
        }
        let (words, body) =
            session.finish(self, inputs, &witness, &entries, |values, outputs| {
                hide.adjust(values, outputs);
            })?;
        let shape = &self.verifying.shape;
        let container = Container {
            digest: self.verifying.digest(),
            inputs: shape.inputs,
            srs: shape.srs,
            features: shape.features,
            outputs: shape.outputs,
            scale_bits: shape.scale_bits,
            rows: u32::try_from(inputs.rows.len()).unwrap_or(u32::MAX),
            words,
            body,
        };
        Ok(container.to_bytes())
    }
}
