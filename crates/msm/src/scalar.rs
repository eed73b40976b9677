//! Scalars as sign and magnitude, and their signed digits.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField, Zero};

/// Bits of `(r - 1) / 2`, the longest magnitude.
pub(crate) const BITS: u32 = 253;

/// A scalar `± magnitude`, not zero, of the point `index`.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    magnitude: [u64; 4],
    pub(crate) index: u32,
    pub(crate) negative: bool,
    pub(crate) bits: u8,
}

/// What makes the digits of a magnitude independent of each other: `half - 1` at each window
/// but the last, `half` being `2^(window - 1)`. See [`Term::digit`].
pub(crate) struct Offset([u64; 4]);

#[expect(
    clippy::cast_possible_truncation,
    reason = "indices are below 2^26, bits below 254"
)]
impl Term {
    /// The shorter of `scalar` and `scalar - r`, so that `-small` costs what `small` does. None
    /// is zero.
    pub(crate) fn new(index: usize, scalar: &Fr) -> Option<Self> {
        if scalar.is_zero() {
            return None;
        }
        let mut magnitude = scalar.into_bigint();
        let negative = magnitude > Fr::MODULUS_MINUS_ONE_DIV_TWO;
        if negative {
            let mut rest = Fr::MODULUS;
            rest.sub_with_borrow(&magnitude);
            magnitude = rest;
        }
        Some(Self {
            bits: magnitude.num_bits() as u8,
            magnitude: magnitude.0,
            index: index as u32,
            negative,
        })
    }

    /// None is zero.
    pub(crate) fn from_u64(index: usize, scalar: u64) -> Option<Self> {
        (scalar != 0).then(|| Self {
            bits: (u64::BITS - scalar.leading_zeros()) as u8,
            magnitude: [scalar, 0, 0, 0],
            index: index as u32,
            negative: false,
        })
    }

    /// How many signed digits of `window` bits the magnitude may have.
    pub(crate) fn digits(&self, window: u32) -> u32 {
        digits(u32::from(self.bits), window)
    }

    /// Makes the term ready for [`Term::digit`].
    pub(crate) fn shift(&mut self, offset: &Offset) {
        let mut carry = false;
        for (limb, add) in self.magnitude.iter_mut().zip(offset.0) {
            (*limb, carry) = limb.carrying_add(add, carry);
        }
    }

    /// Digit `w` of `windows`, from `-(half - 1)` to `half`, of a term that was shifted. A low
    /// digit that is above `half` has already carried into its neighbour by then.
    #[inline]
    pub(crate) fn digit(&self, w: u32, window: u32, windows: u32) -> i32 {
        let (limb, bit) = ((w * window / 64) as usize, w * window % 64);
        let mut value = self.magnitude[limb] >> bit;
        if bit + window > 64 && limb < 3 {
            value |= self.magnitude[limb + 1] << (64 - bit);
        }
        let raw = (value & ((1 << window) - 1)) as i32;
        if w + 1 < windows {
            raw + 1 - (1 << (window - 1))
        } else {
            raw
        }
    }
}

impl Offset {
    pub(crate) fn new(window: u32, windows: u32) -> Self {
        let each = (1u64 << (window - 1)) - 1;
        let mut limbs = [0u64; 4];
        for w in 1..windows {
            let (limb, bit) = (((w - 1) * window / 64) as usize, (w - 1) * window % 64);
            limbs[limb] |= each << bit;
            if bit + window > 64 && limb < 3 {
                limbs[limb + 1] |= each >> (64 - bit);
            }
        }
        Self(limbs)
    }
}

/// How many signed digits of `window` bits a magnitude of `bits` bits may have: the last one
/// leaves a bit for the carry.
pub(crate) const fn digits(bits: u32, window: u32) -> u32 {
    bits / window + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, Field};
    use proptest::prelude::*;

    /// The digits weigh up to the scalar, also if there are more windows than it needs.
    fn check(scalar: Fr, window: u32) {
        let Some(term) = Term::new(7, &scalar) else {
            assert!(scalar.is_zero());
            return;
        };
        let own = term.digits(window);
        for windows in [own, (own + 3).min(digits(BITS, window))] {
            let mut shifted = term.clone();
            shifted.shift(&Offset::new(window, windows));
            let half = 1i32 << (window - 1);
            let mut sum = Fr::ZERO;
            for w in (0..windows).rev() {
                let digit = shifted.digit(w, window, windows);
                assert!(
                    digit <= half && digit >= 1 - half,
                    "{digit} with {window} bits"
                );
                assert!(w < own || digit == 0);
                sum = sum * Fr::from(1u64 << window) + Fr::from(digit);
            }
            assert_eq!(
                if term.negative { -sum } else { sum },
                scalar,
                "{window} bits"
            );
        }
    }

    #[test]
    fn digits_of_edge_cases() {
        let middle = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        let mut scalars = vec![Fr::ZERO, middle, middle + Fr::ONE];
        for k in 0..254u64 {
            let power = Fr::from(2u64).pow([k]);
            scalars.extend([power, -power, power - Fr::ONE, power + Fr::ONE]);
        }
        for scalar in scalars {
            (1..=18).for_each(|window| check(scalar, window));
        }
    }

    proptest! {
        #[test]
        fn digits_of_any(bytes: [u8; 32], window in 1u32..=18) {
            check(Fr::from_le_bytes_mod_order(&bytes), window);
        }
    }

    #[test]
    fn small_and_minus_small_are_short() {
        for (scalar, bits) in [(1u64, 1), (2047, 11), (1 << 39, 40), (u64::MAX, 64)] {
            let plus = Term::new(0, &Fr::from(scalar)).map(|t| (t.bits, t.negative));
            let minus = Term::new(0, &-Fr::from(scalar)).map(|t| (t.bits, t.negative));
            assert_eq!(plus, Some((bits, false)));
            assert_eq!(minus, Some((bits, true)));
            assert_eq!(Term::from_u64(0, scalar).map(|t| t.bits), Some(bits));
        }
        assert!(Term::from_u64(0, 0).is_none());
    }
}
