//! `Rz` of a tree proof (spec 4.4, 4.5), and the sums of its public words.

use super::messages::names::{
    A, B, C, H, M, OFFSET, OUTPUT_GROUP, P, PHI, PHI_TABLE, RHO, S, TABLE, USED, X,
};
use super::{constraints, table_constraint, table_tag};
use super::{Challenges, Constants, Row, Slots, Weights};
use crate::lagrange::{block_sum, pow2, slots, Lagrange};
use crate::opening::Point;
use crate::relation::{At, Combination, Name, INPUT};
use crate::{Error, Shape, Statement};
use ark_ff::{Field, One, Zero};
use assay_algebra::{root_of_unity, Fr};

pub(super) fn remainder(at: &At<'_>) -> Result<Combination, Error> {
    let (shape, zeta) = (at.shape, at.zeta);
    let ch = Challenges::new(at.challenge(0)?, at.challenge(1)?, at.challenge(2)?);
    let limbs = Name::numbered(S, crate::shape::size(shape.limbs));
    let limbs = limbs
        .map(|limb| at.value(limb, Point::Here))
        .collect::<Result<Vec<_>, _>>()?;
    let constants = Constants::new(shape, at.log_rows());
    let weights = Weights::new(&constants, &ch);
    let tail = weights.tail;
    let row = row(at, &limbs)?;
    let linear = constraints(&constants, &ch, &weights, &row);
    let vanish = pow2(zeta, at.log_domain()) - Fr::one();
    let vanish_table = pow2(zeta, shape.log_table()) - Fr::one();
    let divisors = assay_algebra::inverses(vec![vanish, vanish_table, zeta - Fr::one()]);
    let [over_h, over_v, over_one]: [Fr; 3] = divisors
        .and_then(|inverted| inverted.try_into().ok())
        .ok_or(Error::Denominator)?;

    let mut sum = Combination {
        constant: linear.constant * over_h,
        ..Combination::default()
    };
    at.place(&mut sum, C, linear.c * over_h);
    at.place(&mut sum, PHI, linear.phi * over_h);
    let helpers = Name::numbered(H, shape.helpers(at.log_rows()));
    for (helper, coefficient) in helpers.zip(linear.helpers) {
        at.place(&mut sum, helper, coefficient * over_h);
    }
    if shape.private() {
        sum.add(INPUT, linear.input * over_h);
    }
    table_terms(&mut sum, at, &ch, tail.table * over_v)?;
    // The constraints at X = 1.
    let tie = tail.tie * over_one;
    let table = at.value(PHI_TABLE, Point::Here)?;
    let next_of_table = at.value(PHI_TABLE, Point::NextOfTable)?;
    sum.constant += (tail.start * row.next_phi + tail.start_of_table * next_of_table) * over_one;
    sum.constant -= tie * (table + output_sum(at.statement, &ch)?);
    at.place(&mut sum, PHI, tie);
    if shape.accumulates(at.log_rows()) {
        let inputs = tail.inputs * over_one;
        sum.constant += tail.start_of_inputs * over_one * row.next_a;
        sum.constant -= inputs * input_sum(shape, at.statement, &ch)?;
        at.place(&mut sum, A, linear.a * over_h + inputs);
    }
    Ok(sum)
}

/// The values that the constraints multiply.
fn row<'s>(at: &At<'_>, limbs: &'s [Fr]) -> Result<Row<'s>, Error> {
    let optional = |name: Name| at.find(name, Point::Here).unwrap_or_default();
    Ok(Row {
        point: at.zeta,
        block_point: pow2(at.zeta, at.log_rows()),
        slots: slots_at(at)?,
        x: at.value(X, Point::Here)?,
        b: at.value(B, Point::Here)?,
        p: at.value(P, Point::Here)?,
        s: limbs,
        next_b: at.value(B, Point::Next)?,
        next_p: at.value(P, Point::Next)?,
        next_c: at.value(C, Point::Next)?,
        next_phi: at.value(PHI, Point::Next)?,
        next_a: at.find(A, Point::Next).unwrap_or_default(),
        block_key: at
            .find(RHO, Point::Here)
            .map_or(Fr::one(), |rho| at.zeta * rho),
        output_group: optional(OUTPUT_GROUP),
        used: optional(USED),
        offset: optional(OFFSET),
        public_inputs: public_inputs(at)?,
    })
}

