//! The constraints of the linear relation (spec 5), in the same form as [`crate::trees`].

use ark_ff::{One, Zero};
use assay_algebra::Fr;

/// Values of the slot selectors at a point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slots {
    /// `ℓ_0`.
    pub start: Fr,
    /// `last`.
    pub last: Fr,
}

/// All values at one point that the constraints multiply.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Row {
    pub slots: Slots,
    /// The combined inputs.
    pub x: Fr,
    pub next_phi: Fr,
    /// `OPI`.
    pub public_outputs: Fr,
}

/// A value that is linear in the polynomials that are not evaluated.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linear {
    /// The constant.
    pub constant: Fr,
    /// Coefficient of `φ`.
    pub phi: Fr,
    /// Coefficient of the weights `w`.
    pub weights: Fr,
}

/// `Σ y^i C_i`.
pub fn constraints(y: Fr, row: &Row) -> Linear {
    let Slots { start, last } = row.slots;
    let inner = Fr::one() - last;
    let y2 = y * y;
    Linear {
        constant: y2 * inner * row.next_phi - y * row.public_outputs,
        phi: start + y * last - y2 * inner,
        weights: -(y2 * inner * row.x),
    }
}

/// `Σ_b α^b v^b`, entry by entry: what a batch is combined to (spec 5).
pub fn combine(alpha: Fr, rows: &[Vec<Fr>]) -> Vec<Fr> {
    let mut sum = vec![Fr::zero(); rows.first().map_or(0, Vec::len)];
    for row in rows.iter().rev() {
        for (total, value) in sum.iter_mut().zip(row) {
            *total = *total * alpha + value;
        }
    }
    sum
}
