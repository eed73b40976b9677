//! The columns of rounds 2 to 4: what is gathered, the fractions' helpers, the sums (4.1, 5).

use super::fixed::Fixed;
use super::gather::on_roots;
use super::NetworkRelation;
use crate::quotient::invert_all;
use ark_ff::{Field, One, Zero};
use assay_algebra::{root_of_unity, signed, Fr};
use assay_circuit::{Address, NetworkModel, NetworkWitness};
use assay_verifier::networks::{names, outside, Challenges, Fold, PER_HELPER};
use rayon::prelude::*;

/// Rows of a task.
const TASK: usize = 256;

/// What rounds need of all rows.
pub(super) struct Rows<'a> {
    pub relation: &'a NetworkRelation,
    pub fixed: &'a Fixed,
    pub witness: &'a NetworkWitness,
    /// `ω^i`.
    pub points: &'a [Fr],
}

/// The inverses of the lookups' denominators.
pub(super) struct Inverses {
    /// Of `t` at the rows of the table in use.
    pub table: Vec<Fr>,
    /// Of `D_y` of all rows.
    pub values: Vec<Fr>,
    /// Of `D_q` of the rows whose `q` is read.
    pub arguments: Vec<Fr>,
}

/// The powers of the root of unity of order `2^log`.
pub(super) fn points(log: u32) -> Vec<Fr> {
    let root = root_of_unity(log).unwrap_or_default();
    let mut values = vec![Fr::zero(); 1 << log];
    let tasks = values.par_chunks_mut(TASK).enumerate();
    tasks.for_each(|(chunk, values)| {
        let mut point = root.pow([(chunk * TASK) as u64]);
        for value in values {
            *value = point;
            point *= root;
        }
    });
    values
}

fn number(value: i64) -> Fr {
    signed(i128::from(value))
}

