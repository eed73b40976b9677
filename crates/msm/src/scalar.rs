//! Scalars as sign and magnitude, and their signed digits.

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField, Zero};

/// A non-zero scalar `± magnitude` of the point `index`.
#[derive(Clone, Debug)]
pub(crate) struct Term {
    magnitude: [u64; 4],
    pub(crate) index: u32,
    pub(crate) negative: bool,
    pub(crate) bits: u8,
}

impl Term {
    /// The shorter of `scalar` and `scalar - r`, so that `r - small` is as cheap as `small`.
    /// None for zero.
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
        Some(Self::from_parts(index, magnitude.0, negative))
    }

    /// None for zero.
    pub(crate) fn from_u64(index: usize, scalar: u64) -> Option<Self> {
        (scalar != 0).then(|| Self::from_parts(index, [scalar, 0, 0, 0], false))
    }

    fn from_parts(index: usize, magnitude: [u64; 4], negative: bool) -> Self {
        let top = (0..4).rev().find(|i| magnitude[*i] != 0).unwrap_or(0);
        let bits = 64 * (top as u32 + 1) - magnitude[top].leading_zeros();
        Self {
            magnitude,
            index: index as u32,
            negative,
            bits: bits as u8,
        }
    }

    /// How many signed digits of `window` bits the magnitude may have.
    pub(crate) fn digits(&self, window: u32) -> u32 {
        u32::from(self.bits) / window + 1
    }

    /// Adds `half - 1` at each window but the last of `windows`, `half = 2^(window - 1)`. Then
    /// [`Self::digit`] needs no carry from below.
    pub(crate) fn shift_digits(&mut self, window: u32, windows: u32) {
        let offset = (1u64 << (window - 1)) - 1;
        let mut sum = [0u64; 4];
        for w in 0..windows.saturating_sub(1) {
            let (limb, bit) = ((w * window / 64) as usize, w * window % 64);
            sum[limb] |= offset << bit;
            if bit + window > 64 {
                sum[limb + 1] |= offset >> (64 - bit);
            }
        }
        let mut carry = false;
        for (limb, add) in self.magnitude.iter_mut().zip(sum) {
            (*limb, carry) = limb.carrying_add(add, carry);
        }
    }

    /// Digit `w` of a shifted magnitude, from `-(half - 1)` to `half`.
    #[inline(always)]
    pub(crate) fn digit(&self, w: u32, window: u32, windows: u32) -> i32 {
        let (limb, bit) = ((w * window / 64) as usize, w * window % 64);
        let mut value = self.magnitude[limb] >> bit;
        if bit + window > 64 && limb < 3 {
            value |= self.magnitude[limb + 1] << (64 - bit);
        }
        let raw = (value & ((1 << window) - 1)) as i32;
        let offset = (1i32 << (window - 1)) - 1;
        if w + 1 < windows {
            raw - offset
        } else {
            raw
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, Field, UniformRand};

    fn check(scalar: Fr, window: u32) {
        let Some(term) = Term::new(7, &scalar) else {
            assert!(scalar.is_zero());
            return;
        };
        // More windows than this scalar needs, as beside a longer one.
        for extra in [0, 3] {
            let digits = term.digits(window);
            let windows = (digits + extra).min(254 / window + 1);
            let mut shifted = term.clone();
            shifted.shift_digits(window, windows);
            let half = 1i32 << (window - 1);
            let mut sum = Fr::ZERO;
            for w in (0..windows).rev() {
                let digit = shifted.digit(w, window, windows);
                assert!(
                    digit <= half && digit > -half.max(1),
                    "digit {digit} of {window} bits"
                );
                assert!(w < digits || digit == 0);
                sum = sum * Fr::from(1u64 << window) + Fr::from(digit);
            }
            assert_eq!(
                if term.negative { -sum } else { sum },
                scalar,
                "window {window}"
            );
        }
    }

    #[test]
    fn digits_give_the_scalar_back() {
        let mut rng = rand::thread_rng();
        let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        let mut scalars = vec![Fr::ZERO, Fr::ONE, -Fr::ONE, half, half + Fr::ONE, -half];
        for k in 0..254u64 {
            let power = Fr::from(2u64).pow([k]);
            scalars.extend([power, -power, power - Fr::ONE, power + Fr::ONE]);
        }
        scalars.extend((0..50).map(|_| Fr::rand(&mut rng)));
        for scalar in scalars {
            for window in 1..=18 {
                check(scalar, window);
            }
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
    }
}
