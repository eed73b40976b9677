//! One tree proof as it comes into being (spec 4).

use super::sums::{Stated, Values};
use super::{fixed, TreeRelation};
use crate::bases::Bases;
use crate::column::{Column, Packed, ONCE, ONCE_IN_PACK, TWICE, TWICE_IN_PACK};
use crate::prove::opening_scalar;
use crate::relation::Witness;
use crate::{Error, Inputs};
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{Field, Zero};
use assay_algebra::{evaluate, interpolate, Fr};
use assay_circuit::TreeWitness;
use assay_msm::{ByValue, FixedBase};
use assay_verifier::relation::{Name, INPUT};
use assay_verifier::trees::{self, names};
use assay_verifier::{Shape, Statement};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

/// From so many rows on, limbs and helpers are committed by the limbs' values: those are far fewer than the rows.
const GROUPED: usize = 1 << 14;

/// Commitments of packs, and the coefficients of the columns in them.
type Packs = (Vec<G1Projective>, Vec<Vec<Fr>>);

/// Sees the sums before they are committed: tests cheat there.
pub(super) type Adjust<'a> = Box<dyn Fn(&mut Values, &Stated) + Sync + 'a>;

/// One proof.
pub(super) struct Session<'a> {
    pub relation: &'a TreeRelation,
    pub bases: &'a Bases,
    pub log_rows: u32,
    pub log_domain: u32,
    pub witness: TreeWitness,
    /// The entries that the statement binds, on their rows: the values of `PI`, or of `I`.
    pub entries: Vec<Fr>,
    pub adjust: Adjust<'a>,
    powers: Arc<FixedBase>,
    /// The Lagrange basis of `H`, unless all columns over it share commitments.
    lagrange: Option<Arc<FixedBase>>,
    lagrange_table: Arc<FixedBase>,
    pub suffix: Arc<FixedBase>,
    /// `I`, for private inputs.
    input: Option<Column>,
    first: Option<First>,
    second: Option<Second>,
    stated: Stated,
}

/// The coefficients of the columns of round 1, and their commitments in the relation's order.
pub(super) struct First {
    pub points: Vec<G1Projective>,
    pub x: Vec<Fr>,
    pub b: Vec<Fr>,
    pub p: Vec<Fr>,
    pub c: Vec<Fr>,
    pub s: Vec<Vec<Fr>>,
    pub m: Vec<Fr>,
    /// The Lagrange points of the rows that have a limb's value, summed, for each limb: of large batches only.
    pub by_value: Vec<ByValue>,
}

/// The same of round 2.
pub(super) struct Second {
    pub points: Vec<G1Projective>,
    pub helpers: Vec<Vec<Fr>>,
    /// The accumulator, for batches with public inputs.
    pub a: Option<Vec<Fr>>,
    pub phi: Vec<Fr>,
    pub phi_table: Vec<Fr>,
}

impl<'a> Session<'a> {
    /// Starts from a witness.
    pub fn new(
        relation: &'a TreeRelation,
        bases: &'a Bases,
        inputs: &Inputs,
        witness: TreeWitness,
    ) -> Result<Self, Error> {
        let entries = entries(&relation.model.shape, &witness);
        Self::with_entries(relation, bases, inputs, witness, entries)
    }

    /// Starts from a witness and the entries that the statement binds.
    pub fn with_entries(
        relation: &'a TreeRelation,
        bases: &'a Bases,
        inputs: &Inputs,
        witness: TreeWitness,
        entries: Vec<Fr>,
    ) -> Result<Self, Error> {
        let shape = &relation.model.shape;
        let log_rows = inputs.rows.len().next_power_of_two().trailing_zeros();
        let log_domain = shape.log_block() + log_rows;
        let needed = shape.private() || !shape.packs(log_rows);
        let lagrange = needed.then(|| bases.lagrange(log_domain)).transpose()?;
        let input = lagrange.as_ref().filter(|_| shape.private()).map(|basis| {
            let blind = [opening_scalar(inputs.opening, &bases.tau, &entries)];
            Column::with_blinds(&entries, &blind, basis)
        });
        Ok(Self {
            relation,
            bases,
            log_rows,
            log_domain,
            witness,
            entries,
            adjust: Box::new(|_, _| {}),
            powers: bases.powers(shape.chunk(log_rows))?,
            lagrange,
            lagrange_table: bases.lagrange(shape.log_table())?,
            suffix: bases.suffix(shape.log_table())?,
            input,
            first: None,
            second: None,
            stated: Stated::default(),
        })
    }

