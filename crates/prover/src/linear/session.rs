//! Proving the linear relation (spec 5).

use crate::column::{Column, TWICE};
use crate::opening::{open, Opened, Points};
use crate::prove::{Inputs, LinearRelation, Prover};
use crate::quotient::{blind_chunks, Cosets};
use crate::Error;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{batch_inversion, Field, One};
use assay_algebra::{add_scaled, evaluate, interpolate, root_of_unity, word, Fr, Transcript, WORD};
use assay_circuit::{linear_columns, linear_witness};
use assay_msm::FixedBase;
use assay_verifier::{linear, point_bytes, PointSet, Shape};
use rayon::prelude::*;
use std::borrow::Cow;

struct Session<'a> {
    shape: &'a Shape,
    powers: &'a FixedBase,
    /// `w` with its blinding.
    weights: &'a [Fr],
}

struct Columns {
    phi: Column,
    /// Coefficients of the combined inputs' column.
    x: Vec<Fr>,
    /// `OPI`.
    outputs: Vec<Fr>,
}

pub(crate) fn prove(
    prover: &Prover,
    relation: &LinearRelation,
    inputs: &Inputs,
) -> Result<(Vec<[u8; WORD]>, Vec<u8>), Error> {
    let shape = &relation.model.shape;
    let witness = linear_witness(&relation.model, &inputs.rows)?;
    let words = prover.words(inputs, None, &witness.outputs);
    let mut transcript = prover.transcript(inputs.rows.len(), &words);
    transcript.absorb(&[]);
    let (alpha, _beta) = (transcript.challenge(), transcript.challenge());

    let powers = prover.bases.powers(shape.chunk(0))?;
    let lagrange = prover.bases.lagrange(shape.log_block())?;
    let rows = linear_columns(&relation.model, &linear::combine(alpha, &witness.inputs));
    let outputs = output_rows(shape, &linear::combine(alpha, &witness.outputs));
    let columns = Columns {
        phi: Column::new(&rows.phi, TWICE, &lagrange),
        x: interpolate(&rows.x),
        outputs: interpolate(&outputs),
    };
    let session = Session {
        shape,
        powers: &powers,
        weights: &relation.weights,
    };
    let body = session.body(&columns, &mut transcript)?;
    Ok((words, body))
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
    fn body(&self, columns: &Columns, transcript: &mut Transcript) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let mut send = |points: &[G1Projective], transcript: &mut Transcript| {
            let points: Vec<G1Affine> = G1Projective::normalize_batch(points);
            let bytes: Vec<u8> = points.iter().flat_map(point_bytes).collect();
            transcript.absorb(&bytes);
            body.extend(bytes);
        };
        send(&[columns.phi.commitment], transcript);
        let y = transcript.challenge();
        let quotient = self.quotient(columns, y);
        let size = self.shape.chunk(0);
        let chunks = blind_chunks(&quotient, size, self.shape.chunks(0));
        let commitments: Vec<_> = chunks
            .par_iter()
            .map(|chunk| self.powers.msm(chunk))
            .collect();
        send(&commitments, transcript);
        let zeta = transcript.challenge();

        let next = zeta * root_of_unity(self.shape.log_block()).unwrap_or_default();
        let next_phi = evaluate(&columns.phi.coefficients, next);
        transcript.absorb(&word(next_phi));
        body.extend(word(next_phi));

        let row = linear::Row {
            slots: self.slots(&[self.segment_point(zeta)])[0],
            x: evaluate(&columns.x, zeta),
            next_phi,
            public_outputs: evaluate(&columns.outputs, zeta),
        };
        let batch = [
            Opened {
                polynomial: Cow::Owned(self.remainder(columns, y, zeta, &row, &chunks)?),
                set: PointSet::Here,
            },
            Opened {
                polynomial: Cow::Borrowed(&columns.phi.coefficients),
                set: PointSet::Next,
            },
        ];
        let points = Points {
            zeta,
            next,
            next_of_table: next,
        };
        let proof = open(&batch, points, transcript, self.powers)
            .ok_or(Error::Key(assay_verifier::Error::Denominator))?;
        body.extend(proof.iter().flat_map(point_bytes));
        Ok(body)
    }

    /// `Σ y^i C_i / Z_n`.
    fn quotient(&self, columns: &Columns, y: Fr) -> Vec<Fr> {
        // Constraints have degree three.
        let cosets = Cosets::new(self.shape.log_block(), 2);
        cosets.divide(|coset| {
            let phi = coset.evaluate_shifted(&columns.phi.coefficients);
            let (x, w) = (coset.evaluate(&columns.x), coset.evaluate(self.weights));
            let outputs = coset.evaluate(&columns.outputs);
            let slots = self.slots(&coset.powers(self.shape.groups as usize));
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

    fn remainder(
        &self,
        columns: &Columns,
        y: Fr,
        zeta: Fr,
        row: &linear::Row,
        chunks: &[Vec<Fr>],
    ) -> Result<Vec<Fr>, Error> {
        let linear = linear::constraints(y, row);
        let vanishing = zeta.pow([self.shape.block() as u64]) - Fr::one();
        let over = vanishing
            .inverse()
            .ok_or(Error::Key(assay_verifier::Error::Denominator))?;
        let mut sum = vec![linear.constant * over];
        add_scaled(&mut sum, &columns.phi.coefficients, linear.phi * over);
        add_scaled(&mut sum, self.weights, linear.weights * over);
        let step = zeta.pow([self.shape.chunk(0) as u64]);
        let mut power = -Fr::one();
        for chunk in chunks {
            add_scaled(&mut sum, chunk, power);
            power *= step;
        }
        Ok(sum)
    }

    /// `X^(n/st)`, of which the slot selectors are functions.
    fn segment_point(&self, point: Fr) -> Fr {
        point.pow([u64::from(self.shape.groups)])
    }

    /// The slot selectors from values of `X^(n/st)`: `L_j = θ^j (u^st - 1)/(st (u - θ^j))`.
    fn slots(&self, us: &[Fr]) -> Vec<linear::Slots> {
        let stride = u64::from(self.shape.stride);
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
