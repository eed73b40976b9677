//! Proving the tree relation (spec 4).

use super::sums::{self, Sums};
use crate::bases::Bases;
use crate::column::{Column, ONCE, TWICE};
use crate::opening::{open, Opened, Points};
use crate::prove::{opening_scalar, Inputs, Prover, TreeRelation};
use crate::quotient::blind_chunks;
use crate::Error;
use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use ark_ff::{Field, One, Zero};
use assay_algebra::{add_scaled, evaluate, root_of_unity, word, Fr, Transcript, WORD};
use assay_circuit::{tree_witness, TreeWitness};
use assay_msm::{ByValue, FixedBase};
use assay_verifier::{point_bytes, trees, Fixed, PointSet};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

/// From so many rows on, limbs and helpers are committed by the limbs' values: those are far fewer than the rows.
const GROUPED: usize = 1 << 14;

/// What stays fixed while one proof is made.
pub(crate) struct Session<'a> {
    pub relation: &'a TreeRelation,
    pub bases: &'a Bases,
    pub log_rows: u32,
    pub log_domain: u32,
    pub powers: Arc<FixedBase>,
    pub lagrange: Arc<FixedBase>,
    pub lagrange_table: Arc<FixedBase>,
    pub suffix: Arc<FixedBase>,
}

/// The columns of round 1.
pub(crate) struct First {
    pub x: Column,
    pub b: Column,
    pub p: Column,
    pub c: Column,
    pub s: Vec<Column>,
    pub m: Column,
    /// `I`, for private inputs.
    pub input: Option<Column>,
    /// The Lagrange points of the rows that have a limb's value, summed, for each limb: of large batches only.
    pub by_value: Vec<ByValue>,
}

/// The columns of round 2.
pub(crate) struct Second {
    pub helpers: Vec<Column>,
    /// The accumulator, for batches with public inputs.
    pub a: Option<Column>,
    pub phi: Column,
    pub phi_table: Column,
}

/// Affine forms, all with one inversion.
fn affine(columns: &[&Column]) -> Vec<G1Affine> {
    ark_bn254::G1Projective::normalize_batch(
        &columns.iter().map(|c| c.commitment).collect::<Vec<_>>(),
    )
}

fn write(points: &[G1Affine], transcript: &mut Transcript, body: &mut Vec<u8>) {
    let bytes: Vec<u8> = points.iter().flat_map(point_bytes).collect();
    transcript.absorb(&bytes);
    body.extend(bytes);
}

/// Public words and the bytes that go on chain.
type Proven = (Vec<[u8; WORD]>, Vec<u8>);

pub(crate) fn prove(
    prover: &Prover,
    relation: &TreeRelation,
    inputs: &Inputs,
) -> Result<Proven, Error> {
    let witness = tree_witness(&relation.model, &inputs.rows)?;
    let session = Session::new(prover, relation, inputs.rows.len())?;
    let entries = session.entries(&witness);
    session.finish(prover, inputs, &witness, &entries, |_, _| {})
}

impl First {
    fn list(&self) -> Vec<&Column> {
        let mut list = vec![&self.x, &self.b, &self.p, &self.c];
        list.extend(&self.s);
        list.push(&self.m);
        list
    }
}

impl Second {
    fn list(&self) -> Vec<&Column> {
        let mut list: Vec<&Column> = self.helpers.iter().collect();
        list.extend(&self.a);
        list.extend([&self.phi, &self.phi_table]);
        list
    }
}

impl<'a> Session<'a> {
    pub fn new(prover: &'a Prover, relation: &'a TreeRelation, rows: usize) -> Result<Self, Error> {
        let shape = &relation.model.shape;
        let log_rows = rows.next_power_of_two().trailing_zeros();
        let log_domain = shape.log_block() + log_rows;
        let bases = &prover.bases;
        Ok(Self {
            relation,
            bases,
            log_rows,
            log_domain,
            powers: bases.powers(shape.chunk(log_rows))?,
            lagrange: bases.lagrange(log_domain)?,
            lagrange_table: bases.lagrange(shape.log_table())?,
            suffix: bases.suffix(shape.log_table())?,
        })
    }

    pub fn rows(&self) -> usize {
        1 << self.log_domain
    }

