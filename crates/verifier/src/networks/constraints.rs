//! The constraints of the relation of networks (networks.md 5), written once: the verifier evaluates them at `ζ`,
//! the prover at every point of its cosets. They are linear in the polynomials that are not evaluated.

use super::shape::{outside, NULL_SLOT, RESERVED};
use super::shape::{LOW_ID, PER_HELPER, RANGE_ID, SEPARATOR};
use crate::lagrange::pow2;
use crate::shape::Network;
use crate::{Error, Shape};
use ark_ff::{AdditiveGroup, Field, One, Zero};
use assay_algebra::{root_of_unity, signed, Fr};

/// Challenges of the relation.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Challenges {
    /// `α, α², α³`.
    pub alpha: [Fr; 3],
    pub beta: Fr,
    /// `u_c`, in which positions are poles.
    pub u: Fr,
    /// `p`, in which columns are poles, and by which the matrix is folded.
    pub p: Fr,
    /// `s`, in which slots are poles.
    pub s: Fr,
    pub nu: Fr,
    pub mu: Fr,
    pub theta: Fr,
    pub y: Fr,
}

impl Challenges {
    /// From the transcript's values, in order; those that are not drawn yet are 0.
    pub fn new(drawn: &[Fr]) -> Self {
        let at = |index: usize| drawn.get(index).copied().unwrap_or_default();
        let alpha = at(0);
        Self {
            alpha: [alpha, alpha * alpha, alpha * alpha * alpha],
            beta: at(1),
            u: at(2),
            p: at(3),
            s: at(4),
            nu: at(5),
            mu: at(6),
            theta: at(7),
            y: at(8),
        }
    }
}

/// Constants of a shape.
#[derive(Clone, Debug)]
pub struct Constants {
    limb: Fr,
    low: Fr,
    shift: Fr,
    range_id: Fr,
    low_id: Fr,
    separator: Fr,
    /// `2^q_shift` and `base_c`, if a `q` is read.
    cell: Option<(Fr, Fr)>,
    max: bool,
    private: bool,
    helpers: usize,
}

impl Constants {
    /// Derives them.
    pub fn new(shape: &Shape, network: &Network) -> Self {
        let two = |bits: u32| Fr::from(2u64).pow([u64::from(bits)]);
        let limb_bits = u32::from(shape.bits);
        Self {
            limb: two(limb_bits),
            low: two(u32::from(network.low_bits)),
            shift: two(limb_bits.saturating_mul(shape.limbs)),
            range_id: Fr::from(RANGE_ID),
            low_id: Fr::from(LOW_ID),
            separator: Fr::from(SEPARATOR),
            cell: network.cell.then(|| {
                let base = signed(i128::from(network.cell_base));
                (two(u32::from(network.q_shift)), base)
            }),
            max: network.max,
            private: shape.private(),
            helpers: network.helpers(shape),
        }
    }
}

/// All values at one point of `H` that the constraints multiply.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Row<'a> {
    pub point: Fr,
    pub a: Fr,
    pub b: Fr,
    pub next_a: Fr,
    pub next_b: Fr,
    /// `k`, `l` and the limbs.
    pub segment: Fr,
    pub low: Fr,
    pub limbs: &'a [Fr],
    pub slope: Fr,
    pub y: Fr,
    /// `δ_a`, `δ_b`, `ca`, `cz`, `π`.
    pub read_a: Fr,
    pub read_b: Fr,
    pub slot: Fr,
    pub column: Fr,
    pub position: Fr,
    /// `mx`, `Ein`: zero where the shape has none.
    pub max: Fr,
    pub used: Fr,
    /// `mult`, `multq`, `sa`, `qm`: `sa` is one with private inputs, `multq` zero where no `q` is read.
    pub count: Fr,
    pub count_cell: Fr,
    pub lane: Fr,
    pub product: Fr,
    /// `h_1 …` and `h_lin`.
    pub helpers: &'a [Fr],
    pub linear: Fr,
    pub next_phi: Fr,
}

/// The denominators of a row's lookups.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Denominators {
    /// Those of the helpers' fractions, `count` of them in order.
    pub fractions: [Fr; MAX_FRACTIONS],
    pub count: usize,
    /// `D_t`, `D_y`.
    pub table: Fr,
    pub write: Fr,
}

/// The most fractions of a row, and the most helpers.
pub const MAX_FRACTIONS: usize = 8;
/// They share helpers by three.
pub const MAX_HELPERS: usize = 3;

