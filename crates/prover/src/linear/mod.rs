//! Proving the linear relation (spec 5).

mod session;

use crate::bases::Bases;
use crate::column::blinds;
use crate::relation::{Committed, Relation, Witness};
use crate::{Error, Inputs};
use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use ark_ff::Zero;
use assay_algebra::Fr;
use assay_circuit::LinearModel;
use session::Session;

/// A linear model with its weights' polynomial.
pub(crate) struct LinearRelation {
    pub model: LinearModel,
    /// The coefficients of the blinded weights.
    pub weights: Vec<Fr>,
}

impl Relation for LinearRelation {
    type Model = LinearModel;

    fn commit(model: &LinearModel, powers: &[G1Affine]) -> Result<Committed, Error> {
        let secret = blinds(1);
        let weights = weights(model, &secret);
        let commitment = assay_msm::msm(&powers[..weights.len()], &weights);
        let mut fixed = vec![Vec::new(); model.shape.log_max_rows as usize + 1];
        fixed[0].push(commitment.into_affine());
        Ok(Committed {
            model: Vec::new(),
            fixed,
            blinds: secret,
        })
    }

    fn prepare(model: LinearModel, blinds: &[Fr]) -> Result<Self, Error> {
        Ok(Self {
            weights: weights(&model, blinds),
            model,
        })
    }

    fn start<'a>(
        &'a self,
        bases: &'a Bases,
        inputs: &Inputs,
    ) -> Result<Box<dyn Witness + 'a>, Error> {
        Ok(Box::new(Session::new(self, bases, inputs)?))
    }
}

/// The packed weights as coefficients, and behind them the blinding.
fn weights(model: &LinearModel, blinds: &[Fr]) -> Vec<Fr> {
    let mut coefficients = vec![Fr::zero(); model.shape.block()];
    for (group, weights) in model.weights.iter().enumerate() {
        let start = group * model.shape.stride as usize;
        coefficients[start..start + weights.len()].copy_from_slice(weights);
    }
    coefficients.extend(blinds);
    coefficients
}