/// `PI(ζ)` of one row; batches and private inputs have none.
fn public_inputs(at: &At<'_>) -> Result<Fr, Error> {
    let [row] = at.statement.inputs.as_slice() else {
        return Ok(Fr::zero());
    };
    let rows = at.shape.input_rows().into_iter();
    let terms: Vec<_> = rows.zip(row.iter().copied()).collect();
    Lagrange::new(at.shape.log_block(), at.zeta)?.sum(&terms)
}

/// `Asum` (spec 4.4), by Horner's rule over the blocks' input slots.
pub fn input_sum(shape: &Shape, statement: &Statement, ch: &Challenges) -> Result<Fr, Error> {
    let [alpha, ..] = ch.alpha;
    let inputs = &statement.inputs;
    let first = inputs.first().ok_or(Error::Truncated)?;
    let slots = u64::from(shape.groups) * u64::from(shape.input_slots());
    let used = u64::try_from(first.len()).map_err(|_| Error::Shape("views"))?;
    let behind = alpha.pow([slots.checked_sub(used + 1).ok_or(Error::Shape("views"))?]);
    let blocks = 1usize
        .checked_shl(statement.log_rows)
        .ok_or(Error::Shape("rows"))?;
    let padding = std::iter::repeat(first);
    let rows = inputs.iter().chain(padding).take(blocks);
    Ok(rows.fold(Fr::zero(), |sum, row| {
        let entries = row.iter().fold(sum * alpha, |sum, e| sum * alpha + e);
        entries * behind
    }))
}

/// Adds constraint 8 times `weight`: `m`, and `t(X)` (spec 4.2).
fn table_terms(
    sum: &mut Combination,
    at: &At<'_>,
    ch: &Challenges,
    weight: Fr,
) -> Result<(), Error> {
    let (shape, zeta) = (at.shape, at.zeta);
    let (of_table, of_m) = table_constraint(
        zeta,
        at.value(PHI_TABLE, Point::Here)?,
        at.value(PHI_TABLE, Point::NextOfTable)?,
    );
    sum.add(M, of_m * weight);
    let weight = of_table * weight;
    let log_ratio = shape.ratio.trailing_zeros();
    let u = pow2(zeta, shape.log_table().saturating_sub(log_ratio));
    let tag = table_tag(shape.ratio, u).ok_or(Error::Denominator)?;
    let [a1, a2, a3, a4] = ch.alpha;
    sum.constant += weight * (ch.beta + a4 * tag);
    let hidden = weight * (u - Fr::one());
    let factors = [weight, hidden * a1, hidden * a2, hidden * a3];
    for (name, factor) in TABLE.into_iter().zip(factors) {
        sum.add(name, factor);
    }
    Ok(())
}

/// `Osum` (spec 4.4).
pub fn output_sum(statement: &Statement, ch: &Challenges) -> Result<Fr, Error> {
    let [_, a2, _, a4] = ch.alpha;
    let Some((first, rest)) = statement.outputs.split_first() else {
        return Err(Error::Truncated);
    };
    let root = root_of_unity(statement.log_rows).ok_or(Error::Shape("domain"))?;
    let mut sum = Fr::zero();
    let mut k = ch.beta + a4 + a4;
    let keys: Vec<Fr> = first
        .iter()
        .map(|_| {
            k += a2;
            k
        })
        .collect();
    for (value, key) in first.iter().zip(&keys) {
        sum += *value * block_sum(*key, statement.log_rows)?;
    }
    let mut denominators = Vec::new();
    let mut numerators = Vec::new();
    let mut block = Fr::one();
    for row in rest {
        block *= root;
        for ((value, original), key) in row.iter().zip(first).zip(&keys) {
            numerators.push(*value - original);
            denominators.push(*key + block);
        }
    }
    let inverted = assay_algebra::inverses(denominators).ok_or(Error::Denominator)?;
    let later = numerators.iter().zip(inverted).map(|(n, i)| *n * i);
    Ok(sum + later.sum::<Fr>())
}

fn slots_at(at: &At<'_>) -> Result<Slots, Error> {
    let lagrange = slots(at.shape, at.log_domain(), at.zeta)?;
    let input_slots =
        usize::try_from(at.shape.input_slots()).map_err(|_| Error::Shape("stride"))?;
    let every = |from: usize, step: usize| {
        let terms: Vec<_> = (from..input_slots)
            .step_by(step)
            .map(|j| (j, Fr::one()))
            .collect();
        lagrange.sum(&terms)
    };
    Ok(Slots {
        input: every(0, 1)?,
        output: lagrange.one(at.shape.last_slot())?,
        first: lagrange.one(input_slots)?,
        even: every(0, 2)?,
        odd: every(1, 2)?,
    })
}
