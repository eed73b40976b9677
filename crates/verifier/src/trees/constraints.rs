//! The constraints of the tree relation (spec 4.4), written once: the verifier evaluates them at `ζ`,
//! the prover at every point of its cosets. They are linear in the polynomials that are not evaluated.

use crate::Shape;
use ark_ff::{Field, One, Zero};
use assay_algebra::Fr;

/// Challenges of the tree relation.
#[derive(Clone, Copy, Debug)]
pub struct Challenges {
    /// Powers `α, α², α³, α⁴`.
    pub alpha: [Fr; 4],
    /// `β`.
    pub beta: Fr,
    /// `y`.
    pub y: Fr,
}

impl Challenges {
    /// From the transcript's values.
    pub fn new(alpha: Fr, beta: Fr, y: Fr) -> Self {
        let square = alpha * alpha;
        Self {
            alpha: [alpha, square, square * alpha, square * square],
            beta,
            y,
        }
    }
}

/// Constants of a shape for a number of blocks.
#[derive(Clone, Debug)]
pub struct Constants {
    base: Fr,
    bound: Fr,
    high: Fr,
    private: bool,
    pairs: bool,
    accumulates: bool,
    limbs_per_helper: usize,
    helpers: u64,
}

impl Constants {
    /// Derives them.
    pub fn new(shape: &Shape, log_rows: u32) -> Self {
        let high = if shape.bits == 64 {
            u64::MAX
        } else {
            u64::from(u32::MAX)
        };
        Self {
            base: Fr::from(shape.limb_base()),
            bound: Fr::from(shape.bound()),
            high: Fr::from(high),
            private: shape.private(),
            pairs: shape.pairs(),
            accumulates: shape.accumulates(log_rows),
            limbs_per_helper: if log_rows == 0 { 3 } else { 2 },
            helpers: u64::try_from(shape.helpers(log_rows)).unwrap_or(u64::MAX),
        }
    }

    /// How many constraints there are on `H`.
    fn on_rows(&self) -> u64 {
        let private = if self.private { 2 } else { 0 };
        let pairs = if self.pairs { 3 } else { 0 };
        [6, self.helpers, private, pairs, u64::from(self.accumulates)]
            .iter()
            .sum()
    }
}

/// Values of the slot selectors at a point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slots {
    /// Input slots.
    pub input: Fr,
    /// The output slot.
    pub output: Fr,
    /// The first step slot.
    pub first: Fr,
    /// Even input slots.
    pub even: Fr,
    /// Odd input slots.
    pub odd: Fr,
}

/// All values at one point of `H` that the constraints multiply.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Row<'a> {
    pub point: Fr,
    /// `X^nb`.
    pub block_point: Fr,
    pub slots: Slots,
    pub x: Fr,
    pub b: Fr,
    pub p: Fr,
    pub s: &'a [Fr],
    pub next_b: Fr,
    pub next_p: Fr,
    pub next_c: Fr,
    pub next_phi: Fr,
    /// `a₊`, zero where there is no accumulator.
    pub next_a: Fr,
    /// Block key `κ`.
    pub block_key: Fr,
    /// `Γ`, `E`, `Ψ`: zero where the shape has none.
    pub output_group: Fr,
    pub used: Fr,
    pub offset: Fr,
    pub public_inputs: Fr,
}

/// A value that is linear in the polynomials that are not evaluated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linear {
    /// The constant.
    pub constant: Fr,
    /// Coefficient of `c`.
    pub c: Fr,
    /// Coefficient of `a`.
    pub a: Fr,
    /// Coefficient of `φ`.
    pub phi: Fr,
    /// Coefficients of the helpers.
    pub helpers: [Fr; MAX_HELPERS],
    /// Coefficient of `I`.
    pub input: Fr,
}

/// The most helpers that a shape can have (nine limbs in twos).
pub const MAX_HELPERS: usize = 5;

/// The powers of `y` of the constraints on `H`, and of the others.
#[derive(Clone, Debug)]
pub struct Weights {
    rows: Vec<Fr>,
    /// Those that are not on `H`.
    pub tail: Tail,
}

impl Weights {
    /// Hands out `1, y, y², …` in the order of spec 4.4.
    pub fn new(k: &Constants, ch: &Challenges) -> Self {
        let mut index: u64 = 0;
        let mut power = Fr::one();
        let mut next = || {
            let weight = if crate::attack::removed(index) {
                Fr::zero()
            } else {
                power
            };
            power *= ch.y;
            index = index.wrapping_add(1);
            weight
        };
        let rows = (0..k.on_rows()).map(|_| next()).collect();
        let mut tail = Tail {
            table: next(),
            start: next(),
            start_of_table: next(),
            tie: next(),
            ..Tail::default()
        };
        if k.accumulates {
            tail.start_of_inputs = next();
            tail.inputs = next();
        }
        Self { rows, tail }
    }
}

/// The powers of `y` of the constraints that are not on `H`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tail {
    /// Constraint 8, on `V`.
    pub table: Fr,
    /// Constraints 9 and 10, at `X = 1`.
    pub start: Fr,
    #[allow(missing_docs)]
    pub start_of_table: Fr,
    /// Constraint 11, at `X = 1`.
    pub tie: Fr,
    /// Constraints 12 and 13, at `X = 1`; zero where there is no accumulator.
    pub start_of_inputs: Fr,
    #[allow(missing_docs)]
    pub inputs: Fr,
}