    /// All rounds for a witness. `adjust` sees the sums before they are committed: tests cheat there.
    pub fn finish(
        &self,
        prover: &Prover,
        inputs: &Inputs,
        witness: &TreeWitness,
        entries: &[Fr],
        adjust: impl Fn(&mut sums::Values, &sums::Stated),
    ) -> Result<Proven, Error> {
        let shape = &self.relation.model.shape;
        let first = self.first(witness, shape.private().then_some(entries), inputs);
        let public = &if shape.private() || shape.accumulates(self.log_rows) {
            Vec::new()
        } else {
            assay_algebra::interpolate(entries)
        };
        let commitment = first
            .input
            .as_ref()
            .map(|column| column.commitment.into_affine());
        let words = prover.words(inputs, commitment, &witness.outputs);
        let mut transcript = prover.transcript(inputs.rows.len(), &words);
        let mut body = Vec::new();

        write(&affine(&first.list()), &mut transcript, &mut body);
        let (alpha, beta) = (transcript.challenge(), transcript.challenge());
        let outputs = self.output_sum(witness, alpha, beta)?;
        let mut values = self.sums(witness, alpha, beta)?;
        let stated = sums::Stated {
            outputs,
            inputs: self.accumulate(entries, alpha)[0],
            alpha,
        };
        adjust(&mut values, &stated);
        let sums = Sums {
            second: self.second(&first, &values)?,
            stated,
        };
        write(&affine(&sums.second.list()), &mut transcript, &mut body);
        let ch = trees::Challenges::new(alpha, beta, transcript.challenge());
        let weights = trees::Weights::new(&trees::Constants::new(shape, self.log_rows), &ch);
        let quotient = self.quotient(&first, &sums, &ch, &weights, public);
        let chunks = blind_chunks(
            &quotient,
            shape.chunk(self.log_rows),
            shape.chunks(self.log_rows),
        );
        let commitments: Vec<_> = chunks.par_iter().map(|c| self.powers.msm(c)).collect();
        write(
            &ark_bn254::G1Projective::normalize_batch(&commitments),
            &mut transcript,
            &mut body,
        );
        let zeta = transcript.challenge();

        let evaluated = Evaluated::new(self, &first, &sums.second, zeta);
        let bytes: Vec<u8> = evaluated.list().into_iter().flat_map(word).collect();
        transcript.absorb(&bytes);
        body.extend(bytes);
        let remainder =
            self.remainder(&first, &sums, &ch, &weights, public, &evaluated, &chunks)?;
        let batch = evaluated.batch(&first, &sums.second, remainder);
        let proof = open(&batch, self.points(zeta)?, &mut transcript, &self.powers)
            .ok_or(Error::Key(assay_verifier::Error::Denominator))?;
        body.extend(proof.iter().flat_map(point_bytes));
        Ok((words, body))
    }

    /// Round 1; `hidden` are the entries that private inputs commit to.
    fn first(&self, witness: &TreeWitness, hidden: Option<&[Fr]>, inputs: &Inputs) -> First {
        let column = |values: &[Fr], count| Column::new(values, count, &self.lagrange);
        let ((x, p), (b, c)) = rayon::join(
            || rayon::join(|| column(&witness.x, ONCE), || column(&witness.p, TWICE)),
            || rayon::join(|| column(&witness.b, TWICE), || column(&witness.c, TWICE)),
        );
        let by_value: Vec<ByValue> = if self.rows() >= GROUPED {
            let limbs = witness.s.par_iter();
            limbs.map(|limbs| self.lagrange.by_value(limbs)).collect()
        } else {
            Vec::new()
        };
        let s = (0..witness.s.len()).into_par_iter().map(|index| {
            let limbs = &witness.s[index];
            let values: Vec<Fr> = limbs.par_iter().map(|limb| Fr::from(*limb)).collect();
            let plain = by_value.get(index).map_or_else(
                || self.lagrange.msm_u64(limbs),
                |groups| groups.sum(Fr::from),
            );
            Column::with_commitment(&values, ONCE, plain, &self.lagrange)
        });
        let s = s.collect();
        let m: Vec<Fr> = witness.m.iter().map(|count| Fr::from(*count)).collect();
        let uses = self.lagrange_table.msm_u64(&witness.m);
        First {
            x,
            b,
            p,
            c,
            s,
            m: Column::with_commitment(&m, ONCE, uses, &self.lagrange_table),
            input: hidden.map(|entries| {
                let blind = [opening_scalar(inputs.opening, entries)];
                Column::with_blinds(entries, &blind, &self.lagrange)
            }),
            by_value,
        }
    }

