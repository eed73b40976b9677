//! The fields of BN254 as bare Montgomery limbs, without data-dependent branches.
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

use ark_ff::{BigInt, Field, Fp, MontBackend, MontConfig};
use std::array::from_fn;
use std::fmt;
use std::marker::PhantomData;

type Limbs = [u64; 4];
type Ark<C> = Fp<MontBackend<C, 4>, 4>;

/// A field element in Montgomery form, below `2p`. Not unique: compare by [`Fe::same`].
///
/// `C` is the configuration of a field whose modulus `p` is below `2^254`.
pub struct Fe<C>(Limbs, PhantomData<C>);

impl<C> Clone for Fe<C> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Fe<C> {}

impl<C> fmt::Debug for Fe<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fe").field(&self.0).finish()
    }
}

impl<C: MontConfig<4>> Fe<C> {
    const P: Limbs = C::MODULUS.0;
    const TWO_P: Limbs = double(&Self::P);
    /// `2^-64 mod p`: `(INV * p + 1) / 2^64`, as `INV * p = -1 mod 2^64`.
    const FOLD: Limbs = {
        let r = row([1, 0, 0, 0, 0], C::INV, &Self::P);
        [r[1], r[2], r[3], r[4]]
    };

    /// Zero.
    pub const ZERO: Self = Self::new([0; 4]);
    /// One.
    pub const ONE: Self = Self::new(C::R.0);

    #[inline(always)]
    pub(crate) const fn new(limbs: Limbs) -> Self {
        Self(limbs, PhantomData)
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(crate) const fn limbs(&self) -> Limbs {
        self.0
    }

    /// From the same representation.
    #[inline(always)]
    pub const fn from_ark(value: &Ark<C>) -> Self {
        Self::new(value.0 .0)
    }

    /// The representative below `p`.
    #[inline(always)]
    pub fn to_ark(self) -> Ark<C> {
        Fp::new_unchecked(BigInt(sub_or_add(&self.0, &Self::P, &Self::P)))
    }

    /// Whether this is zero in the field: zero or `p`.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 4] || self.0 == Self::P
    }

    /// Whether both are the same in the field.
    pub fn same(&self, other: &Self) -> bool {
        self.sub(other).is_zero()
    }

    /// Some of the bits.
    #[inline(always)]
    pub const fn bits(&self) -> u64 {
        self.0[0]
    }

    /// The sum.
    #[must_use]
    #[inline(always)]
    pub fn add(&self, other: &Self) -> Self {
        self.add_lazy(other).reduce()
    }

    /// The difference.
    #[must_use]
    #[inline(always)]
    pub fn sub(&self, other: &Self) -> Self {
        Self::new(sub_or_add(&self.0, &other.0, &Self::TWO_P))
    }

    /// Twice this.
    #[must_use]
    #[inline(always)]
    pub fn double(&self) -> Self {
        self.add(self)
    }

    /// The product. `other` may be below `4p` if `self` is below `p`.
    #[must_use]
    #[inline(always)]
    pub fn mul(&self, other: &Self) -> Self {
        Self::new(mul::<C>(&self.0, &other.0))
    }

    /// The square.
    #[must_use]
    #[inline(always)]
    pub fn square(&self) -> Self {
        Self::new(square::<C>(&self.0))
    }

    /// `-self` if `negate`, without a branch on it.
    #[must_use]
    #[inline(always)]
    pub fn negate_if(&self, negate: bool) -> Self {
        let mask = u64::from(negate).wrapping_neg();
        let minus = sub_or_add(&Self::P, &self.0, &Self::TWO_P);
        Self::new(from_fn(|i| (minus[i] & mask) | (self.0[i] & !mask)))
    }