/// The denominators `D` of spec 5. The last fraction is that of `q`, if the shape has one.
pub fn denominators(k: &Constants, ch: &Challenges, row: &Row<'_>) -> Denominators {
    let [a1, a2, a3] = ch.alpha;
    let range = ch.beta + k.range_id + a1 * k.separator;
    let low = ch.beta + k.low_id + a1 * k.separator.double() + row.low;
    let wire = ch.beta + a3;
    let at = a1 * row.point;
    let own = row.limbs.iter().map(|limb| range + limb).chain([
        low,
        wire + row.a + at * row.read_a,
        wire + row.b + at * row.read_b,
    ]);
    let cell = k.cell.map(|(scale, base)| {
        let argument = ((row.segment - base) * k.low + row.low) * scale;
        wire + argument + at * outside()
    });
    let mut fractions = [Fr::zero(); MAX_FRACTIONS];
    let mut count = 0usize;
    for (to, from) in fractions.iter_mut().zip(own.chain(cell)) {
        *to = from;
        count = count.saturating_add(1);
    }
    let mut offset = row.y - row.slope * row.low;
    if k.max {
        offset -= row.max * row.b;
    }
    Denominators {
        fractions,
        count,
        table: ch.beta + row.segment + a1 * row.slope + a2 * offset,
        write: wire + row.y + at,
    }
}

/// `z` of a row, from its parts.
pub fn argument(k: &Constants, row: &Row<'_>) -> Fr {
    let limbs = row.limbs.iter().rev().copied();
    let rest = limbs.reduce(|sum, limb| sum * k.limb + limb);
    let rest = rest.unwrap_or_default();
    (row.segment * k.low + row.low) * k.shift + rest
}

/// `s - ca`, `p - cz`, `u_c - cp`.
pub fn poles(ch: &Challenges, row: &Row<'_>) -> [Fr; 3] {
    [
        ch.s - row.slot,
        ch.p - row.column,
        ch.u - row.point * row.position,
    ]
}

/// A value that is linear in the polynomials that are not evaluated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linear {
    /// The constant.
    pub constant: Fr,
    /// Coefficient of `φ`.
    pub phi: Fr,
    /// Coefficient of `I`; zero for public inputs.
    pub input: Fr,
}

/// The powers of `y` of the constraints on `H`, and of the others.
#[derive(Clone, Debug)]
pub struct Weights {
    rows: Vec<Fr>,
    /// Those that are not on `H`.
    pub tail: Tail,
}

/// The powers of `y` of the constraints that are not on `H`.
#[derive(Clone, Copy, Debug, Default)]
#[allow(missing_docs)]
pub struct Tail {
    /// Constraint 4, on `V`.
    pub table: Fr,
    /// Constraints 5 to 7, at `X = 1`.
    pub start: Fr,
    pub start_of_table: Fr,
    pub tie: Fr,
    /// Constraint 8, over `X^K - p`.
    pub fold: Fr,
    /// Constraint 9, over 1.
    pub degree: Fr,
}

impl Weights {
    /// Hands out `1, y, y², …` in the order of spec 5.
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
        let on_rows = k.helpers.saturating_add(if k.private { 3 } else { 2 });
        let rows = (0..on_rows).map(|_| next()).collect();
        let tail = Tail {
            table: next(),
            start: next(),
            start_of_table: next(),
            tie: next(),
            fold: next(),
            degree: next(),
        };
        Self { rows, tail }
    }
}

/// `Σ y^i C_i` over the constraints of `H`.
pub fn constraints(k: &Constants, ch: &Challenges, weights: &Weights, row: &Row<'_>) -> Linear {
    let mut sum = Linear::default();
    let mut weights = weights.rows.iter().copied();
    // There is a weight for every constraint: both count by the same constants.
    let mut next = || weights.next().unwrap_or_default();
    let d = denominators(k, ch, row);
    let (used, _) = d.fractions.split_at_checked(d.count).unwrap_or_default();
    let plain = d.count.saturating_sub(usize::from(k.cell.is_some()));
    let numbered = used.chunks(PER_HELPER).enumerate();
    for ((chunk, fractions), helper) in numbered.zip(row.helpers) {
        let Some((factor, rest)) = fractions.split_first() else {
            continue;
        };
        let first = chunk.saturating_mul(PER_HELPER);
        // Every numerator is 1, but that of `q` is `-multq`.
        let is_plain = |place: usize| first.saturating_add(place) < plain;
        let numerator = |place| {
            if is_plain(place) {
                Fr::one()
            } else {
                -row.count_cell
            }
        };
        let (mut product, mut others) = (*factor, numerator(0));
        for (place, factor) in (1..).zip(rest) {
            others *= factor;
            others += if is_plain(place) {
                product
            } else {
                -(row.count_cell * product)
            };
            product *= factor;
        }
        sum.constant += next() * (product * helper - others);
    }
    sum.constant += next() * products(k, ch, row);

    let weight = next() * (row.point - Fr::one());
    let step = weight * d.table * d.write;
    let grown: Fr = row.helpers.iter().sum::<Fr>() + ch.mu * row.linear;
    sum.constant += step * (row.next_phi - grown);
    sum.constant += weight * (row.count * d.table - d.write);
    sum.phi = -step;

    if k.private {
        let weight = next() * row.used;
        sum.constant += weight * row.y;
        sum.input = -weight;
    }
    sum
}

