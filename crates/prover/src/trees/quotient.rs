//! Round 3: the quotient of all constraints (spec 4.4).

use super::fixed;
use super::session::{First, Second, Session};
use crate::column::Column;
use crate::quotient::{Coset, Cosets, Shifted};
use crate::Error;
use ark_ff::{batch_inversion, Field, One, Zero};
use assay_algebra::{add_scaled, divide_by_linear, root_of_unity, shift, Fr};
use assay_verifier::relation::Name;
use assay_verifier::trees::{self, names};
use rayon::prelude::*;

impl Session<'_> {
    /// Everything, for the challenges of both rounds.
    pub(super) fn quotient_of(&self, ch: &trees::Challenges) -> Result<Vec<Fr>, Error> {
        let (first, second) = (self.first()?, self.second()?);
        let constants = trees::Constants::new(self.shape(), self.log_rows);
        let weights = trees::Weights::new(&constants, ch);
        let (mut quotient, of_table) = rayon::join(
            || self.quotient_of_rows(first, second, ch, &weights),
            || self.quotient_of_table(first, second, ch),
        );
        add_scaled(&mut quotient, &of_table, weights.tail.table);
        add_scaled(
            &mut quotient,
            &self.quotient_at_one(second, weights.tail),
            Fr::one(),
        );
        Ok(quotient)
    }

    /// The constraints at `X = 1`, over `X - 1`.
    fn quotient_at_one(&self, second: &Second, tail: trees::Tail) -> Vec<Fr> {
        let omega = root_of_unity(self.log_domain).unwrap_or_default();
        let nu = root_of_unity(self.shape().log_table()).unwrap_or_default();
        let (phi, phi_table) = (&second.phi, &second.phi_table);
        let stated = self.stated();
        let mut at_one = Vec::new();
        add_scaled(&mut at_one, &shift(phi, omega), tail.start);
        add_scaled(&mut at_one, &shift(phi_table, nu), tail.start_of_table);
        add_scaled(&mut at_one, phi, tail.tie);
        add_scaled(&mut at_one, phi_table, -tail.tie);
        at_one[0] -= tail.tie * stated.outputs;
        if let Some(a) = &second.a {
            let moved = shift(a, omega);
            add_scaled(&mut at_one, &moved, tail.start_of_inputs);
            add_scaled(&mut at_one, a, tail.inputs);
            at_one[0] -= tail.inputs * stated.inputs;
        }
        divide_by_linear(&at_one, Fr::one()).0
    }

    /// The fixed polynomials as polynomials in `X^nb`.
    fn fixed_of_block(&self) -> Vec<(Name, Vec<Fr>)> {
        let shape = self.shape();
        let names = shape.kind.relation().fixed(shape, self.log_rows);
        let coefficients = |name| (name, fixed::coefficients(shape, name, self.log_rows));
        names.into_iter().map(coefficients).collect()
    }

    /// `Σ y^i C_i / Z_n`.
    fn quotient_of_rows(
        &self,
        first: &First,
        second: &Second,
        ch: &trees::Challenges,
        weights: &trees::Weights,
    ) -> Vec<Fr> {
        let shape = self.shape();
        let constants = trees::Constants::new(shape, self.log_rows);
        let degree = shape.limbs_per_helper(self.log_rows) as usize;
        let fixed = self.fixed_of_block();
        let public = self.public_inputs();
        Cosets::new(self.log_domain, degree).divide(|coset| {
            let columns = OnCoset::new(coset, first, second, self.input(), public.as_deref());
            let blocks = 1usize << self.log_rows;
            let periodic = fixed
                .iter()
                .map(|(name, f)| (*name, coset.evaluate_periodic(f, blocks)))
                .collect::<Vec<_>>();
            let find = |name: Name| {
                let found = periodic.iter().find(|(n, _)| *n == name);
                found.map(|(_, values)| values)
            };
            let (rho, group) = (find(names::RHO), find(names::OUTPUT_GROUP));
            let (used, view) = (find(names::USED), find(names::OFFSET));
            let block_points = coset.powers(blocks);
            let slots = selectors(shape, &coset.powers(self.rows() / shape.stride as usize));

            coset.map(|i, point| {
                let in_block = i % block_points.len();
                let limbs = columns.limbs(i);
                let row = trees::Row {
                    point,
                    block_point: block_points[in_block],
                    slots: slots[i % slots.len()],
                    x: columns.x[i],
                    b: columns.b.here[i],
                    p: columns.p.here[i],
                    s: &limbs[..columns.s.len()],
                    next_b: columns.b.next(i),
                    next_p: columns.p.next(i),
                    next_c: columns.c.next(i),
                    next_phi: columns.phi.next(i),
                    next_a: columns.a.as_ref().map_or(Fr::zero(), |a| a.next(i)),
                    block_key: rho.map_or(Fr::one(), |rho| point * rho[in_block]),
                    output_group: at(group, in_block),
                    used: at(used, in_block),
                    offset: at(view, in_block),
                    public_inputs: at(columns.public.as_ref(), i),
                };
                columns.value(i, &trees::constraints(&constants, ch, weights, &row))
            })
        })
    }

    /// `C_8 / Z_N`.
    fn quotient_of_table(&self, first: &First, second: &Second, ch: &trees::Challenges) -> Vec<Fr> {
        let table = self.table_polynomial(ch);
        let polynomials = [&first.m, &table];
        Cosets::new(self.shape().log_table(), 1).divide(|coset| {
            let (phi, of) = rayon::join(
                || coset.evaluate_shifted(&second.phi_table),
                || polynomials.map(|polynomial| coset.evaluate(polynomial)),
            );
            let [m, table] = of;
            coset.map(|i, point| {
                let (of_table, of_m) = trees::table_constraint(point, phi.here[i], phi.next(i));
                of_table * table[i] + of_m * m[i]
            })
        })
    }

    /// The coefficients of `t` (spec 4.2).
    fn table_polynomial(&self, ch: &trees::Challenges) -> Vec<Fr> {
        let shape = self.shape();
        let [public, g, a, c] = &self.relation.table.polynomials;
        let mut hidden = Vec::new();
        for (polynomial, factor) in [g, a, c].into_iter().zip(ch.alpha) {
            add_scaled(&mut hidden, polynomial, factor);
        }
        let step = (shape.table / shape.ratio) as usize;
        let mut sum = vec![Fr::zero(); step];
        sum.extend(&hidden);
        add_scaled(&mut sum, &hidden, -Fr::one());
        add_scaled(&mut sum, public, Fr::one());
        sum[0] += ch.beta;
        let tag = ch.alpha[3] * Fr::from(shape.ratio).inverse().unwrap_or_default();
        for index in 0..shape.ratio as usize {
            sum[index * step] += tag;
        }
        sum
    }
}