    /// The inverse; zero for zero.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let inverse = self.to_ark().inverse();
        inverse.map_or(Self::ZERO, |v| Self::from_ark(&v))
    }

    /// The representative below `p`, which the lazy products ask for.
    #[must_use]
    #[inline(always)]
    pub(crate) fn canonical(self) -> Self {
        Self::new(sub_or_add(&self.0, &Self::P, &Self::P))
    }

    /// The sum, below `4p`.
    #[must_use]
    #[inline(always)]
    pub(crate) fn add_lazy(&self, other: &Self) -> Self {
        Self::new(add(&self.0, &other.0))
    }

    /// The difference plus `2p`, below `4p`.
    #[must_use]
    #[inline(always)]
    pub(crate) fn sub_lazy(&self, other: &Self) -> Self {
        Self::new(add(&sub(&self.0, &other.0), &Self::TWO_P))
    }

    /// The representative below `2p` of a value below `4p`.
    #[must_use]
    #[inline(always)]
    pub(crate) fn reduce(self) -> Self {
        Self::new(sub_or_add(&self.0, &Self::TWO_P, &Self::TWO_P))
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
const fn fold<C: MontConfig<4>>(r: [u64; 5]) -> [u64; 5] {
    row([r[1], r[2], r[3], r[4], 0], r[0], &Fe::<C>::FOLD)
}

/// Divides by `2^64` modulo `p`, by adding the multiple of `p` that clears the lowest limb.
#[inline(always)]
const fn montgomery<C: MontConfig<4>>(r: [u64; 5]) -> [u64; 5] {
    let r = row(r, r[0].wrapping_mul(C::INV), &Fe::<C>::P);
    [r[1], r[2], r[3], r[4], 0]
}

/// Montgomery product `a * b / R` modulo `p`, below `2p` for `a` and `b` below `2p`, or `a` below `p`
/// and `b` below `4p`.
///
/// Steps of [`fold`] leave up to `2^64 p`, so two steps of [`montgomery`] have to follow: the
/// result is below `(a * b + 2^192 p + 2^256 p) / R`, that is below `1.8 p`.
#[inline(always)]
const fn mul<C: MontConfig<4>>(a: &Limbs, b: &Limbs) -> Limbs {
    let r = row([0; 5], b[0], a);
    let r = row(fold::<C>(r), b[1], a);
    let r = row(fold::<C>(r), b[2], a);
    let r = row(montgomery::<C>(r), b[3], a);
    let r = montgomery::<C>(r);
    [r[0], r[1], r[2], r[3]]
}

/// `a^2 / R` modulo `p`, below `2p` for `a` below `2p`: ten products instead of sixteen, and
/// the low half of the square is reduced by itself.
#[inline(always)]
fn square<C: MontConfig<4>>(a: &Limbs) -> Limbs {
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
    let r = montgomery::<C>(montgomery::<C>(fold::<C>(fold::<C>([
        low(0),
        t1,
        t2,
        t3,
        0,
    ]))));
    add(&[t4, t5, t6, t7], &[r[0], r[1], r[2], r[3]])
}

const fn double(a: &Limbs) -> Limbs {
    let r = row([0; 5], 2, a);
    [r[0], r[1], r[2], r[3]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fq, FqConfig, FrConfig};
    use ark_ff::{AdditiveGroup, PrimeField, Zero};
    use proptest::prelude::*;

    /// Both representatives below `2p`.
    fn both<C: MontConfig<4>>(value: Ark<C>) -> [Fe<C>; 2] {
        let low = Fe::from_ark(&value);
        [low, Fe::new(add(&low.0, &Fe::<C>::P))]
    }

    fn check<C: MontConfig<4>>(value: Fe<C>, expected: Ark<C>) {
        let bound = BigInt(Fe::<C>::TWO_P);
        assert!(BigInt(value.0) < bound, "{value:?} is not below 2p");
        assert_eq!(value.to_ark(), expected);
    }

    fn check_all<C: MontConfig<4>>(a: Ark<C>, b: Ark<C>) {
        for x in both(a) {
            for y in both(b) {
                check(x.mul(&y), a * b);
                check(x.sub(&y), a - b);
                check(x.add(&y), a + b);
                assert_eq!(x.same(&y), a == b);
                check_lazy(x, y, a, b);
            }
            check(x.square(), a * a);
            check(x.double(), a.double());
            check(x.negate_if(true), -a);
            check(x.negate_if(false), a);
            check(x.inverse(), a.inverse().unwrap_or_default());
            assert_eq!(x.is_zero(), a.is_zero());
        }
    }

    /// Sums and differences below `4p`, as themselves and times a factor below `p`.
    fn check_lazy<C: MontConfig<4>>(x: Fe<C>, y: Fe<C>, a: Ark<C>, b: Ark<C>) {
        let factor = Fe::from_ark(&b);
        for (value, expected) in [(x.add_lazy(&y), a + b), (x.sub_lazy(&y), a - b)] {
            check(value.reduce(), expected);
            check(factor.mul(&value), expected * b);
        }
    }

    #[test]
    fn fold_is_the_inverse_of_two_to_the_64() {
        let fold = Fq::from(BigInt(Fe::<FqConfig>::FOLD));
        assert_eq!(fold * Fq::from(1u128 << 64), Fq::ONE);
    }

    fn edge_cases<C: MontConfig<4>>() {
        let limbs = |limbs| Ark::<C>::new_unchecked(BigInt(limbs));
        let p = Fe::<C>::P;
        let full = u64::MAX;
        let values = [
            Ark::<C>::zero(),
            Ark::<C>::ONE,
            -Ark::<C>::ONE,
            limbs([p[0] - 1, p[1], p[2], p[3]]),
            limbs([full, full, full, p[3] - 1]),
            limbs([full, 0, 0, 0]),
            limbs([0, full, full, 0]),
            limbs([0, 0, 0, p[3]]),
        ];
        for a in values {
            for b in values {
                check_all(a, b);
            }
        }
    }

    #[test]
    fn edge_cases_agree_with_ark() {
        edge_cases::<FqConfig>();
        edge_cases::<FrConfig>();
    }

    proptest! {
        #[test]
        fn any_values_agree_with_ark(a: [u8; 32], b: [u8; 32]) {
            check_all(Fq::from_le_bytes_mod_order(&a), Fq::from_le_bytes_mod_order(&b));
            check_all(crate::Fr::from_le_bytes_mod_order(&a), crate::Fr::from_le_bytes_mod_order(&b));
        }
    }
}