/// `Σ y^i C_i` over the constraints of `H`.
pub fn constraints(k: &Constants, ch: &Challenges, weights: &Weights, row: &Row<'_>) -> Linear {
    let mut sum = Linear::default();
    let mut weights = weights.rows.iter().copied();
    // There is a weight for every constraint: both count by the same constants.
    let mut next = || weights.next().unwrap_or_default();
    let s = match row.s.split_last() {
        Some((last, limbs)) => limbs.iter().rev().fold(*last, |s, limb| s * k.base + limb),
        None => Fr::zero(),
    };
    let Slots {
        input,
        output,
        first,
        ..
    } = row.slots;

    let left = row.b - Fr::one();
    sum.constant += next() * row.b * left;
    sum.constant += first * (next() * (row.p - row.block_point) + next() * left);
    sum.constant += next()
        * if k.private || k.accumulates {
            output * row.x
        } else {
            (input + output) * row.x - row.public_inputs
        };
    bus(k, ch, row, s, next(), &mut sum);
    for (limbs, helper) in row.s.chunks(k.limbs_per_helper).zip(sum.helpers.iter_mut()) {
        let weight = next();
        let (product, inverse_sum) = limb_products(ch, limbs);
        *helper += weight * product;
        sum.constant -= weight * inverse_sum;
    }
    if k.private {
        sum.constant += next() * row.used * (row.x - row.offset - s);
        let binding = next() * row.used;
        sum.input += binding;
        sum.constant -= binding * row.x;
    }
    if k.pairs {
        let (even, odd) = (row.slots.even, row.slots.odd);
        sum.constant += next() * even * (row.next_c - s - row.b * k.high);
        sum.constant += next() * even * row.b * s;
        let carried = next() * odd;
        sum.c += carried;
        sum.constant -= carried * s;
    }
    if k.accumulates {
        let [alpha, ..] = ch.alpha;
        let weight = next() * (row.point - Fr::one());
        sum.constant += weight * (row.next_a - input * row.x);
        sum.a = -(weight * (Fr::one() + input * (alpha - Fr::one())));
    }
    let weight = next() * output;
    let other = weight * left;
    sum.constant += weight * (row.next_c - row.b * row.p);
    sum.c += other;
    sum
}

/// Constraint 4: the running sum over node lookups, reads, outputs and provided entries.
fn bus(k: &Constants, ch: &Challenges, row: &Row<'_>, s: Fr, weight: Fr, sum: &mut Linear) {
    let [a1, a2, a3, a4] = ch.alpha;
    let Slots { input, output, .. } = row.slots;
    let one = Fr::one();
    let step = one - input - output;
    let group = output + row.output_group;
    let node = ch.beta
        + (row.p + one - row.b)
        + a1 * (row.x - s + k.bound * row.next_b)
        + a2 * row.next_p
        + a3 * row.next_c;
    let entry = ch.beta + row.block_key + a1 * row.x + a2 * group + a4 + a4;
    let provided = if k.private { row.used } else { input };
    let weight = weight * (row.point - one);
    let number = step + output * row.next_c - provided * row.p;
    let both = weight * node * entry;
    sum.constant += both * row.next_phi - weight * (step * entry + number * node);
    sum.phi -= both;
    for (helper, _) in sum.helpers.iter_mut().zip(row.s.chunks(k.limbs_per_helper)) {
        *helper -= both;
    }
}

/// `Π Di` and `Σ_i Π_{i' ≠ i} Di'` of a helper's limbs.
fn limb_products(ch: &Challenges, limbs: &[Fr]) -> (Fr, Fr) {
    let [_, _, _, tag] = ch.alpha;
    let shift = ch.beta + tag;
    // Without the products by one, for the two shapes that there are.
    match limbs {
        [a, b] => {
            let (a, b) = (shift + a, shift + b);
            (a * b, a + b)
        }
        [a, b, c] => {
            let (a, b, c) = (shift + a, shift + b, shift + c);
            let both = a * b;
            (both * c, both + (a + b) * c)
        }
        _ => limbs
            .iter()
            .fold((Fr::one(), Fr::zero()), |(product, others), limb| {
                let factor = shift + limb;
                (product * factor, others * factor + product)
            }),
    }
}

/// What constraint 8 multiplies, given `φ_V(ζ)` and `φ_V(vζ)`: the coefficient of `t` and that of `m`.
pub fn table_constraint(point: Fr, phi: Fr, next_phi: Fr) -> (Fr, Fr) {
    let factor = point - Fr::one();
    (factor * (next_phi - phi), -factor)
}

/// The value of `tag` from `u = X^(N/q)` (spec 4.2).
pub fn table_tag(ratio: u32, u: Fr) -> Option<Fr> {
    let sum = (1..ratio).fold(Fr::one(), |sum, _| sum * u + Fr::one());
    Some(sum * Fr::from(ratio).inverse()?)
}
