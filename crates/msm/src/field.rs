//! The base field of BN254 as bare Montgomery limbs, without data-dependent branches.
//!
//! The representation is that of `ark_ff` (radix `R = 2^256`) except that a value may be any
//! representative below `2p`: as `4p < R`, products then need no final subtraction.

#![expect(
    clippy::inline_always,
    reason = "a call costs as much as an addition of limbs"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "wide values are cut into limbs"
)]

use ark_bn254::{Fq, FqConfig};
use ark_ff::{BigInt, Field, MontConfig};
use std::array::from_fn;

type Limbs = [u64; 4];

const P: Limbs = FqConfig::MODULUS.0;
const TWO_P: Limbs = double(&P);
const NEG_INV: u64 = FqConfig::INV;
/// `2^-64 mod p`.
const FOLD: Limbs = fold_constant();

/// A field element in Montgomery form, below `2p`. Not unique: compare by [`Fe::same`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fe(Limbs);

impl Fe {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self(FqConfig::R.0);

    #[inline(always)]
    pub(crate) const fn from_ark(value: &Fq) -> Self {
        Self(value.0 .0)
    }

    pub(crate) fn to_ark(self) -> Fq {
        Fq::new_unchecked(BigInt(sub_or_add(&self.0, &P, &P)))
    }

    /// Whether this is zero in the field: zero or `p`.
    #[inline(always)]
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == [0; 4] || self.0 == P
    }

    pub(crate) fn same(&self, other: &Self) -> bool {
        self.sub(other).is_zero()
    }

    /// Some of the bits.
    #[inline(always)]
    pub(crate) const fn bits(&self) -> u64 {
        self.0[0]
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        Self(sub_or_add(&add(&self.0, &other.0), &TWO_P, &TWO_P))
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        Self(sub_or_add(&self.0, &other.0, &TWO_P))
    }

    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        Self(mul(&self.0, &other.0))
    }

    #[inline(always)]
    pub(crate) fn square(&self) -> Self {
        Self(square(&self.0))
    }

    /// `-self` if `negate`, without a branch on it.
    #[inline(always)]
    pub(crate) fn negate_if(&self, negate: bool) -> Self {
        let mask = u64::from(negate).wrapping_neg();
        let minus = sub_or_add(&P, &self.0, &TWO_P);
        Self(from_fn(|i| (minus[i] & mask) | (self.0[i] & !mask)))
    }

    /// The inverse; zero for zero.
    pub(crate) fn inverse(&self) -> Self {
        let inverse = self.to_ark().inverse();
        inverse.map_or(Self::ZERO, |v| Self::from_ark(&v))
    }
}

#[inline(always)]
fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let (r0, c) = a[0].carrying_add(b[0], false);
    let (r1, c) = a[1].carrying_add(b[1], c);
    let (r2, c) = a[2].carrying_add(b[2], c);
    let r3 = a[3].wrapping_add(b[3]).wrapping_add(u64::from(c));
    [r0, r1, r2, r3]
}

/// `a - b` modulo `2^256`. In halves, for which the compiler keeps one borrow chain even when
/// `b` is a constant.
#[inline(always)]
const fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    let (low, borrow) = half(a, 0).overflowing_sub(half(b, 0));
    let high = half(a, 2)
        .wrapping_sub(half(b, 2))
        .wrapping_sub(borrow as u128);
    [
        low as u64,
        (low >> 64) as u64,
        high as u64,
        (high >> 64) as u64,
    ]
}

#[inline(always)]
const fn half(a: &Limbs, from: usize) -> u128 {
    a[from] as u128 | (a[from + 1] as u128) << 64
}

/// `a - b`, plus `m` if that is negative, for a difference between `-2p` and `2p`: as
/// `2p < 2^255`, its top bit is its sign.
#[inline(always)]
fn sub_or_add(a: &Limbs, b: &Limbs, m: &Limbs) -> Limbs {
    let d = sub(a, b);
    let mask = (d[3].cast_signed() >> 63).cast_unsigned();
    add(&d, &[m[0] & mask, m[1] & mask, m[2] & mask, m[3] & mask])
}

/// `a * b + c + d` as its low and its high limb.
#[inline(always)]
const fn multiply_add(a: u64, b: u64, c: u64, d: u64) -> (u64, u64) {
    let wide = a as u128 * b as u128 + c as u128 + d as u128;
    (wide as u64, (wide >> 64) as u64)
}

/// `r + k * m` over five limbs.
#[inline(always)]
const fn row(r: [u64; 5], k: u64, m: &Limbs) -> [u64; 5] {
    let (t0, c) = multiply_add(k, m[0], r[0], 0);
    let (t1, c) = multiply_add(k, m[1], r[1], c);
    let (t2, c) = multiply_add(k, m[2], r[2], c);
    let (t3, c) = multiply_add(k, m[3], r[3], c);
    [t0, t1, t2, t3, r[4].wrapping_add(c)]
}

/// Divides by `2^64` modulo `p`: the lowest limb `l` becomes `l * (2^-64 mod p)`. Unlike a
/// Montgomery step this takes four multiplications, and none waits for another.
#[inline(always)]
const fn fold(r: [u64; 5]) -> [u64; 5] {
    row([r[1], r[2], r[3], r[4], 0], r[0], &FOLD)
}

