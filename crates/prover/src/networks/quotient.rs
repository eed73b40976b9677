//! Round 5: the quotient of all constraints (5).

use super::session::{Session, ORDER};
use crate::quotient::{Coset, Cosets, Shifted};
use crate::Error;
use ark_ff::{batch_inversion, Field, One, Zero};
use assay_algebra::{add_scaled, divide_by_linear, root_of_unity, shift, Fr};
use assay_verifier::networks::{
    constraints, names, table_constraint, table_factors, Challenges, Constants, Fold, Row,
    TableRow, Tail, Weights, MAX_HELPERS,
};
use assay_verifier::relation::Name;
use rayon::prelude::*;

/// A quotient by `Z_n` has degree `3n` and a little.
const DEGREE: usize = 3;
/// The most limbs of a remainder.
const LIMBS: usize = 4;

impl Session<'_> {
    /// Everything, for the challenges of all rounds.
    pub(super) fn quotient_of(&self, ch: &Challenges) -> Result<Vec<Fr>, Error> {
        let constants = Constants::new(self.shape(), self.network()?);
        let weights = Weights::new(&constants, ch);
        let tail = weights.tail;
        let (of_rows, of_table) = rayon::join(
            || self.quotient_of_rows(&constants, ch, &weights),
            || self.quotient_of_table(ch),
        );
        let mut quotient = of_rows?;
        add_scaled(&mut quotient, &of_table?, tail.table);
        let at_one = self.quotient_at_one(ch, tail)?;
        add_scaled(&mut quotient, &at_one, Fr::one());
        add_scaled(&mut quotient, self.quotient_of_fold()?, tail.fold);
        let mut reversed = self.column(names::FOLDED)?.clone();
        reversed.reverse();
        add_scaled(&mut quotient, &reversed, tail.degree);
        Ok(quotient)
    }

    /// The constraints at `X = 1`, over `X - 1`.
    fn quotient_at_one(&self, ch: &Challenges, tail: Tail) -> Result<Vec<Fr>, Error> {
        let public = self.fourth.as_ref().ok_or(ORDER)?.public;
        let omega = root_of_unity(self.log_domain).unwrap_or_default();
        let of_table = root_of_unity(self.shape().log_table()).unwrap_or_default();
        let phi = self.column(names::PHI)?;
        let phi_table = self.column(names::PHI_TABLE)?;
        let mut at_one = Vec::new();
        add_scaled(&mut at_one, &shift(phi, omega), tail.start);
        add_scaled(
            &mut at_one,
            &shift(phi_table, of_table),
            tail.start_of_table,
        );
        add_scaled(&mut at_one, phi, tail.tie);
        add_scaled(&mut at_one, phi_table, -tail.tie);
        at_one[0] -= tail.tie * ch.mu * public;
        Ok(divide_by_linear(&at_one, Fr::one()).0)
    }

    /// `Σ y^i C_i / Z_n`.
    fn quotient_of_rows(
        &self,
        constants: &Constants,
        ch: &Challenges,
        weights: &Weights,
    ) -> Result<Vec<Fr>, Error> {
        let columns = self.columns()?;
        Ok(Cosets::new(self.log_domain, DEGREE).divide(|coset| {
            let on = columns.on(coset);
            let fixed = self.fixed.on_coset(coset);
            let find = |name: Name| self.fixed.of(&fixed, name).unwrap_or_default();
            let [read_a, read_b, slot, column, position] = [
                names::READ_A,
                names::READ_B,
                names::SLOT,
                names::COLUMN,
                names::POSITION,
            ]
            .map(find);
            let [max, used, count, count_cell, lane, product] = [
                names::MAX,
                names::USED,
                names::COUNT,
                names::COUNT_CELL,
                names::LANE,
                names::PRODUCT,
            ]
            .map(find);
            let at = |values: &[Fr], i: usize| values.get(i).copied().unwrap_or_default();
            let lane_of = |i: usize| lane.get(i).copied().unwrap_or(Fr::one());
            coset.map(|i, point| {
                let in_block = i % slot.len();
                let mut limbs = [Fr::zero(); LIMBS];
                for (limb, values) in limbs.iter_mut().zip(&on.limbs) {
                    *limb = values[i];
                }
                let mut helpers = [Fr::zero(); MAX_HELPERS];
                for (helper, values) in helpers.iter_mut().zip(&on.helpers) {
                    *helper = values[i];
                }
                let row = Row {
                    point,
                    a: on.a.here[i],
                    b: on.b.here[i],
                    next_a: on.a.next(i),
                    next_b: on.b.next(i),
                    segment: on.segment[i],
                    low: on.low[i],
                    limbs: &limbs[..on.limbs.len()],
                    slope: on.slope[i],
                    y: on.y[i],
                    read_a: read_a[in_block],
                    read_b: read_b[in_block],
                    slot: slot[in_block],
                    column: column[in_block],
                    position: position[in_block],
                    max: at(max, in_block),
                    used: at(used, in_block),
                    count: count[in_block],
                    count_cell: at(count_cell, in_block),
                    lane: lane_of(in_block),
                    product: product[in_block],
                    helpers: &helpers[..on.helpers.len()],
                    linear: on.linear[i],
                    next_phi: on.phi.next(i),
                };
                let sum = constraints(constants, ch, weights, &row);
                let input = on.input.as_ref().map_or(Fr::zero(), |input| input[i]);
                sum.constant + sum.phi * on.phi.here[i] + sum.input * input
            })
        }))
    }

    /// `C_4 / Z_N`.
    fn quotient_of_table(&self, ch: &Challenges) -> Result<Vec<Fr>, Error> {
        let [phi, m, gathered, folded] = [
            self.column(names::PHI_TABLE)?,
            self.column(names::M)?,
            self.column(names::GATHERED)?,
            self.column(names::FOLDED)?,
        ];
        let network = self.network()?;
        let fold = Fold::new(network, ch)?;
        let (log, slots) = (self.shape().log_table(), network.slots as usize);
        let factors = table_factors(ch);
        Ok(Cosets::beyond(log, slots + MORE).divide(|coset| {
            let of = |column: &[Fr]| coset.evaluate(column);
            let ((phi, m), (gathered, folded)) = rayon::join(
                || rayon::join(|| coset.evaluate_shifted(phi), || of(m)),
                || rayon::join(|| of(gathered), || of(folded)),
            );
            let table = self.relation.table.on_coset(coset);
            let indicator = indicator(coset, slots, log);
            coset.map(|i, point| {
                let row = TableRow {
                    point,
                    gathered: indicator[i % indicator.len()] * gathered[i],
                    folded: folded[i],
                    phi: phi.here[i],
                    next_phi: phi.next(i),
                };
                let (of_table, of_m) = table_constraint(&fold, ch, &row);
                let polynomials = table.iter().zip(factors);
                let t: Fr = polynomials.map(|(values, factor)| factor * values[i]).sum();
                of_table * (ch.beta + t) + of_m * m[i]
            })
        }))
    }

    fn columns(&self) -> Result<Columns<'_>, Error> {
        let limbs = self.shape().limbs as usize;
        let helpers = self.network()?.helpers(self.shape());
        let mut plain = vec![names::SEGMENT, names::LOW, names::SLOPE, names::Y];
        plain.extend(Name::numbered(names::LIMB, limbs));
        plain.push(names::LINEAR);
        plain.extend(Name::numbered(names::HELPER, helpers));
        let plain = plain.into_iter().map(|name| self.column(name));
        let mut plain: Vec<&Vec<Fr>> = plain.collect::<Result<_, _>>()?;
        plain.extend(self.input().map(|input| &input.coefficients));
        Ok(Columns {
            plain,
            shifted: [
                self.column(names::A)?,
                self.column(names::B)?,
                self.column(names::PHI)?,
            ],
            limbs,
            helpers,
        })
    }
}

