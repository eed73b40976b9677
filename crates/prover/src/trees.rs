//! Proving the tree relation (spec 4).

mod quotient;
pub(crate) mod sums;

use crate::column::{blinds, Column, ONCE, TWICE};
use crate::opening::{open, Opened, Points};
use crate::prove::{opening_scalar, Inputs, Prover, TreeRelation};
use crate::Error;
use ark_bn254::G1Affine;
use ark_ec::CurveGroup;
use ark_ff::{Field, One, Zero};
use assay_algebra::{add_scaled, evaluate, root_of_unity, word, Fr, Transcript, WORD};
use assay_circuit::{tree_witness, TreeWitness};
use assay_msm::FixedBase;
use assay_verifier::{point_bytes, trees, Fixed, PointSet};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;
use sums::Sums;

/// What stays fixed while one proof is made.
pub(crate) struct Session<'a> {
    pub relation: &'a TreeRelation,
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
}

/// The columns of round 2.
pub(crate) struct Second {
    pub helpers: Vec<Column>,
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
        list.extend([&self.phi, &self.phi_table]);
        list
    }
}

impl<'a> Session<'a> {
    pub fn new(prover: &Prover, relation: &'a TreeRelation, rows: usize) -> Result<Self, Error> {
        let shape = &relation.model.shape;
        let log_rows = rows.next_power_of_two().trailing_zeros();
        let log_domain = shape.log_block() + log_rows;
        let bases = &prover.bases;
        Ok(Self {
            relation,
            log_rows,
            log_domain,
            powers: bases.powers(shape.chunk(1 << log_domain))?,
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
        adjust: impl Fn(&mut sums::Values, Fr),
    ) -> Result<Proven, Error> {
        let private = self.relation.model.shape.private();
        let first = self.first(witness, private.then_some(entries), inputs);
        let public = &if private {
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
        adjust(&mut values, outputs);
        let sums = Sums {
            second: self.second(&values),
            outputs,
        };
        write(&affine(&sums.second.list()), &mut transcript, &mut body);
        let ch = trees::Challenges::new(alpha, beta, transcript.challenge());
        let quotient = self.quotient(&first, &sums, &ch, public);
        let chunk = self.relation.model.shape.chunk(self.rows());
        let chunks = self.chunks(&quotient, chunk);
        let commitments: Vec<_> = chunks.iter().map(|c| self.powers.msm(c)).collect();
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
        let remainder = self.remainder(&first, &sums, &ch, public, &evaluated, &chunks, chunk)?;
        let batch = evaluated.batch(&first, &sums.second, remainder);
        let proof = open(&batch, self.points(zeta)?, &mut transcript, &self.powers)
            .ok_or(Error::Key(assay_verifier::Error::Denominator))?;
        body.extend(proof.iter().flat_map(point_bytes));
        Ok((words, body))
    }

    /// Round 1; `hidden` are the entries that private inputs commit to.
    fn first(&self, witness: &TreeWitness, hidden: Option<&[Fr]>, inputs: &Inputs) -> First {
        let column =
            |values: &[Fr], count| Column::new(values, count, &self.lagrange, &self.powers);
        let ((x, b), (p, c)) = rayon::join(
            || (column(&witness.x, ONCE), column(&witness.b, TWICE)),
            || (column(&witness.p, TWICE), column(&witness.c, TWICE)),
        );
        let s = witness.s.par_iter().map(|limbs| {
            let values: Vec<Fr> = limbs.par_iter().map(|limb| Fr::from(*limb)).collect();
            Column::with_commitment(&values, ONCE, self.lagrange.msm_u64(limbs), &self.powers)
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
            m: Column::with_commitment(&m, ONCE, uses, &self.powers),
            input: hidden.map(|entries| {
                let blind = [opening_scalar(inputs.opening, entries)];
                Column::with_blinds(entries, &blind, &self.lagrange, &self.powers)
            }),
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

    /// Splits the quotient; random multiples that cancel between neighbours hide the single chunks.
    fn chunks(&self, quotient: &[Fr], size: usize) -> Vec<Vec<Fr>> {
        let count = self.relation.model.shape.chunks(self.rows());
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
        public: &[Fr],
        at: &Evaluated,
        chunks: &[Vec<Fr>],
        chunk: usize,
    ) -> Result<Vec<Fr>, Error> {
        let shape = &self.relation.model.shape;
        let zeta = at.zeta;
        let row = self.row_at(zeta, at, evaluate(public, zeta));
        let constants = trees::Constants::new(shape);
        let linear = trees::constraints(&constants, ch, &row);
        let tail = trees::tail(&constants, ch);
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
        sum[0] -= tie * (at.phi_table + sums.outputs);
        let step = zeta.pow([chunk as u64]);
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
    next_phi: Fr,
    next_phi_table: Fr,
}

impl Evaluated {
    fn new(session: &Session<'_>, first: &First, second: &Second, zeta: Fr) -> Self {
        let shape = &session.relation.model.shape;
        let next = zeta * root_of_unity(session.log_domain).unwrap_or_default();
        let next_of_table = zeta * root_of_unity(shape.log_table()).unwrap_or_default();
        let at = |column: &Column, point| evaluate(&column.coefficients, point);
        let fixed = shape.fixed(session.log_rows).into_iter().map(|name| {
            let block = session.relation.fixed(name, session.log_rows);
            let spread = crate::fixed::spread(&block, 1 << session.log_rows);
            let value = evaluate(&block, zeta.pow([1u64 << session.log_rows]));
            (name, spread, value)
        });
        Self {
            zeta,
            x: at(&first.x, zeta),
            s: first.s.iter().map(|column| at(column, zeta)).collect(),
            fixed: fixed.collect(),
            b: at(&first.b, zeta),
            p: at(&first.p, zeta),
            phi_table: at(&second.phi_table, zeta),
            next_b: at(&first.b, next),
            next_p: at(&first.p, next),
            next_c: at(&first.c, next),
            next_phi: at(&second.phi, next),
            next_phi_table: at(&second.phi_table, next_of_table),
        }
    }

    fn list(&self) -> Vec<Fr> {
        let mut list = vec![self.x];
        list.extend(&self.s);
        list.extend(self.fixed.iter().map(|(_, _, value)| *value));
        list.extend([self.b, self.p, self.phi_table]);
        list.extend([
            self.next_b,
            self.next_p,
            self.next_c,
            self.next_phi,
            self.next_phi_table,
        ]);
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
        for (column, set) in [
            (&first.b, PointSet::HereAndNext),
            (&first.p, PointSet::HereAndNext),
            (&first.c, PointSet::Next),
            (&second.phi, PointSet::Next),
            (&second.phi_table, PointSet::HereAndNextOfTable),
        ] {
            batch.push(single(&column.coefficients, set));
        }
        batch
    }
}