/// The columns' values on a coset.
struct OnCoset {
    x: Vec<Fr>,
    b: Shifted,
    p: Shifted,
    c: Shifted,
    s: Vec<Vec<Fr>>,
    helpers: Vec<Vec<Fr>>,
    a: Option<Shifted>,
    phi: Shifted,
    input: Option<Vec<Fr>>,
    public: Option<Vec<Fr>>,
}

impl OnCoset {
    fn new(
        coset: &Coset,
        first: &First,
        second: &Second,
        input: Option<&Column>,
        public: Option<&[Fr]>,
    ) -> Self {
        let of = |column: &Vec<Fr>| coset.evaluate(column);
        let shifted = |column: &Vec<Fr>| coset.evaluate_shifted(column);
        let all = |columns: &[Vec<Fr>]| columns.par_iter().map(of).collect::<Vec<_>>();
        let ((s, helpers), (x, (b, (p, (c, phi))))) = rayon::join(
            || rayon::join(|| all(&first.s), || all(&second.helpers)),
            || {
                let pair = || rayon::join(|| shifted(&first.c), || shifted(&second.phi));
                let three = || rayon::join(|| shifted(&first.p), pair);
                let four = || rayon::join(|| shifted(&first.b), three);
                rayon::join(|| of(&first.x), four)
            },
        );
        Self {
            x,
            b,
            p,
            c,
            s,
            helpers,
            a: second.a.as_ref().map(shifted),
            phi,
            input: input.map(|input| of(&input.coefficients)),
            public: public.map(|public| coset.evaluate(public)),
        }
    }

    fn limbs(&self, i: usize) -> [Fr; 9] {
        let mut limbs = [Fr::zero(); 9];
        for (limb, column) in limbs.iter_mut().zip(&self.s) {
            *limb = column[i];
        }
        limbs
    }

    /// The sum of the constraints, with the values of the columns that it is linear in.
    fn value(&self, i: usize, sum: &trees::Linear) -> Fr {
        let mut value = sum.constant + sum.c * self.c.here[i] + sum.phi * self.phi.here[i];
        for (helper, factor) in self.helpers.iter().zip(sum.helpers) {
            value += factor * helper[i];
        }
        if let Some(a) = &self.a {
            value += sum.a * a.here[i];
        }
        if let Some(input) = &self.input {
            value += sum.input * input[i];
        }
        value
    }
}

/// A value, or zero where there are none.
fn at(values: Option<&Vec<Fr>>, i: usize) -> Fr {
    values.map_or(Fr::zero(), |v| v[i])
}

/// The selectors as functions of `u = X^(n/st)`: `ℓ_j = θ^j (u^st - 1)/(st (u - θ^j))`.
fn selectors(shape: &assay_verifier::Shape, us: &[Fr]) -> Vec<trees::Slots> {
    let stride = shape.stride as usize;
    let theta = root_of_unity(stride.trailing_zeros()).unwrap_or_default();
    let size = Fr::from(stride as u64).inverse().unwrap_or_default();
    let powers: Vec<Fr> = std::iter::successors(Some(Fr::one()), |power| Some(*power * theta))
        .take(stride)
        .collect();
    let mut all: Vec<Fr> = us
        .iter()
        .flat_map(|u| powers.iter().map(move |power| *u - power))
        .collect();
    batch_inversion(&mut all);
    let inputs = shape.input_slots() as usize;
    let of = |(u, lagrange): (&Fr, &mut [Fr])| {
        let scale = (u.pow([stride as u64]) - Fr::one()) * size;
        for (value, power) in lagrange.iter_mut().zip(&powers) {
            *value *= *power * scale;
        }
        trees::Slots {
            input: lagrange[..inputs].iter().sum(),
            output: lagrange[stride - 1],
            first: lagrange[inputs],
            even: lagrange[..inputs].iter().step_by(2).sum(),
            odd: lagrange[..inputs].iter().skip(1).step_by(2).sum(),
        }
    };
    us.iter().zip(all.chunks_mut(stride)).map(of).collect()
}
