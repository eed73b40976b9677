//! The claims of a tree proof (spec 4).

use crate::lagrange::{block_sum, pow2, Lagrange};
use crate::opening::{Claim, PointSet};
use crate::proof::Proof;
use crate::verify::{divisors, here, opened, root, Feed, View};
use crate::{trees, Error, Fixed, Shape};
use ark_bn254::G1Affine;
use ark_ff::{Field, One, Zero};
use assay_algebra::Fr;

/// The points and values of a tree proof, by their names in the spec.
struct TreeParts {
    x: G1Affine,
    b: G1Affine,
    p: G1Affine,
    c: G1Affine,
    s: Vec<G1Affine>,
    m: G1Affine,
    helpers: Vec<G1Affine>,
    /// `a`, where there is one.
    a: Option<G1Affine>,
    phi: G1Affine,
    phi_table: G1Affine,
    x_value: Fr,
    s_values: Vec<Fr>,
    fixed_values: Vec<Fr>,
    b_value: Fr,
    p_value: Fr,
    phi_table_value: Fr,
    next_b: Fr,
    next_p: Fr,
    next_c: Fr,
    next_a: Option<Fr>,
    next_phi: Fr,
    next_phi_table_value: Fr,
}

impl TreeParts {
    /// Takes them in the order of spec 4.3 and 4.5.
    fn read(shape: &Shape, log_rows: u32, fixed: usize, proof: &Proof<'_>) -> Result<Self, Error> {
        let accumulators = usize::from(shape.accumulates(log_rows));
        let limbs = usize::try_from(shape.limbs).map_err(|_| Error::Shape("limbs"))?;
        let [one, two, _] = &proof.rounds;
        let (mut one, mut two) = (Feed(one.iter()), Feed(two.iter()));
        let mut values = Feed(proof.evaluations.iter());
        Ok(Self {
            x: one.one()?,
            b: one.one()?,
            p: one.one()?,
            c: one.one()?,
            s: one.many(limbs)?,
            m: one.one()?,
            helpers: two.many(shape.helpers(log_rows))?,
            a: two.many(accumulators)?.pop(),
            phi: two.one()?,
            phi_table: two.one()?,
            x_value: values.one()?,
            s_values: values.many(limbs)?,
            fixed_values: values.many(fixed)?,
            b_value: values.one()?,
            p_value: values.one()?,
            phi_table_value: values.one()?,
            next_b: values.one()?,
            next_p: values.one()?,
            next_c: values.one()?,
            next_a: values.many(accumulators)?.pop(),
            next_phi: values.one()?,
            next_phi_table_value: values.one()?,
        })
    }

    /// The batch in the order of spec 4.7.
    fn claims(&self, remainder: Claim, fixed: &[G1Affine]) -> Vec<Claim> {
        let singles = |points: &[G1Affine], values: &[Fr]| {
            points
                .iter()
                .zip(values)
                .map(|(point, value)| here(*point, *value))
                .collect::<Vec<_>>()
        };
        let mut claims = vec![remainder, here(self.x, self.x_value)];
        claims.extend(singles(&self.s, &self.s_values));
        claims.extend(singles(fixed, &self.fixed_values));
        claims.push(opened(
            self.b,
            PointSet::HereAndNext,
            self.b_value,
            self.next_b,
        ));
        claims.push(opened(
            self.p,
            PointSet::HereAndNext,
            self.p_value,
            self.next_p,
        ));
        claims.push(opened(self.c, PointSet::Next, Fr::zero(), self.next_c));
        if let (Some(a), Some(next)) = (self.a, self.next_a) {
            claims.push(opened(a, PointSet::Next, Fr::zero(), next));
        }
        claims.push(opened(self.phi, PointSet::Next, Fr::zero(), self.next_phi));
        let (now, next) = (self.phi_table_value, self.next_phi_table_value);
        claims.push(opened(
            self.phi_table,
            PointSet::HereAndNextOfTable,
            now,
            next,
        ));
        claims
    }
}

