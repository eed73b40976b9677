//! A prover that cheats, for the tests that show what each constraint is for. Only built with the feature `attack`.

use super::session::{entries, Session};
use super::sums::{Layout, Stated, Values};
use super::TreeRelation;
use crate::{Error, Inputs, Prover};
use ark_ff::{Field, Zero};
use assay_algebra::Fr;
use assay_circuit::{tree_witness, TreeModel, TreeWitness};
use assay_verifier::Shape;
use std::any::Any;

/// Where the prover hides the difference that its false witness leaves in the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hide {
    /// Nowhere: constraint 11 fails.
    Nowhere,
    /// In a step of `φ` that does not follow from its row (constraint 4).
    Bus,
    /// In a helper (constraint 5).
    Helper,
    /// In the last helper at this row.
    HelperAt(usize),
    /// In a step of `φ_V` (constraint 8).
    Table,
    /// In a start of `φ` that is not zero (constraint 9).
    Start,
    /// In a start of `φ_V` that is not zero (constraint 10).
    StartOfTable,
    /// In a step of `a` that does not follow from its row (the accumulator's constraint).
    Accumulator,
    /// In a start of `a` that is not zero (constraint 12).
    StartOfInputs,
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
    fn adjust(self, values: &mut Values, stated: &Stated, shape: &Shape) {
        match self {
            Self::Accumulator => values.a[0] = stated.inputs,
            Self::StartOfInputs => start_elsewhere(&mut values.a, stated, shape),
            _ => self.adjust_bus(values, stated.outputs),
        }
    }

    fn adjust_bus(self, values: &mut Values, outputs: Fr) {
        let n = values.phi.len();
        let table: Fr = values.growth.iter().map(|(_, term)| *term).sum();
        let missing = table + outputs - values.phi[0];
        let mut raise = |from: usize| {
            for row in (from..n).chain([0]) {
                values.phi[row] += missing;
            }
        };
        match self {
            Self::Nowhere | Self::Accumulator | Self::StartOfInputs => {}
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

/// Every step of `a` as its row says, from the start that ends at the stated sum.
fn start_elsewhere(a: &mut [Fr], stated: &Stated, shape: &Shape) {
    let layout = Layout::new(shape);
    let slots = (1..a.len()).filter(|row| layout.is_input(*row)).count();
    let all = stated.alpha.pow([slots as u64]);
    let mut added = (stated.inputs - a[0]) * all.inverse().unwrap_or_default();
    for (row, value) in a.iter_mut().enumerate().skip(1) {
        *value += added;
        if layout.is_input(row) {
            added *= stated.alpha;
        }
    }
    a[0] += added;
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
        let relation: &dyn Any = self.relation.as_ref();
        let Some(relation) = relation.downcast_ref::<TreeRelation>() else {
            return Err(Error::Damaged("only tree models are attacked"));
        };
        let shape = &relation.model.shape;
        let mut witness = tree_witness(&relation.model, &inputs.rows)?;
        let mut bound_entries = entries(shape, &witness);
        alter(&mut witness, &relation.model);
        if bound == Entries::OfWitness {
            bound_entries = entries(shape, &witness);
        }
        let mut session =
            Session::with_entries(relation, &self.bases, inputs, witness, bound_entries)?;
        session.adjust = Box::new(move |values, stated| hide.adjust(values, stated, shape));
        self.finish(inputs, &mut session)
    }
}
