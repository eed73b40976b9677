//! Round 3: the quotient of all constraints (spec 4.4).

use super::sums::Sums;
use super::{First, Session};
use crate::column::Column;
use crate::quotient::Cosets;
use ark_ff::{batch_inversion, FftField, Field, One, Zero};
use assay_algebra::{
    add_scaled, coset_evaluate, coset_interpolate, divide_by_linear, root_of_unity, shift, Fr,
};
use assay_verifier::{trees, Fixed};
use rayon::prelude::*;

impl Session<'_> {
    pub(super) fn quotient(
        &self,
        first: &First,
        sums: &Sums,
        ch: &trees::Challenges,
        weights: &trees::Weights,
        public: &[Fr],
    ) -> Vec<Fr> {
        let tail = weights.tail;
        let mut quotient = self.quotient_of_rows(first, sums, ch, weights, public);
        add_scaled(
            &mut quotient,
            &self.quotient_of_table(first, sums, ch),
            tail.table,
        );
        // The constraints at X = 1.
        let second = &sums.second;
        let omega = root_of_unity(self.log_domain).unwrap_or_default();
        let nu = root_of_unity(self.relation.model.shape.log_table()).unwrap_or_default();
        let mut at_one = Vec::new();
        add_scaled(
            &mut at_one,
            &shift(&second.phi.coefficients, omega),
            tail.start,
        );
        add_scaled(
            &mut at_one,
            &shift(&second.phi_table.coefficients, nu),
            tail.start_of_table,
        );
        add_scaled(&mut at_one, &second.phi.coefficients, tail.tie);
        add_scaled(&mut at_one, &second.phi_table.coefficients, -tail.tie);
        at_one[0] -= tail.tie * sums.stated.outputs;
        if let Some(a) = &second.a {
            add_scaled(
                &mut at_one,
                &shift(&a.coefficients, omega),
                tail.start_of_inputs,
            );
            add_scaled(&mut at_one, &a.coefficients, tail.inputs);
            at_one[0] -= tail.inputs * sums.stated.inputs;
        }
        let (divided, _) = divide_by_linear(&at_one, Fr::one());
        add_scaled(&mut quotient, &divided, Fr::one());
        quotient
    }

    /// `Σ y^i C_i / Z_n`.
    fn quotient_of_rows(
        &self,
        first: &First,
        sums: &Sums,
        ch: &trees::Challenges,
        weights: &trees::Weights,
        public: &[Fr],
    ) -> Vec<Fr> {
        let shape = &self.relation.model.shape;
        let constants = trees::Constants::new(shape, self.log_rows);
        let second = &sums.second;
        let degree = shape.limbs_per_helper(self.log_rows) as usize + 1;
        let fixed = self.fixed_of_block();
        Cosets::new(self.log_domain, degree).divide(|coset| {
            let of = |column: &Column| coset.evaluate(&column.coefficients);
            let all = |columns: &[&Column]| -> Vec<Vec<Fr>> {
                columns.par_iter().map(|column| of(column)).collect()
            };
            let main = all(&[&first.x, &first.b, &first.p, &first.c, &second.phi]);
            let [x, b, p, c, phi] = &main[..] else {
                unreachable!("five columns went in")
            };
            let s = all(&first.s.iter().collect::<Vec<_>>());
            let helpers = all(&second.helpers.iter().collect::<Vec<_>>());
            let a = second.a.as_ref().map(of);
            let input = first.input.as_ref().map(of);
            let public = (!public.is_empty()).then(|| coset.evaluate(public));
            let at = |values: Option<&Vec<Fr>>, i: usize| values.map_or(Fr::zero(), |v| v[i]);

            let blocks = 1usize << self.log_rows;
            let periodic = fixed
                .iter()
                .map(|(name, f)| (*name, coset.evaluate_periodic(f, blocks)))
                .collect::<Vec<_>>();
            let find = |name: Fixed| {
                let found = periodic.iter().find(|(n, _)| *n == name);
                found.map(|(_, values)| values)
            };
            let (rho, group) = (find(Fixed::Rho), find(Fixed::OutputGroup));
            let (used, view) = (find(Fixed::Used), find(Fixed::Offset));
            let block_points = coset.points_to(blocks, shape.block());
            let stride = shape.stride as usize;
            let slots: Vec<trees::Slots> = coset
                .points_to(self.rows() / stride, stride)
                .into_iter()
                .map(|u| selectors(shape, u))
                .collect();

            coset.map(|i, point| {
                let next = (i + 1) % x.len();
                let in_block = i % block_points.len();
                let mut limbs = [Fr::zero(); 9];
                for (limb, column) in limbs.iter_mut().zip(&s) {
                    *limb = column[i];
                }
                let row = trees::Row {
                    point,
                    block_point: block_points[in_block],
                    slots: slots[i % stride],
                    x: x[i],
                    b: b[i],
                    p: p[i],
                    s: &limbs[..s.len()],
                    next_b: b[next],
                    next_p: p[next],
                    next_c: c[next],
                    next_phi: phi[next],
                    next_a: at(a.as_ref(), next),
                    block_key: rho.map_or(Fr::one(), |rho| point * rho[in_block]),
                    output_group: at(group, in_block),
                    used: at(used, in_block),
                    offset: at(view, in_block),
                    public_inputs: at(public.as_ref(), i),
                };
                let sum = trees::constraints(&constants, ch, weights, &row);
                let mut value = sum.constant + sum.c * c[i] + sum.phi * phi[i];
                for (helper, factor) in helpers.iter().zip(sum.helpers) {
                    value += factor * helper[i];
                }
                value + sum.a * at(a.as_ref(), i) + sum.input * at(input.as_ref(), i)
            })
        })
    }

    /// `C_8 / Z_N`.
    fn quotient_of_table(&self, first: &First, sums: &Sums, ch: &trees::Challenges) -> Vec<Fr> {
        let shape = &self.relation.model.shape;
        let n = shape.table as usize;
        let offset = Fr::GENERATOR;
        let on = |coefficients: &[Fr]| coset_evaluate(coefficients, 2 * n, offset);
        let (phi, m) = rayon::join(
            || on(&sums.second.phi_table.coefficients),
            || on(&first.m.coefficients),
        );
        let table = self.table_polynomial(ch);
        let table = on(&table);
        let root = root_of_unity(shape.log_table() + 1).unwrap_or_default();
        // Z_N takes two values on the coset.
        let mut vanishing = [offset.pow([n as u64]); 2];
        vanishing[1] = -vanishing[1];
        for value in &mut vanishing {
            *value -= Fr::one();
        }
        batch_inversion(&mut vanishing);
        let mut point = offset;
        let mut values = Vec::with_capacity(2 * n);
        for i in 0..2 * n {
            let (of_table, of_m) = trees::table_constraint(point, phi[i], phi[(i + 2) % (2 * n)]);
            values.push((of_table * table[i] + of_m * m[i]) * vanishing[i % 2]);
            point *= root;
        }
        coset_interpolate(&values, offset)
    }

    /// The coefficients of `t` (spec 4.2).
    fn table_polynomial(&self, ch: &trees::Challenges) -> Vec<Fr> {
        let shape = &self.relation.model.shape;
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

    /// The slot selectors at a point.
    pub(super) fn slots_at(&self, point: Fr) -> trees::Slots {
        let shape = &self.relation.model.shape;
        let stride = u64::from(shape.stride);
        selectors(shape, point.pow([(1u64 << self.log_domain) / stride]))
    }
}

/// The selectors as functions of `u = X^(n/st)`.
fn selectors(shape: &assay_verifier::Shape, u: Fr) -> trees::Slots {
    let stride = shape.stride as usize;
    let theta = root_of_unity(stride.trailing_zeros()).unwrap_or_default();
    let scale = (u.pow([stride as u64]) - Fr::one())
        * Fr::from(stride as u64).inverse().unwrap_or_default();
    let mut power = Fr::one();
    let mut lagrange: Vec<Fr> = Vec::with_capacity(stride);
    let mut factors = Vec::with_capacity(stride);
    for _ in 0..stride {
        lagrange.push(u - power);
        factors.push(power * scale);
        power *= theta;
    }
    batch_inversion(&mut lagrange);
    for (value, factor) in lagrange.iter_mut().zip(factors) {
        *value *= factor;
    }
    let inputs = shape.input_slots() as usize;
    trees::Slots {
        input: lagrange[..inputs].iter().sum(),
        output: lagrange[stride - 1],
        first: lagrange[inputs],
        even: lagrange[..inputs].iter().step_by(2).sum(),
        odd: lagrange[..inputs].iter().skip(1).step_by(2).sum(),
    }
}
