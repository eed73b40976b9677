//! Proving the linear relation (spec 5).

use crate::column::{blinds, Column, ONCE, TWICE};
use crate::opening::{open, Opened, Points};
use crate::prove::{opening_scalar, Inputs, LinearRelation, Prover};
use crate::Error;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{batch_inversion, FftField, Field, One, Zero};
use assay_algebra::{
    add_scaled, coset_evaluate, coset_interpolate, evaluate, interpolate, root_of_unity, word, Fr,
    Transcript, WORD,
};
use assay_circuit::{linear_witness, LinearWitness};
use assay_msm::FixedBase;
use assay_verifier::{linear, point_bytes, PointSet, Shape};
use std::borrow::Cow;

/// Points of the coset per row: constraints have degree three.
const BLOWUP: usize = 4;

struct Session<'a> {
    shape: &'a Shape,
    log_rows: u32,
    log_domain: u32,
    powers: &'a FixedBase,
    lagrange: &'a FixedBase,
    /// `w(X^nb)` with its blinding.
    weights: Vec<Fr>,
}

struct Columns {
    phi: Column,
    /// The hidden inputs' column and `I`.
    hidden: Option<(Column, Column)>,
    /// Coefficients of the inputs' column, hidden or public.
    x: Vec<Fr>,
    /// `OPI`.
    outputs: Vec<Fr>,
}

pub(crate) fn prove(
    prover: &Prover,
    relation: &LinearRelation,
    inputs: &Inputs,
) -> Result<(Vec<[u8; WORD]>, Vec<u8>), Error> {
    let witness = linear_witness(&relation.model, &inputs.rows)?;
    let shape = &relation.model.shape;
    let log_rows = inputs.rows.len().next_power_of_two().trailing_zeros();
    let log_domain = shape.log_block() + log_rows;
    let powers = prover.bases.powers(shape.chunk(1 << log_domain))?;
    let lagrange = prover.bases.lagrange(log_domain)?;
    let session = Session {
        shape,
        log_rows,
        log_domain,
        powers: &powers,
        lagrange: &lagrange,
        weights: weights(relation, log_rows)?,
    };
    let columns = session.columns(&witness, inputs);
    let commitment = columns
        .hidden
        .as_ref()
        .map(|(_, input)| input.commitment.into_affine());
    let words = prover.words(inputs, commitment, &witness.outputs);
    let mut transcript = prover.transcript(inputs.rows.len(), &words);
    let body = session.body(&columns, &mut transcript)?;
    Ok((words, body))
}

fn weights(relation: &LinearRelation, log_rows: u32) -> Result<Vec<Fr>, Error> {
    let blind = relation
        .blinds
        .get(log_rows as usize)
        .ok_or(Error::Damaged("blinds"))?;
    let mut weights = crate::fixed::spread(&relation.weights, 1 << log_rows);
    weights[0] -= blind;
    weights.push(*blind);
    Ok(weights)
}