    pub fn shape(&self) -> &Shape {
        &self.relation.model.shape
    }

    pub fn rows(&self) -> usize {
        1 << self.log_domain
    }

    /// `[1]_1`.
    pub fn one(&self) -> G1Affine {
        self.powers.points()[0]
    }

    /// The Lagrange basis of `H`.
    pub fn lagrange(&self) -> Result<&FixedBase, Error> {
        self.lagrange.as_deref().ok_or(ORDER)
    }

    /// The packs of columns of `H` that share commitments: these, and the coefficients of all columns.
    pub fn pack(&self, columns: &[(Cow<'_, [Fr]>, usize)]) -> Result<Packs, Error> {
        let length = self.shape().chunk(self.log_rows);
        let packs = columns.par_chunks(self.shape().pack_width(self.log_rows));
        let packs = packs.map(|columns| Packed::new(columns, self.bases, length));
        let packs: Vec<Packed> = packs.collect::<Result<_, Error>>()?;
        let points = packs.iter().map(|pack| pack.commitment).collect();
        let columns = packs.into_iter().flat_map(|pack| pack.columns).collect();
        Ok((points, columns))
    }

    pub fn first(&self) -> Result<&First, Error> {
        self.first.as_ref().ok_or(ORDER)
    }

    pub fn second(&self) -> Result<&Second, Error> {
        self.second.as_ref().ok_or(ORDER)
    }

    pub fn input(&self) -> Option<&Column> {
        self.input.as_ref()
    }

    pub fn stated(&self) -> &Stated {
        &self.stated
    }

    /// The coefficients of `PI`: of one row with public inputs.
    pub fn public_inputs(&self) -> Option<Vec<Fr>> {
        let shape = self.shape();
        let bound_otherwise = shape.private() || shape.accumulates(self.log_rows);
        (!bound_otherwise).then(|| interpolate(&self.entries))
    }

    /// How often each table row is used.
    fn uses(&self) -> Column {
        let counts = &self.witness.m;
        let m: Vec<Fr> = counts.iter().map(|count| Fr::from(*count)).collect();
        let uses = self.lagrange_table.msm_u64(counts);
        Column::with_commitment(&m, ONCE, uses, &self.lagrange_table)
    }

    /// The columns of round 1, those of `H` in packs.
    fn pack_first(&self) -> Result<First, Error> {
        let witness = &self.witness;
        let mut columns = vec![(Cow::Borrowed(witness.x.as_slice()), ONCE_IN_PACK)];
        for limbs in &witness.s {
            let values: Vec<Fr> = limbs.iter().map(|limb| Fr::from(*limb)).collect();
            columns.push((Cow::Owned(values), ONCE_IN_PACK));
        }
        for column in [&witness.b, &witness.p, &witness.c] {
            columns.push((Cow::Borrowed(column.as_slice()), TWICE_IN_PACK));
        }
        let (packed, m) = rayon::join(|| self.pack(&columns), || self.uses());
        let (mut points, mut columns) = packed?;
        points.push(m.commitment);
        let mut last = || columns.pop().ok_or(ORDER);
        let (c, p, b) = (last()?, last()?, last()?);
        let s = columns.split_off(1);
        Ok(First {
            points,
            x: columns.pop().ok_or(ORDER)?,
            b,
            p,
            c,
            s,
            m: m.coefficients,
            by_value: Vec::new(),
        })
    }

    /// The columns of round 1.
    fn commit_first(&self) -> Result<First, Error> {
        if self.shape().packs(self.log_rows) {
            return self.pack_first();
        }
        let witness = &self.witness;
        let lagrange = self.lagrange()?;
        let column = |values: &[Fr], count| Column::new(values, count, lagrange);
        let ((x, p), (b, c)) = rayon::join(
            || rayon::join(|| column(&witness.x, ONCE), || column(&witness.p, TWICE)),
            || rayon::join(|| column(&witness.b, TWICE), || column(&witness.c, TWICE)),
        );
        let by_value: Vec<ByValue> = if self.rows() >= GROUPED {
            let limbs = witness.s.par_iter();
            limbs.map(|limbs| lagrange.by_value(limbs)).collect()
        } else {
            Vec::new()
        };
        let s = (0..witness.s.len()).into_par_iter().map(|index| {
            let limbs = &witness.s[index];
            let values: Vec<Fr> = limbs.par_iter().map(|limb| Fr::from(*limb)).collect();
            let plain = by_value
                .get(index)
                .map_or_else(|| lagrange.msm_u64(limbs), |groups| groups.sum(Fr::from));
            Column::with_commitment(&values, ONCE, plain, lagrange)
        });
        let s: Vec<Column> = s.collect();
        let m = self.uses();
        let all = [&x, &b, &p, &c].into_iter().chain(&s).chain([&m]);
        Ok(First {
            points: all.map(|column| column.commitment).collect(),
            x: x.coefficients,
            b: b.coefficients,
            p: p.coefficients,
            c: c.coefficients,
            s: s.into_iter().map(|limb| limb.coefficients).collect(),
            m: m.coefficients,
            by_value,
        })
    }

    fn is_fixed(&self, name: Name) -> bool {
        let shape = self.shape();
        let names = shape.kind.relation().fixed(shape, self.log_rows);
        names.contains(&name)
    }
}

/// A round was asked for before the one that it follows.
const ORDER: Error = Error::Damaged("rounds");

impl Witness for Session<'_> {
    fn outputs(&self) -> &[Vec<Fr>] {
        &self.witness.outputs
    }

    fn commitment(&self) -> Option<G1Affine> {
        self.input.as_ref().map(|c| c.commitment.into_affine())
    }

    fn round(
        &mut self,
        statement: &Statement,
        challenges: &[Fr],
    ) -> Result<Vec<G1Projective>, Error> {
        let [alpha, beta] = *challenges else {
            let first = self.commit_first()?;
            return Ok(self.first.insert(first).points.clone());
        };
        // y is not drawn yet and not needed here.
        let ch = trees::Challenges::new(alpha, beta, Fr::zero());
        let shape = self.shape();
        self.stated = Stated {
            outputs: trees::output_sum(statement, &ch)?,
            inputs: if shape.accumulates(self.log_rows) {
                trees::input_sum(shape, statement, &ch)?
            } else {
                Fr::zero()
            },
            alpha,
        };
        let mut values = self.sums(&ch)?;
        (self.adjust)(&mut values, &self.stated);
        let second = self.commit_second(&values)?;
        Ok(self.second.insert(second).points.clone())
    }

    fn quotient(&self, challenges: &[Fr]) -> Result<Vec<Fr>, Error> {
        let [alpha, beta, y] = *challenges else {
            return Err(ORDER);
        };
        self.quotient_of(&trees::Challenges::new(alpha, beta, y))
    }

    fn polynomial(&self, name: Name) -> Result<Cow<'_, [Fr]>, Error> {
        let (first, second) = (self.first()?, self.second()?);
        let number = name.1.wrapping_sub(1);
        let column = match name {
            names::X => Some(&first.x),
            names::B => Some(&first.b),
            names::P => Some(&first.p),
            names::C => Some(&first.c),
            names::M => Some(&first.m),
            names::A => second.a.as_ref(),
            names::PHI => Some(&second.phi),
            names::PHI_TABLE => Some(&second.phi_table),
            INPUT => self.input.as_ref().map(|input| &input.coefficients),
            Name(names::S, _) => first.s.get(number),
            Name(names::H, _) => second.helpers.get(number),
            _ => None,
        };
        if let Some(column) = column {
            return Ok(Cow::Borrowed(column));
        }
        let place = names::TABLE.iter().position(|own| *own == name);
        if let Some(place) = place {
            return Ok(Cow::Borrowed(&self.relation.table.polynomials[place]));
        }
        let block = fixed::coefficients(self.shape(), name, self.log_rows);
        Ok(Cow::Owned(fixed::spread(&block, 1 << self.log_rows)))
    }

    fn evaluate(&self, name: Name, point: Fr) -> Result<Fr, Error> {
        if self.is_fixed(name) {
            let block = fixed::coefficients(self.shape(), name, self.log_rows);
            return Ok(evaluate(&block, point.pow([1u64 << self.log_rows])));
        }
        Ok(evaluate(&self.polynomial(name)?, point))
    }
}

/// The entries on the input rows in use, and nothing else.
pub(super) fn entries(shape: &Shape, witness: &TreeWitness) -> Vec<Fr> {
    let mut values = vec![Fr::zero(); witness.x.len()];
    let rows = shape.input_rows();
    for block in (0..witness.x.len()).step_by(shape.block()) {
        for row in &rows {
            values[block + row] = witness.x[block + row];
        }
    }
    values
}
