//! One linear proof as it comes into being (spec 5).

use super::LinearRelation;
use crate::bases::Bases;
use crate::column::blinds;
use crate::relation::Witness;
use crate::{Error, Inputs};
use ark_bn254::G1Projective;
use ark_ff::{batch_inversion, One, Zero};
use assay_algebra::{coset_evaluate, interpolate, Fr};
use assay_circuit::{linear_witness, LinearWitness};
use assay_verifier::linear::{self, names};
use assay_verifier::relation::Name;
use assay_verifier::{Shape, Statement};
use std::borrow::Cow;

/// One proof.
pub(super) struct Session<'a> {
    relation: &'a LinearRelation,
    bases: &'a Bases,
    witness: LinearWitness,
    /// The coefficients of `φ`.
    phi: Option<Vec<Fr>>,
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
            phi: None,
        })
    }

    fn shape(&self) -> &Shape {
        &self.relation.model.shape
    }

    /// The coefficients of `x̂`: the combined inputs of every group's segment, backwards.
    fn inputs(&self, alpha: Fr, beta: Fr) -> Vec<Fr> {
        let shape = self.shape();
        let combined = linear::combine(alpha, &self.witness.inputs);
        let mut rows = vec![Fr::zero(); shape.block()];
        let mut weight = Fr::one();
        let segments = rows.chunks_mut(shape.stride as usize);
        for segment in segments.take(shape.output_groups() as usize) {
            for (to, value) in segment.iter_mut().zip(&combined) {
                *to = weight * value;
            }
            weight *= beta;
        }
        rows.reverse();
        rows
    }

    /// `φ` with `φ(X) + θ φ(θX) = w(X) x̂(X) - Ō X^(S-1)`: coefficient by coefficient. Nothing says what the
    /// coefficients of `X^(S-1)` and `X^(3S-1)` are, so they blind.
    fn sum(&self, alpha: Fr, beta: Fr) -> Result<Vec<Fr>, Error> {
        let size = self.shape().block();
        let both = [&self.relation.weights, &self.inputs(alpha, beta)];
        let [mut weights, inputs] = both.map(|f| coset_evaluate(f, 2 * size, Fr::one()));
        for (value, input) in weights.iter_mut().zip(inputs) {
            *value *= input;
        }
        let mut phi = interpolate(&weights);
        let theta = linear::shift(self.shape())?;
        let mut power = Fr::one();
        let mut over: Vec<Fr> = (0..2 * size)
            .map(|_| {
                power *= theta;
                Fr::one() + power
            })
            .collect();
        // 1 + θ^S is zero, and stays.
        batch_inversion(&mut over);
        for (coefficient, inverse) in phi.iter_mut().zip(over) {
            *coefficient *= inverse;
        }
        let secret = blinds(2);
        phi.resize(3 * size, Fr::zero());
        phi[size - 1] = secret[0];
        phi[3 * size - 1] = secret[1];
        Ok(phi)
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
        let [alpha, beta] = *challenges else {
            return Ok(Vec::new());
        };
        let phi = self.sum(alpha, beta)?;
        let powers = self.bases.powers(self.shape().chunk(0))?;
        Ok(vec![powers.msm(self.phi.insert(phi))])
    }

    fn quotient(&self, _challenges: &[Fr]) -> Result<Vec<Fr>, Error> {
        Ok(Vec::new())
    }

    fn polynomial(&self, name: Name) -> Result<Cow<'_, [Fr]>, Error> {
        match name {
            names::WEIGHTS => Ok(Cow::Borrowed(&self.relation.weights)),
            names::PHI => Ok(Cow::Borrowed(self.phi.as_ref().ok_or(ORDER)?)),
            _ => Err(ORDER),
        }
    }
}