impl View<'_> {
    pub(crate) fn tree_claims(
        &self,
        proof: &Proof<'_>,
        ch: &trees::Challenges,
        zeta: Fr,
    ) -> Result<Vec<Claim>, Error> {
        let parts = TreeParts::read(self.shape, self.log_rows, self.fixed.len(), proof)?;
        let row = self.tree_row(&parts, zeta)?;
        let constants = trees::Constants::new(self.shape, self.log_rows);
        let weights = trees::Weights::new(&constants, ch);
        let tail = weights.tail;
        let sum = trees::constraints(&constants, ch, &weights, &row);
        let vanish = pow2(zeta, self.log_domain) - Fr::one();
        let vanish_table = pow2(zeta, self.shape.log_table()) - Fr::one();
        let [over_h, over_v, over_one] = divisors(vanish, vanish_table, zeta - Fr::one())?;
        let mut remainder = Claim {
            constant: sum.constant * over_h,
            terms: vec![(sum.c * over_h, parts.c), (sum.phi * over_h, parts.phi)],
            set: PointSet::Here,
            here: Fr::zero(),
            next: Fr::zero(),
        };
        for (coefficient, point) in sum.helpers.iter().zip(&parts.helpers) {
            remainder.terms.push((*coefficient * over_h, *point));
        }
        if let Some(input) = self.statement.commitment {
            remainder.terms.push((sum.input * over_h, input));
        }
        self.table_terms(&mut remainder, &parts, ch, tail.table * over_v, zeta)?;
        // The constraints at X = 1.
        let tie = tail.tie * over_one;
        remainder.constant += (tail.start * parts.next_phi
            + tail.start_of_table * parts.next_phi_table_value)
            * over_one;
        remainder.constant -= tie * (parts.phi_table_value + self.output_sum(ch)?);
        remainder.terms.push((tie, parts.phi));
        if let (Some(a), Some(next)) = (parts.a, parts.next_a) {
            let inputs = tail.inputs * over_one;
            remainder.constant += tail.start_of_inputs * over_one * next;
            remainder.constant -= inputs * self.input_sum(ch)?;
            remainder.terms.push((sum.a * over_h + inputs, a));
        }
        let [_, _, chunks] = &proof.rounds;
        remainder.terms.extend(self.quotient_terms(chunks, zeta));
        Ok(parts.claims(remainder, self.fixed))
    }

    /// The values that the constraints multiply.
    fn tree_row<'p>(&self, parts: &'p TreeParts, zeta: Fr) -> Result<trees::Row<'p>, Error> {
        let shape = self.shape;
        let names = shape.fixed(self.log_rows);
        let fixed = |name: Fixed| {
            names
                .iter()
                .zip(&parts.fixed_values)
                .find(|(n, _)| **n == name)
                .map(|(_, value)| *value)
        };
        Ok(trees::Row {
            point: zeta,
            block_point: pow2(zeta, self.log_rows),
            slots: self.tree_slots(zeta)?,
            x: parts.x_value,
            b: parts.b_value,
            p: parts.p_value,
            s: &parts.s_values,
            next_b: parts.next_b,
            next_p: parts.next_p,
            next_c: parts.next_c,
            next_phi: parts.next_phi,
            next_a: parts.next_a.unwrap_or_default(),
            block_key: fixed(Fixed::Rho).map_or(Fr::one(), |rho| zeta * rho),
            output_group: fixed(Fixed::OutputGroup).unwrap_or_default(),
            used: fixed(Fixed::Used).unwrap_or_default(),
            offset: fixed(Fixed::Offset).unwrap_or_default(),
            public_inputs: self.public_inputs(zeta)?,
        })
    }

    /// `PI(ζ)` of one row; batches and private inputs have none.
    fn public_inputs(&self, zeta: Fr) -> Result<Fr, Error> {
        let [row] = self.statement.inputs.as_slice() else {
            return Ok(Fr::zero());
        };
        let terms: Vec<_> = self
            .shape
            .input_rows()
            .into_iter()
            .zip(row.iter().copied())
            .collect();
        Lagrange::new(self.shape.log_block(), zeta)?.sum(&terms)
    }

    /// `Asum` (spec 4.4), by Horner's rule over the blocks' input slots.
    fn input_sum(&self, ch: &trees::Challenges) -> Result<Fr, Error> {
        let [alpha, ..] = ch.alpha;
        let inputs = &self.statement.inputs;
        let first = inputs.first().ok_or(Error::Truncated)?;
        let slots = u64::from(self.shape.groups) * u64::from(self.shape.input_slots());
        let used = u64::try_from(first.len()).map_err(|_| Error::Shape("views"))?;
        let behind = alpha.pow([slots.checked_sub(used + 1).ok_or(Error::Shape("views"))?]);
        let blocks = 1usize
            .checked_shl(self.log_rows)
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
        &self,
        claim: &mut Claim,
        parts: &TreeParts,
        ch: &trees::Challenges,
        weight: Fr,
        zeta: Fr,
    ) -> Result<(), Error> {
        let (of_table, of_m) =
            trees::table_constraint(zeta, parts.phi_table_value, parts.next_phi_table_value);
        claim.terms.push((of_m * weight, parts.m));
        let weight = of_table * weight;
        let log_ratio = self.shape.ratio.trailing_zeros();
        let u = pow2(zeta, self.shape.log_table().saturating_sub(log_ratio));
        let tag = trees::table_tag(self.shape.ratio, u).ok_or(Error::Denominator)?;
        let [a1, a2, a3, a4] = ch.alpha;
        claim.constant += weight * (ch.beta + a4 * tag);
        let hidden = weight * (u - Fr::one());
        let factors = [weight, hidden * a1, hidden * a2, hidden * a3];
        claim
            .terms
            .extend(factors.into_iter().zip(self.table.iter().copied()));
        Ok(())
    }

    /// `Osum`.
    fn output_sum(&self, ch: &trees::Challenges) -> Result<Fr, Error> {
        let [_, a2, _, a4] = ch.alpha;
        let Some((first, rest)) = self.statement.outputs.split_first() else {
            return Err(Error::Truncated);
        };
        let root = root(self.log_rows)?;
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
            sum += *value * block_sum(*key, self.log_rows)?;
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
        Ok(sum
            + numerators
                .iter()
                .zip(inverted)
                .map(|(n, i)| *n * i)
                .sum::<Fr>())
    }

    fn tree_slots(&self, zeta: Fr) -> Result<trees::Slots, Error> {
        let slots = self.slot(zeta)?;
        let input_slots =
            usize::try_from(self.shape.input_slots()).map_err(|_| Error::Shape("stride"))?;
        let every = |from: usize, step: usize| {
            let terms: Vec<_> = (from..input_slots)
                .step_by(step)
                .map(|j| (j, Fr::one()))
                .collect();
            slots.sum(&terms)
        };
        Ok(trees::Slots {
            input: every(0, 1)?,
            output: slots.one(self.last_slot())?,
            first: slots.one(input_slots)?,
            even: every(0, 2)?,
            odd: every(1, 2)?,
        })
    }
}