impl Rows<'_> {
    fn count(&self) -> usize {
        self.points.len()
    }

    fn block(&self) -> usize {
        self.relation.shape().block()
    }

    fn fixed(&self, name: assay_verifier::relation::Name) -> Option<&[Fr]> {
        self.fixed.on_rows(name).map(Vec::as_slice)
    }

    /// `1/(u_c - cp)`.
    pub fn over_positions(&self, u: Fr) -> Vec<Fr> {
        let position = self.fixed(names::POSITION).unwrap_or_default();
        let of = |row: usize| u - self.points[row] * position[row % self.block()];
        let mut over: Vec<Fr> = (0..self.count()).into_par_iter().map(of).collect();
        invert_all(&mut over);
        over
    }

    /// `x̃`.
    pub fn gathered(&self, over_positions: &[Fr]) -> Vec<Fr> {
        let slots = &self.relation.gathered_slots;
        let mut sums = vec![Fr::zero(); self.relation.model.network().slots];
        for (row, value) in self.witness.a.iter().enumerate().skip(1) {
            if let (Some(slot), true) = (slots[row % self.block()], *value != 0) {
                sums[slot] += number(*value) * over_positions[row];
            }
        }
        self.relation.slots.gathered(sums)
    }

    /// `z` of a row without what its products and its difference add.
    fn linear_part(&self, row: usize) -> Fr {
        let (network, witness) = (self.relation.model.network(), self.witness);
        let limbs = witness.r.iter().rev();
        let rest = limbs.fold(0, |sum, limb| {
            (sum << network.limb_bits) + i128::from(limb[row])
        });
        let argument =
            (i128::from(witness.k[row]) << network.low_bits) + i128::from(witness.l[row]);
        let mut z = (argument << network.shift()) + rest;
        let in_block = row % self.block();
        if network.cells.max.get(in_block) == Some(&1) {
            z -= (i128::from(witness.a[row]) - i128::from(witness.b[row])) << network.shift();
        }
        let mut value = signed(z);
        let product = self.fixed(names::PRODUCT).unwrap_or_default()[in_block];
        if !product.is_zero() {
            let pair = |row: usize| i128::from(witness.a[row]) * i128::from(witness.b[row]);
            value -= product * signed(pair(row) + pair((row + 1) % self.count()));
        }
        value
    }

    /// `h_lin`.
    pub fn linear(&self, ch: &Challenges, over_positions: &[Fr]) -> Vec<Fr> {
        let invert = |at: Fr, values: &[Fr]| {
            let mut over: Vec<Fr> = values.iter().map(|value| at - value).collect();
            invert_all(&mut over);
            over
        };
        let mut over_slots = invert(ch.s, self.fixed(names::SLOT).unwrap_or_default());
        let over_columns = invert(ch.p, self.fixed(names::COLUMN).unwrap_or_default());
        let lanes = self.fixed(names::LANE);
        for (row, over) in over_slots.iter_mut().enumerate() {
            *over *= ch.nu * lanes.map_or(Fr::one(), |lanes| lanes[row]);
        }
        let of = |row: usize| {
            let in_block = row % self.block();
            let mut sum = over_columns[in_block] * self.linear_part(row);
            if self.witness.a[row] != 0 {
                sum += over_slots[in_block] * number(self.witness.a[row]);
            }
            sum * over_positions[row]
        };
        (0..self.count()).into_par_iter().map(of).collect()
    }

    /// The inverses that the lookups of an honest witness are made of.
    pub fn inverses(&self, ch: &Challenges) -> Inverses {
        let [a1, a2, a3] = ch.alpha;
        let (model, witness) = (&self.relation.model, self.witness);
        // Row 0 looks up, too, though nothing counts it.
        let mut used: Vec<usize> = (1..witness.m.len())
            .filter(|at| witness.m[*at] > 0)
            .collect();
        used.extend(
            witness
                .r
                .iter()
                .map(|limb| NetworkModel::range_row(limb[0])),
        );
        used.extend([
            model.low_row(witness.l[0]),
            model.segment_row(witness.segment[0]),
        ]);
        let table_value = |at: &usize| {
            let [id, slope, offset] = self.relation.table.rows[*at];
            ch.beta + id + a1 * slope + a2 * offset
        };
        let mut table_values: Vec<Fr> = used.par_iter().map(table_value).collect();
        invert_all(&mut table_values);
        let mut table = vec![Fr::zero(); witness.m.len()];
        for (at, inverse) in used.iter().zip(table_values) {
            table[*at] = inverse;
        }
        let wire = ch.beta + a3;
        let written = |row: usize| wire + number(witness.y[row]) + a1 * self.points[row];
        let mut values: Vec<Fr> = (0..self.count()).into_par_iter().map(written).collect();
        invert_all(&mut values);
        Inverses {
            table,
            values,
            arguments: self.over_arguments(ch, wire),
        }
    }

    /// `1/D_q` where a `q` is read, 0 elsewhere; nothing without such rows.
    fn over_arguments(&self, ch: &Challenges, wire: Fr) -> Vec<Fr> {
        let Some(counts) = self.fixed(names::COUNT_CELL) else {
            return Vec::new();
        };
        let network = self.relation.model.network();
        let base = network.tables[network.q_table].base;
        let of = |row: usize| {
            if counts[row % self.block()].is_zero() {
                return Fr::zero();
            }
            let segment = i128::from(self.witness.k[row]) - i128::from(base);
            let argument = (segment << network.low_bits) + i128::from(self.witness.l[row]);
            wire + signed(argument << network.q_shift) + ch.alpha[0] * outside() * self.points[row]
        };
        let mut over: Vec<Fr> = (0..self.count()).into_par_iter().map(of).collect();
        invert_all(&mut over);
        over
    }

    /// `h_1 … h_Hn`.
    pub fn helpers(&self, inverses: &Inverses) -> Vec<Vec<Fr>> {
        let (model, witness) = (&self.relation.model, self.witness);
        let reads = &self.relation.addresses;
        let counts = self.fixed(names::COUNT_CELL);
        let block = self.block();
        let read = |row: usize, which: usize| {
            let in_block = row % block;
            let Address {
                row: target,
                argument,
            } = reads[in_block][which];
            let at = row - in_block + target;
            if argument {
                inverses.arguments[at]
            } else {
                inverses.values[at]
            }
        };
        let limbs = witness.r.len();
        let fraction = |row: usize, which: usize| match which.checked_sub(limbs) {
            None => inverses.table[NetworkModel::range_row(witness.r[which][row])],
            Some(0) => inverses.table[model.low_row(witness.l[row])],
            Some(1) => read(row, 0),
            Some(2) => read(row, 1),
            Some(_) => {
                let count = counts.map_or(Fr::zero(), |counts| counts[row % block]);
                if count.is_zero() {
                    count
                } else {
                    -count * inverses.arguments[row]
                }
            }
        };
        let fractions = limbs + 3 + usize::from(counts.is_some());
        let each = (0..fractions).step_by(PER_HELPER).map(|first| {
            let last = fractions.min(first + PER_HELPER);
            let of = |row: usize| (first..last).map(|which| fraction(row, which)).sum();
            (0..self.count())
                .into_par_iter()
                .with_min_len(TASK)
                .map(of)
                .collect()
        });
        each.collect()
    }

    /// `φ`: the sum before each row, the total in row 0; `sums` are `h_1 … h_Hn, h_lin`.
    pub fn running(&self, ch: &Challenges, inverses: &Inverses, sums: &[Vec<Fr>]) -> Vec<Fr> {
        let counts = self.fixed(names::COUNT).unwrap_or_default();
        let Some((linear, helpers)) = sums.split_last() else {
            return Vec::new();
        };
        let of = |row: usize| {
            let count = counts[row % self.block()];
            let helped: Fr = helpers.iter().map(|helper| helper[row]).sum();
            let looked_up =
                inverses.table[self.relation.model.segment_row(self.witness.segment[row])];
            let mut sum = helped + ch.mu * linear[row] + looked_up;
            if !count.is_zero() {
                sum -= count * inverses.values[row];
            }
            sum
        };
        running_sum(
            (0..self.count())
                .into_par_iter()
                .with_min_len(TASK)
                .map(of)
                .collect(),
        )
    }

    /// What `φ_V` grows by at each row of the table, where that is not nothing.
    pub fn growth(
        &self,
        ch: &Challenges,
        fold: &Fold,
        table: &[Fr],
        gathered: &[Fr],
        folded: &[Fr],
    ) -> Vec<(usize, Fr)> {
        let m = &self.witness.m;
        let mut growth = vec![Fr::zero(); m.len()];
        for (at, (uses, inverse)) in m.iter().zip(table).enumerate().skip(1) {
            if *uses > 0 {
                growth[at] = *inverse * Fr::from(*uses);
            }
        }
        let slots = gathered.len();
        let points = &self.relation.slots.points;
        let mut over: Vec<Fr> = points.iter().map(|point| ch.s - point).collect();
        invert_all(&mut over);
        let step = m.len() / slots;
        for (slot, folded) in on_roots(folded, slots).into_iter().enumerate().skip(1) {
            let factor = fold.factor(ch, points[slot], folded) * over[slot];
            growth[slot * step] += ch.mu * gathered[slot] * factor;
        }
        let grows = |(_, term): &(usize, Fr)| !term.is_zero();
        growth.into_iter().enumerate().filter(grows).collect()
    }
}

/// The sum of all terms before each but the first, and the total in its place.
pub(super) fn running_sum(mut terms: Vec<Fr>) -> Vec<Fr> {
    let mut sum = Fr::zero();
    for term in &mut terms[1..] {
        let own = *term;
        *term = sum;
        sum += own;
    }
    terms[0] = sum;
    terms
}