/// Divides by `2^64` modulo `p`, by adding the multiple of `p` that clears the lowest limb.
#[inline(always)]
const fn montgomery(r: [u64; 5]) -> [u64; 5] {
    let r = row(r, r[0].wrapping_mul(NEG_INV), &P);
    [r[1], r[2], r[3], r[4], 0]
}

/// Montgomery product `a * b / R` modulo `p`, below `2p` for `a` and `b` below `2p`.
///
/// Steps of [`fold`] leave up to `2^64 p`, so two steps of [`montgomery`] have to follow: the
/// result is below `(a * b + 2^192 p + 2^256 p) / R`, that is below `1.8 p`.
#[inline(always)]
const fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    let r = row([0; 5], b[0], a);
    let r = row(fold(r), b[1], a);
    let r = row(fold(r), b[2], a);
    let r = row(montgomery(r), b[3], a);
    let r = montgomery(r);
    [r[0], r[1], r[2], r[3]]
}

/// `a^2 / R` modulo `p`, below `2p` for `a` below `2p`: ten products instead of sixteen, and
/// the low half of the square is reduced by itself.
#[inline(always)]
fn square(a: &Limbs) -> Limbs {
    let (r1, c) = multiply_add(a[0], a[1], 0, 0);
    let (r2, c) = multiply_add(a[0], a[2], c, 0);
    let (r3, r4) = multiply_add(a[0], a[3], c, 0);
    let (r3, c) = multiply_add(a[1], a[2], r3, 0);
    let (r4, r5) = multiply_add(a[1], a[3], r4, c);
    let (r5, r6) = multiply_add(a[2], a[3], r5, 0);
    // Twice that, and the squares of the limbs.
    let squares: [u128; 4] = from_fn(|i| u128::from(a[i]) * u128::from(a[i]));
    let low = |i: usize| squares[i] as u64;
    let high = |i: usize| (squares[i] >> 64) as u64;
    let (t1, c) = (r1 << 1).carrying_add(high(0), false);
    let (t2, c) = (r2 << 1 | r1 >> 63).carrying_add(low(1), c);
    let (t3, c) = (r3 << 1 | r2 >> 63).carrying_add(high(1), c);
    let (t4, c) = (r4 << 1 | r3 >> 63).carrying_add(low(2), c);
    let (t5, c) = (r5 << 1 | r4 >> 63).carrying_add(high(2), c);
    let (t6, c) = (r6 << 1 | r5 >> 63).carrying_add(low(3), c);
    let t7 = (r6 >> 63) + high(3) + u64::from(c);
    let r = montgomery(montgomery(fold(fold([low(0), t1, t2, t3, 0]))));
    add(&[t4, t5, t6, t7], &[r[0], r[1], r[2], r[3]])
}

/// `(NEG_INV * p + 1) / 2^64`, which is `2^-64 mod p` as `NEG_INV * p = -1 mod 2^64`.
const fn fold_constant() -> Limbs {
    let r = row([1, 0, 0, 0, 0], NEG_INV, &P);
    [r[1], r[2], r[3], r[4]]
}

const fn double(a: &Limbs) -> Limbs {
    let r = row([0; 5], 2, a);
    [r[0], r[1], r[2], r[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, PrimeField, Zero};
    use proptest::prelude::*;

    /// Both representatives below `2p`.
    fn both(value: Fq) -> [Fe; 2] {
        let low = Fe::from_ark(&value);
        [low, Fe(add(&low.0, &P))]
    }

    fn check(value: Fe, expected: Fq) {
        assert!(BigInt(value.0) < BigInt(TWO_P), "{value:?} is not below 2p");
        assert_eq!(value.to_ark(), expected);
    }

    fn check_all(a: Fq, b: Fq) {
        for x in both(a) {
            for y in both(b) {
                check(x.mul(&y), a * b);
                check(x.sub(&y), a - b);
                check(x.add(&y), a + b);
                assert_eq!(x.same(&y), a == b);
            }
            check(x.square(), a * a);
            check(x.double(), a.double());
            check(x.negate_if(true), -a);
            check(x.negate_if(false), a);
            check(x.inverse(), a.inverse().unwrap_or_default());
            assert_eq!(x.is_zero(), a.is_zero());
        }
    }

    #[test]
    fn fold_is_the_inverse_of_two_to_the_64() {
        assert_eq!(Fq::from(BigInt(FOLD)) * Fq::from(1u128 << 64), Fq::ONE);
    }

    #[test]
    fn edge_cases_agree_with_ark() {
        let limbs = |limbs| Fq::new_unchecked(BigInt(limbs));
        let full = u64::MAX;
        let values = [
            Fq::zero(),
            Fq::ONE,
            -Fq::ONE,
            limbs([P[0] - 1, P[1], P[2], P[3]]),
            limbs([full, full, full, P[3] - 1]),
            limbs([full, 0, 0, 0]),
            limbs([0, full, full, 0]),
            limbs([0, 0, 0, P[3]]),
        ];
        for a in values {
            for b in values {
                check_all(a, b);
            }
        }
    }

    proptest! {
        #[test]
        fn any_values_agree_with_ark(a: [u8; 32], b: [u8; 32]) {
            check_all(Fq::from_le_bytes_mod_order(&a), Fq::from_le_bytes_mod_order(&b));
        }
    }
}
