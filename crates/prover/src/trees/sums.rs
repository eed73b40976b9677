//! Round 2: helpers and running sums (spec 4.3, 4.4).

use super::session::{Second, Session};
use crate::column::{Column, ONCE, ONCE_IN_PACK, TWICE, TWICE_IN_PACK};
use crate::quotient::invert_all;
use crate::Error;
use ark_ff::{Field, One, Zero};
use assay_algebra::{root_of_unity, Fr};
use assay_circuit::TreeWitness;
use assay_msm::{ByValue, FixedBase};
use assay_verifier::{trees, Shape};
use rayon::prelude::*;
use std::borrow::Cow;

/// What the sums must end at, from the public words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stated {
    /// `Osum`.
    pub outputs: Fr,
    /// `Asum`, which counts only where there is an accumulator.
    pub inputs: Fr,
    /// `α`, for tests that cheat.
    #[cfg_attr(not(feature = "attack"), allow(dead_code))]
    pub alpha: Fr,
}

/// The sums' values on the rows.
pub(crate) struct Values {
    pub helpers: Vec<Vec<Fr>>,
    /// `1/(β + v + α⁴)` for every limb value `v`.
    pub inverses: Vec<Fr>,
    pub phi: Vec<Fr>,
    /// `a`, empty where there is no accumulator.
    pub a: Vec<Fr>,
    /// What `φ_V` grows by at each table row in use.
    pub growth: Vec<(usize, Fr)>,
    /// Where `φ_V` starts: zero.
    pub start_of_table: Fr,
}

