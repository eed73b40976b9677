//! Proving the tree relation (spec 4).

#[cfg(feature = "attack")]
pub mod attack;
mod fixed;
mod quotient;
mod session;
mod sums;
mod table;

use crate::bases::Bases;
use crate::column::blinds;
use crate::relation::{Committed, Relation, Witness};
use crate::{public, Error, Inputs};
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use assay_algebra::Fr;
use assay_circuit::{tree_witness, TreeModel};
use session::Session;
use table::Table;

/// A tree ensemble with its table's polynomials.
pub(crate) struct TreeRelation {
    pub model: TreeModel,
    pub table: Table,
}

impl Relation for TreeRelation {
    type Model = TreeModel;

    fn commit(model: &TreeModel, powers: &[G1Affine]) -> Result<Committed, Error> {
        let secret = blinds(3);
        let table = Table::new(model, &secret)?;
        let commitments: Vec<G1Projective> = table
            .polynomials
            .iter()
            .map(|p| assay_msm::msm(&powers[..p.len()], p))
            .collect();
        Ok(Committed {
            model: G1Projective::normalize_batch(&commitments),
            fixed: public::fixed(&model.shape, powers),
            blinds: secret,
        })
    }

    fn prepare(model: TreeModel, blinds: &[Fr]) -> Result<Self, Error> {
        let table = Table::new(&model, blinds)?;
        Ok(Self { model, table })
    }

    fn start<'a>(
        &'a self,
        bases: &'a Bases,
        inputs: &Inputs,
    ) -> Result<Box<dyn Witness + 'a>, Error> {
        let witness = tree_witness(&self.model, &inputs.rows)?;
        let session = Session::new(self, bases, inputs, witness)?;
        Ok(Box::new(session))
    }
}
