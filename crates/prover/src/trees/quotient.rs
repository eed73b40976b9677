//! Round 3: the quotient of all constraints (spec 4.4).

use super::sums::Sums;
use super::{First, Session};
use ark_ff::{batch_inversion, FftField, Field, One, Zero};
use assay_algebra::{
    add_scaled, coset_evaluate, coset_interpolate, divide_by_linear, root_of_unity, shift, Fr,
};
use assay_verifier::{trees, Fixed};
use rayon::prelude::*;

/// Points of the coset per row: constraints have degree four.
const BLOWUP: usize = 4;

impl Session<'_> {
    pub(super) fn quotient(
        &self,
        first: &First,
        sums: &Sums,
        ch: &trees::Challenges,
        public: &[Fr],
    ) -> Vec<Fr> {
        let tail = trees::tail(&trees::Constants::new(&self.relation.model.shape), ch);
        let mut quotient = self.quotient_of_rows(first, sums, ch, public);
        add_scaled(
            &mut quotient,
            &self.quotient_of_table(first, sums, ch),
            tail.table,
        );
        // The three constraints at X = 1.
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
        at_one[0] -= tail.tie * sums.outputs;
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
        public: &[Fr],
    ) -> Vec<Fr> {
        let shape = &self.relation.model.shape;
        let size = BLOWUP * self.rows();
        let offset = Fr::GENERATOR;
        let on = |coefficients: &[Fr]| coset_evaluate(coefficients, size, offset);
        let (x, b, p, c) = (&first.x, &first.b, &first.p, &first.c);
        let main: Vec<Vec<Fr>> = [x, b, p, c, &sums.second.phi]
            .par_iter()
            .map(|column| on(&column.coefficients))
            .collect();
        let [x, b, p, c, phi] = &main[..] else {
            unreachable!("five columns went in")
        };
        let s: Vec<Vec<Fr>> = first
            .s
            .par_iter()
            .map(|column| on(&column.coefficients))
            .collect();
        let helpers: Vec<Vec<Fr>> = sums
            .second
            .helpers
            .par_iter()
            .map(|h| on(&h.coefficients))
            .collect();
        let fixed: Vec<(Fixed, Vec<Fr>)> = self
            .fixed_polynomials()
            .into_par_iter()
            .map(|(name, f)| (name, on(&f)))
            .collect();
        let get = |name: Fixed| {
            fixed
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, values)| values)
        };
        let (rho, group, used, view) = (
            get(Fixed::Rho),
            get(Fixed::OutputGroup),
            get(Fixed::Used),
            get(Fixed::Offset),
        );
        let public = on(public);
        let input = first.input.as_ref().map(|column| on(&column.coefficients));
        let constants = trees::Constants::new(shape);
        let coset = Coset::new(self, size, offset);
        let at = |values: Option<&Vec<Fr>>, i: usize| values.map_or(Fr::zero(), |v| v[i]);

        let evaluate = |i: usize, point: Fr, limbs: &mut [Fr]| {
            let next = (i + BLOWUP) % size;
            for (limb, column) in limbs.iter_mut().zip(&s) {
                *limb = column[i];
            }
            let row = trees::Row {
                point,
                block_point: coset.block_points[i % coset.block_points.len()],
                slots: coset.slots[i % coset.slots.len()],
                x: x[i],
                b: b[i],
                p: p[i],
                s: limbs,
                next_b: b[next],
                next_p: p[next],
                next_c: c[next],
                next_phi: phi[next],
                block_key: rho.map_or(Fr::one(), |rho| point * rho[i]),
                output_group: at(group, i),
                used: at(used, i),
                offset: at(view, i),
                public_inputs: public[i],
            };
            let sum = trees::constraints(&constants, ch, &row);
            let mut value = sum.constant + sum.c * c[i] + sum.phi * phi[i];
            for (helper, factor) in helpers.iter().zip(sum.helpers) {
                value += factor * helper[i];
            }
            value += sum.input * at(input.as_ref(), i);
            value * coset.vanishing[i % BLOWUP]
        };
        let root = root_of_unity(self.log_domain + 2).unwrap_or_default();
        let task = (size / 64).max(64);
        let values: Vec<Fr> = (0..size)
            .into_par_iter()
            .chunks(task)
            .flat_map_iter(|chunk| {
                let mut limbs = vec![Fr::zero(); s.len()];
                let mut point = offset * root.pow([chunk[0] as u64]);
                let mut out = Vec::with_capacity(chunk.len());
                for i in chunk {
                    out.push(evaluate(i, point, &mut limbs));
                    point *= root;
                }
                out
            })
            .collect();
        coset_interpolate(&values, offset)
    }

    /// `C_7 / Z_N`.
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

/// Functions of the coset's points that repeat with a short period.
struct Coset {
    slots: Vec<trees::Slots>,
    block_points: Vec<Fr>,
    vanishing: Vec<Fr>,
}

impl Coset {
    fn new(session: &Session<'_>, size: usize, offset: Fr) -> Self {
        let shape = &session.relation.model.shape;
        let n = session.rows();
        let root = root_of_unity(size.trailing_zeros()).unwrap_or_default();
        let periodic = |exponent: usize, period: usize| {
            let step = root.pow([exponent as u64]);
            let mut point = offset.pow([exponent as u64]);
            let mut values = Vec::with_capacity(period);
            for _ in 0..period {
                values.push(point);
                point *= step;
            }
            values
        };
        let stride = shape.stride as usize;
        let mut vanishing: Vec<Fr> = periodic(n, BLOWUP)
            .into_iter()
            .map(|u| u - Fr::one())
            .collect();
        batch_inversion(&mut vanishing);
        Self {
            slots: periodic(n / stride, BLOWUP * stride)
                .into_iter()
                .map(|u| selectors(shape, u))
                .collect(),
            block_points: periodic(1 << session.log_rows, BLOWUP * shape.block()),
            vanishing,
        }
    }
}
