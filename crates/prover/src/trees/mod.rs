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
use crate::{Error, Inputs};
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use assay_algebra::{interpolate, Fr};
use assay_circuit::{tree_witness, TreeModel};
use assay_verifier::VerifyingKey;
use session::Session;
use table::{public_column, Table};

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
            fixed: fixed::commitments(&model.shape, powers),
            blinds: secret,
        })
    }

    fn prepare(model: TreeModel, blinds: &[Fr]) -> Result<Self, Error> {
        let table = Table::new(&model, blinds)?;
        Ok(Self { model, table })
    }

    /// `Pub`, `ρ`, `Γ`, `E`, `Ψ`: with them as they should be, a key fixes one function.
    fn check(key: &VerifyingKey, powers: &[G1Affine]) -> Result<(), Error> {
        let public = interpolate(&public_column(&key.shape));
        let expected = assay_msm::msm(&powers[..public.len()], &public).into_affine();
        if key.table.first() != Some(&expected) {
            return Err(Error::Forged(
                "its table's positions are not the protocol's",
            ));
        }
        if key.fixed != fixed::commitments(&key.shape, powers) {
            return Err(Error::Forged("a fixed polynomial is not the protocol's"));
        }
        Ok(())
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