impl Session<'_> {
    fn rows(&self) -> usize {
        1 << self.log_domain
    }

    fn columns(&self, witness: &LinearWitness, inputs: &Inputs) -> Columns {
        let column = |values: &[Fr], count| Column::new(values, count, self.lagrange, self.powers);
        let hidden = self.shape.private().then(|| {
            let features = self.shape.features as usize;
            let mut values = witness.x.clone();
            for (row, value) in values.iter_mut().enumerate() {
                if row % self.shape.stride as usize >= features {
                    *value = Fr::zero();
                }
            }
            let blind = [opening_scalar(inputs.opening, &values)];
            let input = Column::with_blinds(&values, &blind, self.lagrange, self.powers);
            (column(&witness.x, ONCE), input)
        });
        let x = match &hidden {
            Some((x, _)) => x.coefficients.clone(),
            None => interpolate(&witness.x),
        };
        Columns {
            phi: column(&witness.phi, TWICE),
            hidden,
            x,
            outputs: interpolate(&self.output_rows(witness)),
        }
    }

    /// The packed outputs on the last row of each segment; blocks beyond the rows repeat row 0.
    fn output_rows(&self, witness: &LinearWitness) -> Vec<Fr> {
        let stride = self.shape.stride as usize;
        let mut rows = vec![Fr::zero(); self.rows()];
        for block in 0..1usize << self.log_rows {
            let outputs = witness.outputs.get(block).unwrap_or(&witness.outputs[0]);
            for (group, output) in outputs.iter().enumerate() {
                rows[block * self.shape.block() + (group + 1) * stride - 1] = *output;
            }
        }
        rows
    }

    fn body(&self, columns: &Columns, transcript: &mut Transcript) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let mut send = |points: &[G1Projective], transcript: &mut Transcript| {
            let points: Vec<G1Affine> = G1Projective::normalize_batch(points);
            let bytes: Vec<u8> = points.iter().flat_map(point_bytes).collect();
            transcript.absorb(&bytes);
            body.extend(bytes);
        };
        let hidden: Vec<G1Projective> = columns.hidden.iter().map(|(x, _)| x.commitment).collect();
        send(&hidden, transcript);
        let _ = (transcript.challenge(), transcript.challenge());
        send(&[columns.phi.commitment], transcript);
        let y = transcript.challenge();
        let quotient = self.quotient(columns, y);
        let size = self.shape.chunk(self.rows());
        let chunks = self.chunks(&quotient, size);
        let commitments: Vec<_> = chunks.iter().map(|chunk| self.powers.msm(chunk)).collect();
        send(&commitments, transcript);
        let zeta = transcript.challenge();

        let next = zeta * root_of_unity(self.log_domain).unwrap_or_default();
        let x = evaluate(&columns.x, zeta);
        let next_phi = evaluate(&columns.phi.coefficients, next);
        let mut evaluations = Vec::new();
        if columns.hidden.is_some() {
            evaluations.extend(word(x));
        }
        evaluations.extend(word(next_phi));
        transcript.absorb(&evaluations);
        body.extend(evaluations);

        let row = linear::Row {
            slots: self.slots(zeta),
            x,
            next_phi,
            public_outputs: evaluate(&columns.outputs, zeta),
        };
        let remainder = self.remainder(columns, y, zeta, &row, &chunks, size)?;
        let mut batch = vec![Opened {
            polynomial: Cow::Owned(remainder),
            set: PointSet::Here,
        }];
        if columns.hidden.is_some() {
            batch.push(Opened {
                polynomial: Cow::Borrowed(&columns.x),
                set: PointSet::Here,
            });
        }
        batch.push(Opened {
            polynomial: Cow::Borrowed(&columns.phi.coefficients),
            set: PointSet::Next,
        });
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

    fn chunks(&self, quotient: &[Fr], size: usize) -> Vec<Vec<Fr>> {
        let count = self.shape.chunks(self.rows());
        let mut chunks: Vec<Vec<Fr>> = (0..count)
            .map(|i| quotient.iter().skip(i * size).take(size).copied().collect())
            .collect();
        for (index, blind) in blinds(count - 1).into_iter().enumerate() {
            chunks[index].resize(size, Fr::zero());
            chunks[index].push(blind);
            chunks[index + 1][0] -= blind;
        }
        chunks
    }

    fn quotient(&self, columns: &Columns, y: Fr) -> Vec<Fr> {
        let size = BLOWUP * self.rows();
        let offset = Fr::GENERATOR;
        let on = |coefficients: &[Fr]| coset_evaluate(coefficients, size, offset);
        let (phi, x, w, outputs) = (
            on(&columns.phi.coefficients),
            on(&columns.x),
            on(&self.weights),
            on(&columns.outputs),
        );
        let input = columns
            .hidden
            .as_ref()
            .map(|(_, input)| on(&input.coefficients));
        let root = root_of_unity(self.log_domain + 2).unwrap_or_default();
        let mut vanishing: Vec<Fr> = (0..BLOWUP)
            .map(|i| (offset * root.pow([i as u64])).pow([self.rows() as u64]) - Fr::one())
            .collect();
        batch_inversion(&mut vanishing);
        let mut point = offset;
        let mut values = Vec::with_capacity(size);
        for i in 0..size {
            let row = linear::Row {
                slots: self.slots(point),
                x: x[i],
                next_phi: phi[(i + BLOWUP) % size],
                public_outputs: outputs[i],
            };
            let sum = linear::constraints(self.shape.private(), y, &row);
            let hidden = input
                .as_ref()
                .map_or(Fr::zero(), |input| sum.input * input[i]);
            let value = sum.constant + sum.phi * phi[i] + sum.weights * w[i] + hidden;
            values.push(value * vanishing[i % BLOWUP]);
            point *= root;
        }
        coset_interpolate(&values, offset)
    }

    fn remainder(
        &self,
        columns: &Columns,
        y: Fr,
        zeta: Fr,
        row: &linear::Row,
        chunks: &[Vec<Fr>],
        size: usize,
    ) -> Result<Vec<Fr>, Error> {
        let linear = linear::constraints(self.shape.private(), y, row);
        let vanishing = zeta.pow([1u64 << self.log_domain]) - Fr::one();
        let over = vanishing
            .inverse()
            .ok_or(Error::Key(assay_verifier::Error::Denominator))?;
        let mut sum = vec![linear.constant * over];
        add_scaled(&mut sum, &columns.phi.coefficients, linear.phi * over);
        add_scaled(&mut sum, &self.weights, linear.weights * over);
        if let Some((_, input)) = &columns.hidden {
            add_scaled(&mut sum, &input.coefficients, linear.input * over);
        }
        let step = zeta.pow([size as u64]);
        let mut power = -Fr::one();
        for chunk in chunks {
            add_scaled(&mut sum, chunk, power);
            power *= step;
        }
        Ok(sum)
    }

    /// The slot selectors at a point.
    fn slots(&self, point: Fr) -> linear::Slots {
        let stride = self.shape.stride as usize;
        let u = point.pow([(1u64 << self.log_domain) / stride as u64]);
        let theta = root_of_unity(stride.trailing_zeros()).unwrap_or_default();
        let scale = (u.pow([stride as u64]) - Fr::one())
            * Fr::from(stride as u64).inverse().unwrap_or_default();
        let mut powers = Vec::with_capacity(stride);
        let mut power = Fr::one();
        for _ in 0..stride {
            powers.push(power);
            power *= theta;
        }
        let mut lagrange: Vec<Fr> = powers.iter().map(|power| u - power).collect();
        batch_inversion(&mut lagrange);
        for (value, power) in lagrange.iter_mut().zip(&powers) {
            *value *= scale * power;
        }
        let features = self.shape.features as usize;
        linear::Slots {
            start: lagrange[0],
            last: lagrange[stride - 1],
            features: lagrange[..features].iter().sum(),
            one: lagrange[features],
        }
    }
}
