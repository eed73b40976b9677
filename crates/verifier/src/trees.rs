//! The constraints of the tree relation (spec 4.4), written once: the verifier evaluates them at `ζ`,
//! the prover at every point of a coset. They are linear in the polynomials that are not evaluated.

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

/// Constants of a shape, as field elements.
#[derive(Clone, Debug)]
pub struct Constants {
    base: Fr,
    bound: Fr,
    high: Fr,
    private: bool,
    pairs: bool,
    helpers: u64,
}

impl Constants {
    /// Derives them.
    pub fn new(shape: &Shape) -> Self {
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
            helpers: u64::from(shape.limbs.div_ceil(3)),
        }
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
    /// Coefficient of `φ`.
    pub phi: Fr,
    /// Coefficients of the helpers.
    pub helpers: [Fr; MAX_HELPERS],
    /// Coefficient of `I`.
    pub input: Fr,
}

/// The most helpers that a shape can have (nine limbs in threes).
pub const MAX_HELPERS: usize = 3;

/// Hands out `1, y, y², …`.
struct Weights {
    y: Fr,
    now: Fr,
    index: u64,
}

impl Weights {
    fn from(index: u64, y: Fr) -> Self {
        Self {
            y,
            now: y.pow([index]),
            index,
        }
    }

    fn next(&mut self) -> Fr {
        let weight = if crate::attack::removed(self.index) {
            Fr::zero()
        } else {
            self.now
        };
        self.now *= self.y;
        self.index = self.index.wrapping_add(1);
        weight
    }
}

/// The powers of `y` of the constraints that are not on `H`.
#[derive(Clone, Copy, Debug)]
pub struct Tail {
    /// Constraint 7, on `V`.
    pub table: Fr,
    /// Constraints 8 and 9, at `X = 1`.
    pub start: Fr,
    #[allow(missing_docs)]
    pub start_of_table: Fr,
    /// Constraint 10, at `X = 1`.
    pub tie: Fr,
}

/// The weights after the constraints of `H`.
pub fn tail(k: &Constants, ch: &Challenges) -> Tail {
    let private = if k.private { 2 } else { 0 };
    let pairs = if k.pairs { 3 } else { 0 };
    let mut weights = Weights::from([5, k.helpers, private, pairs].iter().sum(), ch.y);
    Tail {
        table: weights.next(),
        start: weights.next(),
        start_of_table: weights.next(),
        tie: weights.next(),
    }
}

/// `Σ y^i C_i` over the constraints of `H`.
pub fn constraints(k: &Constants, ch: &Challenges, row: &Row<'_>) -> Linear {
    let mut sum = Linear::default();
    let mut weights = Weights::from(0, ch.y);
    let mut next = || weights.next();
    let s = row
        .s
        .iter()
        .rev()
        .fold(Fr::zero(), |value, limb| value * k.base + limb);
    let Slots {
        input,
        output,
        first,
        ..
    } = row.slots;

    sum.constant += next() * row.b * (row.b - Fr::one());
    sum.constant += next() * first * (row.p - row.block_point);
    sum.constant += next() * first * (row.b - Fr::one());
    sum.constant += next()
        * if k.private {
            output * row.x
        } else {
            (input + output) * row.x - row.public_inputs
        };
    bus(k, ch, row, s, next(), &mut sum);
    for (limbs, helper) in row.s.chunks(3).zip(sum.helpers.iter_mut()) {
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
        let (even, odd) = (row.used * row.slots.even, row.used * row.slots.odd);
        sum.constant += next() * even * (row.next_c - s - row.b * k.high);
        sum.constant += next() * even * row.b * s;
        let carried = next() * odd;
        sum.c += carried;
        sum.constant -= carried * s;
    }
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
    // num = step + out (b p + (1 - b) c) - provided p, linear in c.
    let number = step + output * row.b * row.p - provided * row.p;
    let both = weight * node * entry;
    sum.constant += both * row.next_phi - weight * (step * entry + number * node);
    sum.c -= weight * output * (one - row.b) * node;
    sum.phi -= both;
    for (helper, _) in sum.helpers.iter_mut().zip(row.s.chunks(3)) {
        *helper -= both;
    }
}

/// `Π Di` and `Σ_i Π_{i' ≠ i} Di'` of up to three limbs.
fn limb_products(ch: &Challenges, limbs: &[Fr]) -> (Fr, Fr) {
    let [_, _, _, tag] = ch.alpha;
    limbs
        .iter()
        .fold((Fr::one(), Fr::zero()), |(product, others), limb| {
            let factor = ch.beta + limb + tag;
            (product * factor, others * factor + product)
        })
}

/// What constraint 7 multiplies, given `φ_V(ζ)` and `φ_V(vζ)`: the coefficient of `t` and that of `m`.
pub fn table_constraint(point: Fr, phi: Fr, next_phi: Fr) -> (Fr, Fr) {
    let factor = point - Fr::one();
    (factor * (next_phi - phi), -factor)
}

/// The value of `tag` from `u = X^(N/q)` (spec 4.2).
pub fn table_tag(ratio: u32, u: Fr) -> Option<Fr> {
    let sum = (1..ratio).fold(Fr::one(), |sum, _| sum * u + Fr::one());
    Some(sum * Fr::from(ratio).inverse()?)
}