impl Session<'_> {
    /// The sums of the witness.
    pub(super) fn sums(&self, ch: &trees::Challenges) -> Result<Values, Error> {
        let witness = &self.witness;
        let [alpha, ..] = ch.alpha;
        let inverses = self.limb_inverses(ch);
        let helpers = self.helpers(witness, ch, &inverses);
        let shape = self.shape();
        Ok(Values {
            phi: self.running_sum(witness, ch, &helpers)?,
            helpers,
            inverses,
            a: if shape.accumulates(self.log_rows) {
                self.accumulate(&witness.x, alpha)
            } else {
                Vec::new()
            },
            growth: self.table_growth(witness, ch),
            start_of_table: Fr::zero(),
        })
    }

    /// Commits to the sums, those over `H` in packs.
    fn pack_second(&self, values: &Values) -> Result<Second, Error> {
        let helpers = values.helpers.iter().map(|helper| (helper, ONCE_IN_PACK));
        let columns = helpers.chain([(&values.phi, TWICE_IN_PACK)]);
        let columns = columns.map(|(values, count)| (Cow::Borrowed(values.as_slice()), count));
        let columns = columns.collect::<Vec<_>>();
        let (packed, phi_table) = rayon::join(|| self.pack(&columns), || self.table_sum(values));
        let (mut points, mut columns) = packed?;
        points.push(phi_table.commitment);
        Ok(Second {
            points,
            a: None,
            phi: columns.pop().ok_or(Error::Damaged("sums"))?,
            helpers: columns,
            phi_table: phi_table.coefficients,
        })
    }

    /// Commits to the sums.
    pub(super) fn commit_second(&self, values: &Values) -> Result<Second, Error> {
        if self.shape().packs(self.log_rows) {
            return self.pack_second(values);
        }
        let first = self.first()?;
        let lagrange = self.lagrange()?;
        let column = |values: &[Fr], count| Column::new(values, count, lagrange);
        let helpers = || -> Vec<Column> {
            if first.by_value.is_empty() {
                let helpers = values.helpers.par_iter();
                helpers.map(|helper| column(helper, ONCE)).collect()
            } else {
                self.grouped_helpers(&first.by_value, values, lagrange)
            }
        };
        let a = || (!values.a.is_empty()).then(|| self.steps(&values.a));
        let ((helpers, a), (phi, phi_table)) = rayon::join(
            || rayon::join(helpers, a),
            || rayon::join(|| column(&values.phi, TWICE), || self.table_sum(values)),
        );
        let a = a.transpose()?;
        let all = helpers.iter().chain(&a).chain([&phi, &phi_table]);
        Ok(Second {
            points: all.map(|column| column.commitment).collect(),
            helpers: helpers.into_iter().map(|h| h.coefficients).collect(),
            a: a.map(|a| a.coefficients),
            phi: phi.coefficients,
            phi_table: phi_table.coefficients,
        })
    }

    /// The helpers of a large batch: `Σ_rows h·[L_row]` is a sum over the limbs' values, which are few.
    fn grouped_helpers(
        &self,
        limbs: &[ByValue],
        values: &Values,
        lagrange: &FixedBase,
    ) -> Vec<Column> {
        let weight = |limb: u64| values.inverses[usize::try_from(limb).unwrap_or(0)];
        let per_helper = self.shape().limbs_per_helper(self.log_rows) as usize;
        values
            .helpers
            .par_iter()
            .zip(limbs.par_chunks(per_helper))
            .map(|(helper, limbs)| {
                let plain = limbs.iter().map(|limb| limb.sum(weight)).sum();
                Column::with_commitment(helper, ONCE, plain, lagrange)
            })
            .collect()
    }

    /// A column that changes at few rows, committed in the running-sum basis.
    fn steps(&self, values: &[Fr]) -> Result<Column, Error> {
        let n = values.len();
        let changes: Vec<(usize, Fr)> = (1..n)
            .into_par_iter()
            .map(|row| (row, values[(row + 1) % n] - values[row]))
            .filter(|(_, change)| !change.is_zero())
            .collect();
        if 2 * changes.len() > n {
            return Ok(Column::new(values, TWICE, self.lagrange()?));
        }
        let basis = self.bases.suffix(self.log_domain)?;
        Ok(self.running(values, changes, values[1], &basis))
    }

    /// A running sum from its start and its changes.
    fn running(
        &self,
        values: &[Fr],
        changes: Vec<(usize, Fr)>,
        start: Fr,
        suffix: &FixedBase,
    ) -> Column {
        let mut column = Column::with_terms(values, TWICE, changes, suffix);
        if !start.is_zero() {
            column.commitment += self.one() * start;
        }
        column
    }

    /// The accumulator over the input slots (spec 4.4): the value before each row, `Asum` in row 0.
    fn accumulate(&self, x: &[Fr], alpha: Fr) -> Vec<Fr> {
        let layout = Layout::new(self.shape());
        let mut values = vec![Fr::zero(); x.len()];
        let mut sum = Fr::zero();
        for (row, value) in values.iter_mut().enumerate().skip(1) {
            *value = sum;
            if layout.is_input(row) {
                sum = sum * alpha + x[row];
            }
        }
        values[0] = sum;
        values
    }

    /// `1/(β + v + α⁴)` for every limb value `v`.
    fn limb_inverses(&self, ch: &trees::Challenges) -> Vec<Fr> {
        let shift = ch.beta + ch.alpha[3];
        let base = self.shape().limb_base();
        let mut inverses: Vec<Fr> = (0..base).map(|limb| shift + Fr::from(limb)).collect();
        invert_all(&mut inverses);
        inverses
    }

    /// `h_j = Σ 1/(β + s_i + α⁴)` over the helper's limbs.
    fn helpers(
        &self,
        witness: &TreeWitness,
        ch: &trees::Challenges,
        inverses: &[Fr],
    ) -> Vec<Vec<Fr>> {
        let shift = ch.beta + ch.alpha[3];
        // Limbs are few small numbers, each inverted once; only a cheating prover's are not among them.
        let of = |limb: u64| {
            let known = usize::try_from(limb).ok().and_then(|at| inverses.get(at));
            known
                .copied()
                .unwrap_or_else(|| (shift + Fr::from(limb)).inverse().unwrap_or_default())
        };
        witness
            .s
            .chunks(self.shape().limbs_per_helper(self.log_rows) as usize)
            .map(|limbs| {
                let sum = |row: usize| limbs.iter().map(|column| of(column[row])).sum();
                (0..self.rows()).into_par_iter().map(sum).collect()
            })
            .collect()
    }

    fn running_sum(
        &self,
        witness: &TreeWitness,
        ch: &trees::Challenges,
        helpers: &[Vec<Fr>],
    ) -> Result<Vec<Fr>, Error> {
        let shape = self.shape();
        let n = self.rows();
        let layout = Layout::new(shape);
        let bound = Fr::from(shape.bound());
        let base = Fr::from(shape.limb_base());
        let [a1, a2, a3, a4] = ch.alpha;
        let keys = self.block_keys()?;
        let used = self.used_rows();

        let mut entries: Vec<Fr> = (0..n)
            .into_par_iter()
            .map(|row| {
                let group = layout.is_output(row).then(|| {
                    let slot = row % shape.block() / shape.stride as usize;
                    Fr::from(1 + shape.group_of_tree(slot).unwrap_or(0) as u64)
                });
                ch.beta
                    + keys[row / shape.block()]
                    + a1 * witness.x[row]
                    + a2 * group.unwrap_or_default()
                    + a4
                    + a4
            })
            .collect();
        let mut nodes: Vec<Fr> = (0..n)
            .into_par_iter()
            .map(|row| {
                if !layout.is_step(row) {
                    return Fr::one();
                }
                let next = row + 1;
                let s = witness
                    .s
                    .iter()
                    .rev()
                    .fold(Fr::zero(), |sum, limb| sum * base + Fr::from(limb[row]));
                ch.beta
                    + (witness.p[row] + Fr::one() - witness.b[row])
                    + a1 * (witness.x[row] - s + bound * witness.b[next])
                    + a2 * witness.p[next]
                    + a3 * witness.c[next]
            })
            .collect();
        invert_all(&mut entries);
        invert_all(&mut nodes);

        let increment = |row: usize| {
            let shared: Fr = helpers.iter().map(|helper| helper[row]).sum();
            let numerator = if layout.is_step(row) {
                return shared + nodes[row] + entries[row];
            } else if layout.is_output(row) {
                witness.c[(row + 1) % n]
            } else if used[row % shape.block()] {
                -witness.p[row]
            } else {
                Fr::zero()
            };
            shared + numerator * entries[row]
        };
        let mut phi: Vec<Fr> = (0..n).into_par_iter().map(increment).collect();
        let mut sum = Fr::zero();
        for value in &mut phi[1..] {
            let increment = *value;
            *value = sum;
            sum += increment;
        }
        phi[0] = sum;
        Ok(phi)
    }

    /// Which rows of a block hold an entry.
    fn used_rows(&self) -> Vec<bool> {
        let shape = self.shape();
        let mut used = vec![false; shape.block()];
        for row in shape.input_rows() {
            used[row] = true;
        }
        used
    }

    /// `κ` of each block.
    fn block_keys(&self) -> Result<Vec<Fr>, Error> {
        let root = root_of_unity(self.log_rows).ok_or(Error::Damaged("rows"))?;
        let mut key = Fr::one();
        Ok((0..1usize << self.log_rows)
            .map(|_| {
                let now = key;
                key *= root;
                now
            })
            .collect())
    }

    /// `m/t` at the table rows in use.
    fn table_growth(&self, witness: &TreeWitness, ch: &trees::Challenges) -> Vec<(usize, Fr)> {
        let [a1, a2, a3, a4] = ch.alpha;
        let ratio = self.shape().ratio as usize;
        let used: Vec<usize> = (1..witness.m.len())
            .filter(|at| witness.m[*at] > 0)
            .collect();
        let mut terms: Vec<Fr> = used
            .iter()
            .map(|at| {
                let [public, g, a, c] = self.relation.table.rows[*at];
                let rest = if at % ratio == 0 {
                    a4
                } else {
                    a1 * g + a2 * a + a3 * c
                };
                ch.beta + public + rest
            })
            .collect();
        invert_all(&mut terms);
        used.into_iter()
            .zip(terms)
            .map(|(at, inverse)| (at, inverse * Fr::from(witness.m[at])))
            .collect()
    }

    /// `φ_V`: grows at the table rows in use only, so it is committed in the running-sum basis.
    fn table_sum(&self, sums: &Values) -> Column {
        let size = self.relation.table.rows.len();
        let mut values = vec![Fr::zero(); size];
        for (at, term) in &sums.growth {
            values[(at + 1) % size] += term;
        }
        // values holds the growth at the following position; position 0 comes last.
        let mut sum = sums.start_of_table;
        for at in (1..size).chain([0]) {
            sum += values[at];
            values[at] = sum;
        }
        let growth = sums.growth.clone();
        self.running(&values, growth, sums.start_of_table, &self.suffix)
    }
}

/// What kind of row a row of `H` is.
#[derive(Clone, Copy)]
pub(crate) struct Layout {
    stride: usize,
    inputs: usize,
}

impl Layout {
    pub fn new(shape: &Shape) -> Self {
        Self {
            stride: shape.stride as usize,
            inputs: shape.input_slots() as usize,
        }
    }

    pub fn is_input(self, row: usize) -> bool {
        row % self.stride < self.inputs
    }

    fn is_output(self, row: usize) -> bool {
        row % self.stride == self.stride - 1
    }

    fn is_step(self, row: usize) -> bool {
        !self.is_input(row) && !self.is_output(row)
    }
}
