//! One tree proof as it comes into being (spec 4).

use super::sums::{Stated, Values};
use super::{fixed, TreeRelation};
use crate::bases::Bases;
use crate::column::{Column, ONCE, TWICE};
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
    pub lagrange: Arc<FixedBase>,
    lagrange_table: Arc<FixedBase>,
    pub suffix: Arc<FixedBase>,
    /// `I`, for private inputs.
    input: Option<Column>,
    first: Option<First>,
    second: Option<Second>,
    stated: Stated,
}

/// The columns of round 1.
pub(super) struct First {
    pub x: Column,
    pub b: Column,
    pub p: Column,
    pub c: Column,
    pub s: Vec<Column>,
    pub m: Column,
    /// The Lagrange points of the rows that have a limb's value, summed, for each limb: of large batches only.
    pub by_value: Vec<ByValue>,
}

/// The columns of round 2.
pub(super) struct Second {
    pub helpers: Vec<Column>,
    /// The accumulator, for batches with public inputs.
    pub a: Option<Column>,
    pub phi: Column,
    pub phi_table: Column,
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
        let lagrange = bases.lagrange(log_domain)?;
        let input = shape.private().then(|| {
            let blind = [opening_scalar(inputs.opening, &bases.tau, &entries)];
            Column::with_blinds(&entries, &blind, &lagrange)
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

    /// The columns of round 1.
    fn commit_first(&self) -> First {
        let witness = &self.witness;
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
            by_value,
        }
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
        let points = |columns: Vec<&Column>| columns.iter().map(|c| c.commitment).collect();
        let [alpha, beta] = *challenges else {
            return Ok(points(self.first.insert(self.commit_first()).list()));
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
        Ok(points(self.second.insert(second).list()))
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
            INPUT => self.input.as_ref(),
            Name(names::S, _) => first.s.get(number),
            Name(names::H, _) => second.helpers.get(number),
            _ => None,
        };
        if let Some(column) = column {
            return Ok(Cow::Borrowed(&column.coefficients));
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