    /// The input rows in use, of all blocks.
    pub fn input_rows(&self) -> impl Iterator<Item = usize> + '_ {
        let shape = &self.relation.model.shape;
        (0..1usize << self.log_rows).flat_map(move |block| {
            shape
                .input_rows()
                .into_iter()
                .map(move |row| block * shape.block() + row)
        })
    }

    /// The entries on the input rows in use, and nothing else: the values of `PI`, or of `I`.
    pub fn entries(&self, witness: &TreeWitness) -> Vec<Fr> {
        let mut values = vec![Fr::zero(); self.rows()];
        for row in self.input_rows() {
            values[row] = witness.x[row];
        }
        values
    }

    fn points(&self, zeta: Fr) -> Result<Points, Error> {
        let root = |log| root_of_unity(log).ok_or(Error::Damaged("domain"));
        Ok(Points {
            zeta,
            next: zeta * root(self.log_domain)?,
            next_of_table: zeta * root(self.relation.model.shape.log_table())?,
        })
    }

    /// The polynomial `Rz` (spec 4.5): zero at `ζ`.
    #[allow(clippy::too_many_arguments)]
    fn remainder(
        &self,
        first: &First,
        sums: &Sums,
        ch: &trees::Challenges,
        weights: &trees::Weights,
        public: &[Fr],
        at: &Evaluated,
        chunks: &[Vec<Fr>],
    ) -> Result<Vec<Fr>, Error> {
        let shape = &self.relation.model.shape;
        let zeta = at.zeta;
        let row = self.row_at(zeta, at, evaluate(public, zeta));
        let constants = trees::Constants::new(shape, self.log_rows);
        let linear = trees::constraints(&constants, ch, weights, &row);
        let tail = weights.tail;
        let inverse = |value: Fr| {
            value
                .inverse()
                .ok_or(Error::Key(assay_verifier::Error::Denominator))
        };
        let over_h = inverse(zeta.pow([1u64 << self.log_domain]) - Fr::one())?;
        let over_v = inverse(zeta.pow([u64::from(shape.table)]) - Fr::one())?;
        let over_one = inverse(zeta - Fr::one())?;

        let mut sum = vec![linear.constant * over_h];
        add_scaled(&mut sum, &first.c.coefficients, linear.c * over_h);
        let tie = tail.tie * over_one;
        add_scaled(
            &mut sum,
            &sums.second.phi.coefficients,
            linear.phi * over_h + tie,
        );
        for (helper, factor) in sums.second.helpers.iter().zip(linear.helpers) {
            add_scaled(&mut sum, &helper.coefficients, factor * over_h);
        }
        if let Some(a) = &sums.second.a {
            let factor = linear.a * over_h + tail.inputs * over_one;
            add_scaled(&mut sum, &a.coefficients, factor);
            sum[0] += (tail.start_of_inputs * at.next_a.unwrap_or_default()
                - tail.inputs * sums.stated.inputs)
                * over_one;
        }
        if let Some(input) = &first.input {
            add_scaled(&mut sum, &input.coefficients, linear.input * over_h);
        }
        let (of_table, of_m) = trees::table_constraint(zeta, at.phi_table, at.next_phi_table);
        add_scaled(&mut sum, &first.m.coefficients, of_m * tail.table * over_v);
        let factor = of_table * tail.table * over_v;
        let u = zeta.pow([u64::from(shape.table / shape.ratio)]);
        let tag = trees::table_tag(shape.ratio, u).ok_or(Error::Damaged("ratio"))?;
        sum[0] += factor * (ch.beta + ch.alpha[3] * tag);
        let hidden = factor * (u - Fr::one());
        let factors = [
            factor,
            hidden * ch.alpha[0],
            hidden * ch.alpha[1],
            hidden * ch.alpha[2],
        ];
        for (polynomial, factor) in self.relation.table.polynomials.iter().zip(factors) {
            add_scaled(&mut sum, polynomial, factor);
        }
        sum[0] += (tail.start * at.next_phi + tail.start_of_table * at.next_phi_table) * over_one;
        sum[0] -= tie * (at.phi_table + sums.stated.outputs);
        let step = zeta.pow([shape.chunk(self.log_rows) as u64]);
        let mut power = -Fr::one();
        for part in chunks {
            add_scaled(&mut sum, part, power);
            power *= step;
        }
        Ok(sum)
    }

    fn row_at<'e>(&self, zeta: Fr, at: &'e Evaluated, public_inputs: Fr) -> trees::Row<'e> {
        let fixed = |name| {
            at.fixed
                .iter()
                .find(|(n, _, _)| *n == name)
                .map(|(_, _, value)| *value)
        };
        trees::Row {
            point: zeta,
            block_point: zeta.pow([1u64 << self.log_rows]),
            slots: self.slots_at(zeta),
            x: at.x,
            b: at.b,
            p: at.p,
            s: &at.s,
            next_b: at.next_b,
            next_p: at.next_p,
            next_c: at.next_c,
            next_phi: at.next_phi,
            next_a: at.next_a.unwrap_or_default(),
            block_key: fixed(Fixed::Rho).map_or(Fr::one(), |rho| zeta * rho),
            output_group: fixed(Fixed::OutputGroup).unwrap_or_default(),
            used: fixed(Fixed::Used).unwrap_or_default(),
            offset: fixed(Fixed::Offset).unwrap_or_default(),
            public_inputs,
        }
    }
}

