//! The constraints of the linear relation (spec 5), in the same form as [`crate::trees`].

use ark_ff::One;
use assay_algebra::Fr;

/// Values of the slot selectors at a point.
#[derive(Clone, Copy, Debug, Default)]
pub struct Slots {
    /// `ℓ_0`.
    pub start: Fr,
    /// `last`.
    pub last: Fr,
    /// `feat`.
    pub features: Fr,
    /// `ℓ_F`.
    pub one: Fr,
}

/// All values at one point that the constraints multiply.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs)]
pub struct Row {
    pub slots: Slots,
    /// The inputs' column: public, or the hidden column's evaluation.
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
    /// Coefficient of `I`.
    pub input: Fr,
}

/// `Σ y^i C_i`.
pub fn constraints(private: bool, y: Fr, row: &Row) -> Linear {
    let Slots {
        start,
        last,
        features,
        one,
    } = row.slots;
    let inner = Fr::one() - last;
    let y2 = y * y;
    let mut sum = Linear {
        constant: y2 * inner * row.next_phi - y * row.public_outputs,
        phi: start + y * last - y2 * inner,
        weights: -(y2 * inner * row.x),
        input: Fr::from(0u64),
    };
    if private {
        let y3 = y2 * y;
        sum.input = y3 * features;
        sum.constant -= sum.input * row.x;
        sum.constant += y3 * y * one * (row.x - Fr::one());
        sum.constant += y3 * y2 * (Fr::one() - features - one) * row.x;
    }
    sum
}