/// The quotient on `V` has `N + K` coefficients and so many more.
const MORE: usize = 8;

/// `1_U = (K/N)·(X^N - 1)/(X^K - 1)` on a coset of `V`: one period.
fn indicator(coset: &Coset, slots: usize, log_table: u32) -> Vec<Fr> {
    let mut over: Vec<Fr> = coset.powers(slots).iter().map(|x| *x - Fr::one()).collect();
    let ratio = (1usize << log_table) / slots;
    let vanishing = coset.powers(1 << log_table)[0] - Fr::one();
    let factor = vanishing * Fr::from(ratio as u64).inverse().unwrap_or_default();
    batch_inversion(&mut over);
    for value in &mut over {
        *value *= factor;
    }
    over
}

/// The columns of `H`.
struct Columns<'a> {
    /// Those that are read in place, in the order in which [`OnCoset`] takes them.
    plain: Vec<&'a Vec<Fr>>,
    shifted: [&'a Vec<Fr>; 3],
    limbs: usize,
    helpers: usize,
}

/// Their values on a coset.
struct OnCoset {
    a: Shifted,
    b: Shifted,
    phi: Shifted,
    segment: Vec<Fr>,
    low: Vec<Fr>,
    limbs: Vec<Vec<Fr>>,
    slope: Vec<Fr>,
    y: Vec<Fr>,
    linear: Vec<Fr>,
    helpers: Vec<Vec<Fr>>,
    input: Option<Vec<Fr>>,
}

impl Columns<'_> {
    fn on(&self, coset: &Coset) -> OnCoset {
        let of = |column: &&Vec<Fr>| coset.evaluate(column);
        let shifted = |column: &&Vec<Fr>| coset.evaluate_shifted(column);
        let (plain, shifted): (Vec<Vec<Fr>>, Vec<Shifted>) = rayon::join(
            || self.plain.par_iter().map(of).collect(),
            || self.shifted.par_iter().map(shifted).collect(),
        );
        let mut plain = plain.into_iter();
        let mut shifted = shifted.into_iter();
        // There are as many as were made above.
        let mut next = || plain.next().unwrap_or_default();
        let (segment, low, slope, y) = (next(), next(), next(), next());
        let limbs = (0..self.limbs).map(|_| next()).collect();
        let linear = next();
        let helpers = (0..self.helpers).map(|_| next()).collect();
        let input = plain.next();
        let mut next = || shifted.next().unwrap_or_default();
        OnCoset {
            a: next(),
            b: next(),
            phi: next(),
            segment,
            low,
            limbs,
            slope,
            y,
            linear,
            helpers,
            input,
        }
    }
}