/// The evaluations of round 4.
struct Evaluated {
    zeta: Fr,
    x: Fr,
    s: Vec<Fr>,
    fixed: Vec<(Fixed, Vec<Fr>, Fr)>,
    b: Fr,
    p: Fr,
    phi_table: Fr,
    next_b: Fr,
    next_p: Fr,
    next_c: Fr,
    next_a: Option<Fr>,
    next_phi: Fr,
    next_phi_table: Fr,
}

impl Evaluated {
    fn new(session: &Session<'_>, first: &First, second: &Second, zeta: Fr) -> Self {
        let shape = &session.relation.model.shape;
        let next = zeta * root_of_unity(session.log_domain).unwrap_or_default();
        let next_of_table = zeta * root_of_unity(shape.log_table()).unwrap_or_default();
        let fixed = shape.fixed(session.log_rows).into_iter().map(|name| {
            let block = session.relation.fixed(name, session.log_rows);
            let spread = crate::fixed::spread(&block, 1 << session.log_rows);
            let value = evaluate(&block, zeta.pow([1u64 << session.log_rows]));
            (name, spread, value)
        });
        let points = [
            (&first.x, zeta),
            (&first.b, zeta),
            (&first.p, zeta),
            (&second.phi_table, zeta),
            (&first.b, next),
            (&first.p, next),
            (&first.c, next),
            (&second.phi, next),
            (&second.phi_table, next_of_table),
        ];
        let limbs = first.s.iter().map(|column| (column, zeta));
        let a = second.a.iter().map(|column| (column, next));
        let all: Vec<(&Column, Fr)> = points.into_iter().chain(limbs).chain(a).collect();
        let values: Vec<Fr> = all
            .into_par_iter()
            .map(|(column, point)| evaluate(&column.coefficients, point))
            .collect();
        let (rest, a) = values.split_at(points.len() + first.s.len());
        let (single, s) = rest.split_at(points.len());
        Self {
            zeta,
            x: single[0],
            s: s.to_vec(),
            fixed: fixed.collect(),
            b: single[1],
            p: single[2],
            phi_table: single[3],
            next_b: single[4],
            next_p: single[5],
            next_c: single[6],
            next_a: a.first().copied(),
            next_phi: single[7],
            next_phi_table: single[8],
        }
    }

    fn list(&self) -> Vec<Fr> {
        let mut list = vec![self.x];
        list.extend(&self.s);
        list.extend(self.fixed.iter().map(|(_, _, value)| *value));
        list.extend([self.b, self.p, self.phi_table]);
        list.extend([self.next_b, self.next_p, self.next_c]);
        list.extend(self.next_a);
        list.extend([self.next_phi, self.next_phi_table]);
        list
    }

    /// The polynomials in the order of spec 4.7.
    fn batch<'c>(
        &'c self,
        first: &'c First,
        second: &'c Second,
        remainder: Vec<Fr>,
    ) -> Vec<Opened<'c>> {
        let single = |polynomial: &'c [Fr], set| Opened {
            polynomial: Cow::Borrowed(polynomial),
            set,
        };
        let here = |column: &'c Column| single(&column.coefficients, PointSet::Here);
        let mut batch = vec![Opened {
            polynomial: Cow::Owned(remainder),
            set: PointSet::Here,
        }];
        batch.push(here(&first.x));
        batch.extend(first.s.iter().map(here));
        batch.extend(
            self.fixed
                .iter()
                .map(|(_, polynomial, _)| single(polynomial, PointSet::Here)),
        );
        let shifted = [
            (Some(&first.b), PointSet::HereAndNext),
            (Some(&first.p), PointSet::HereAndNext),
            (Some(&first.c), PointSet::Next),
            (second.a.as_ref(), PointSet::Next),
            (Some(&second.phi), PointSet::Next),
            (Some(&second.phi_table), PointSet::HereAndNextOfTable),
        ];
        for (column, set) in shifted {
            batch.extend(column.map(|column| single(&column.coefficients, set)));
        }
        batch
    }
}
