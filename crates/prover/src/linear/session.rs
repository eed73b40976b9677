//! One linear proof as it comes into being (spec 5).

use super::LinearRelation;
use crate::bases::Bases;
use crate::column::{Column, TWICE};
use crate::quotient::Cosets;
use crate::relation::Witness;
use crate::{Error, Inputs};
use ark_bn254::G1Projective;
use ark_ff::{batch_inversion, Field, One};
use assay_algebra::{interpolate, root_of_unity, Fr};
use assay_circuit::{linear_columns, linear_witness, LinearWitness};
use assay_verifier::linear::{self, names};
use assay_verifier::relation::Name;
use assay_verifier::{Shape, Statement};
use std::borrow::Cow;

/// One proof.
pub(super) struct Session<'a> {
    relation: &'a LinearRelation,
    bases: &'a Bases,
    witness: LinearWitness,
    columns: Option<Columns>,
}

struct Columns {
    phi: Column,
    /// Coefficients of the combined inputs' column.
    x: Vec<Fr>,
    /// `OPI`.
    outputs: Vec<Fr>,
}

/// A round was asked for before the one that it follows.
const ORDER: Error = Error::Damaged("rounds");

impl<'a> Session<'a> {
    pub fn new(
        relation: &'a LinearRelation,
        bases: &'a Bases,
        inputs: &Inputs,
    ) -> Result<Self, Error> {
        Ok(Self {
            relation,
            bases,
            witness: linear_witness(&relation.model, &inputs.rows)?,
            columns: None,
        })
    }

    fn shape(&self) -> &Shape {
        &self.relation.model.shape
    }

    fn commit(&self, alpha: Fr) -> Result<Columns, Error> {
        let shape = self.shape();
        let lagrange = self.bases.lagrange(shape.log_block())?;
        let inputs = linear::combine(alpha, &self.witness.inputs);
        let rows = linear_columns(&self.relation.model, &inputs);
        let outputs = output_rows(shape, &linear::combine(alpha, &self.witness.outputs));
        Ok(Columns {
            phi: Column::new(&rows.phi, TWICE, &lagrange),
            x: interpolate(&rows.x),
            outputs: interpolate(&outputs),
        })
    }
}

impl Witness for Session<'_> {
    fn outputs(&self) -> &[Vec<Fr>] {
        &self.witness.outputs
    }

    fn round(
        &mut self,
        _statement: &Statement,
        challenges: &[Fr],
    ) -> Result<Vec<G1Projective>, Error> {
        let [alpha, _beta] = *challenges else {
            return Ok(Vec::new());
        };
        let columns = self.commit(alpha)?;
        Ok(vec![self.columns.insert(columns).phi.commitment])
    }

    fn quotient(&self, challenges: &[Fr]) -> Result<Vec<Fr>, Error> {
        let [_, _, y] = *challenges else {
            return Err(ORDER);
        };
        Ok(self.quotient_of(self.columns.as_ref().ok_or(ORDER)?, y))
    }

    fn polynomial(&self, name: Name) -> Result<Cow<'_, [Fr]>, Error> {
        match name {
            names::WEIGHTS => Ok(Cow::Borrowed(&self.relation.weights)),
            names::PHI => {
                let columns = self.columns.as_ref().ok_or(ORDER)?;
                Ok(Cow::Borrowed(&columns.phi.coefficients))
            }
            _ => Err(ORDER),
        }
    }
}

/// The combined outputs on the last row of each segment.
fn output_rows(shape: &Shape, outputs: &[Fr]) -> Vec<Fr> {
    let stride = shape.stride as usize;
    let mut rows = vec![Fr::from(0u64); shape.block()];
    for (group, output) in outputs.iter().enumerate() {
        rows[(group + 1) * stride - 1] = *output;
    }
    rows
}

impl Session<'_> {
    /// `Σ y^i C_i / Z_n`.
    fn quotient_of(&self, columns: &Columns, y: Fr) -> Vec<Fr> {
        // Constraints have degree three.
        let cosets = Cosets::new(self.shape().log_block(), 2);
        cosets.divide(|coset| {
            let phi = coset.evaluate_shifted(&columns.phi.coefficients);
            let (x, w) = (
                coset.evaluate(&columns.x),
                coset.evaluate(&self.relation.weights),
            );
            let outputs = coset.evaluate(&columns.outputs);
            let slots = self.slots(&coset.powers(self.shape().groups as usize));
            coset.map(|i, _| {
                let row = linear::Row {
                    slots: slots[i % slots.len()],
                    x: x[i],
                    next_phi: phi.next(i),
                    public_outputs: outputs[i],
                };
                let sum = linear::constraints(y, &row);
                sum.constant + sum.phi * phi.here[i] + sum.weights * w[i]
            })
        })
    }

    /// The slot selectors from values of `X^(n/st)`: `L_j = θ^j (u^st - 1)/(st (u - θ^j))`.
    fn slots(&self, us: &[Fr]) -> Vec<linear::Slots> {
        let stride = u64::from(self.shape().stride);
        let theta = root_of_unity(stride.trailing_zeros()).unwrap_or_default();
        let last = theta.pow([stride - 1]);
        let size = Fr::from(stride);
        let mut over: Vec<Fr> = us
            .iter()
            .flat_map(|u| [size * (*u - Fr::one()), size * (*u - last)])
            .collect();
        batch_inversion(&mut over);
        us.iter()
            .zip(over.chunks(2))
            .map(|(u, over)| {
                let vanishing = u.pow([stride]) - Fr::one();
                linear::Slots {
                    start: vanishing * over[0],
                    last: vanishing * last * over[1],
                }
            })
            .collect()
    }
}