/// Constraint 1: what a row adds to the identity of all products.
fn products(k: &Constants, ch: &Challenges, row: &Row<'_>) -> Fr {
    let [slot, column, position] = poles(ch, row);
    let pairs = row.product * (row.a * row.b + row.next_a * row.next_b);
    let mut linear = argument(k, row) - pairs;
    if k.max {
        linear -= row.max * k.shift * (row.a - row.b);
    }
    let read = ch.nu * row.lane * row.a;
    row.linear * slot * column * position - read * column - linear * slot
}

/// What the sum on `V` takes from a proof's folded matrix.
#[derive(Clone, Copy, Debug)]
pub struct Fold {
    log_slots: u32,
    kappa: Fr,
    reserved: [Fr; 4],
    null: Fr,
}

impl Fold {
    /// For a challenge `p`; refuses `p^M = 1`.
    pub fn new(network: &Network, ch: &Challenges) -> Result<Self, Error> {
        let log_slots = network.slots.trailing_zeros();
        let root = root_of_unity(log_slots).ok_or(Error::Shape("slots"))?;
        let power = pow2(ch.p, network.columns.trailing_zeros());
        let inverse = (power - Fr::one()).inverse().ok_or(Error::Denominator)?;
        let mut reserved = [Fr::zero(); 4];
        for (to, slot) in reserved.iter_mut().zip(RESERVED) {
            *to = root.pow([slot]);
        }
        Ok(Self {
            log_slots,
            kappa: Fr::from(network.columns) * inverse,
            reserved,
            null: root.pow([NULL_SLOT]),
        })
    }

    /// `E2`.
    pub fn null(&self, point: Fr) -> Fr {
        point - self.null
    }

    /// `E`.
    pub fn reserved(&self, point: Fr) -> Fr {
        self.reserved.iter().map(|slot| point - slot).product()
    }

    /// `(κ0·w̃ + Θ)·E2·(s - X) + ν·E`.
    pub fn factor(&self, ch: &Challenges, point: Fr, folded: Fr) -> Fr {
        let t = ch.theta * point;
        let mask = ch.theta * (Fr::one() + t * (Fr::one() + t * (Fr::one() + t)));
        (self.kappa * folded + mask) * self.null(point) * (ch.s - point)
            + ch.nu * self.reserved(point)
    }

    /// `1_U`, given `X^N - 1` and `N`; refuses `X^K = 1`.
    pub fn indicator(&self, point: Fr, log_table: u32) -> Result<Fr, Error> {
        let of = |log: u32| pow2(point, log) - Fr::one();
        let ratio = Fr::from(2u64).pow([u64::from(log_table.saturating_sub(self.log_slots))]);
        let below = (ratio * of(self.log_slots)).inverse();
        Ok(of(log_table) * below.ok_or(Error::Denominator)?)
    }
}

/// What constraint 4 multiplies at a point of `V`.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct TableRow {
    pub point: Fr,
    /// `1_U·x̃`, and `w̃`.
    pub gathered: Fr,
    pub folded: Fr,
    pub phi: Fr,
    pub next_phi: Fr,
}

/// Constraint 4: the coefficient of `t` and that of `m`.
pub fn table_constraint(fold: &Fold, ch: &Challenges, row: &TableRow) -> (Fr, Fr) {
    let start = row.point - Fr::one();
    let slot = ch.s - row.point;
    let products = ch.mu * row.gathered * fold.factor(ch, row.point, row.folded);
    let of_table = (row.next_phi - row.phi) * slot - products;
    (start * of_table, -(start * slot))
}

/// `t`, but for its polynomials: the coefficients of `ID, S_V, B_V`.
pub fn table_factors(ch: &Challenges) -> [Fr; 3] {
    let [a1, a2, _] = ch.alpha;
    [Fr::one(), a1, a2]
}
