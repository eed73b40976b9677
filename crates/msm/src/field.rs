//! The base field of BN254 as bare Montgomery limbs, without data-dependent branches.
//!
//! The representation is that of `ark_ff` (radix `R = 2^256`), so points cross over without
//! work. Two types carry the range of a value: [`Fe`] is below `p`, [`Loose`] below `2p`.
//! Since `4p < R` a product needs no final subtraction as long as one factor is an [`Fe`].

use ark_bn254::{Fq, FqConfig};
use ark_ff::{BigInt, Field, MontConfig};

type Limbs = [u64; 4];

const P: Limbs = FqConfig::MODULUS.0;
const NEG_INV: u64 = FqConfig::INV;
/// `2^-64 mod p`.
const FOLD: Limbs = fold_constant();

/// A field element in Montgomery form, below `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fe(pub(crate) Limbs);

/// A field element in Montgomery form, below `2p`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loose(Limbs);

impl Fe {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self(FqConfig::R.0);

    #[inline(always)]
    pub(crate) const fn from_ark(value: &Fq) -> Self {
        Self(value.0 .0)
    }

    #[inline(always)]
    pub(crate) const fn to_ark(self) -> Fq {
        Fq::new_unchecked(BigInt(self.0))
    }

    #[inline(always)]
    pub(crate) const fn is_zero(&self) -> bool {
        (self.0[0] | self.0[1] | self.0[2] | self.0[3]) == 0
    }

    #[inline(always)]
    pub(crate) const fn loose(self) -> Loose {
        Loose(self.0)
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Self) -> Self {
        Self(sub_or_add_p(&self.0, &other.0))
    }

    #[inline(always)]
    pub(crate) fn add(&self, other: &Self) -> Self {
        Loose(add(&self.0, &other.0)).reduce()
    }

    #[inline(always)]
    pub(crate) fn double(&self) -> Self {
        self.add(self)
    }

    #[inline(always)]
    pub(crate) fn mul(&self, other: &Self) -> Loose {
        Loose(mul(&self.0, &other.0))
    }

    #[inline(always)]
    pub(crate) fn mul_loose(&self, other: &Loose) -> Loose {
        Loose(mul(&other.0, &self.0))
    }

    #[inline(always)]
    pub(crate) fn square(&self) -> Loose {
        Loose(mul(&self.0, &self.0))
    }

    /// `-self` if `negate`, without a branch on it.
    #[inline(always)]
    pub(crate) fn negate_if(&self, negate: bool) -> Self {
        // p - 0 would be p, which is no canonical zero: a zero stays.
        let mask = u64::from(negate && !self.is_zero()).wrapping_neg();
        let minus = sub(&P, &self.0);
        Self(std::array::from_fn(|i| {
            (minus[i] & mask) | (self.0[i] & !mask)
        }))
    }
}

impl Loose {
    #[inline(always)]
    pub(crate) const fn is_zero(&self) -> bool {
        Fe(self.0).is_zero()
    }

    #[inline(always)]
    pub(crate) fn sub(&self, other: &Fe) -> Self {
        Self(sub_or_add_p(&self.0, &other.0))
    }

    /// The representative below `p`.
    #[inline(always)]
    pub(crate) fn reduce(&self) -> Fe {
        Fe(sub_or_add_p(&self.0, &P))
    }

    /// The inverse; zero for zero.
    pub(crate) fn inverse(&self) -> Fe {
        let value = self.reduce().to_ark();
        value.inverse().map_or(Fe::ZERO, |v| Fe::from_ark(&v))
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

/// `a - b`, plus `p` if that is negative, for `a` and `b` below `2p`. As `2p < 2^255` the top
/// bit of the difference is its sign.
#[inline(always)]
fn sub_or_add_p(a: &Limbs, b: &Limbs) -> Limbs {
    let d = sub(a, b);
    let mask = ((d[3] as i64) >> 63) as u64;
    add(&d, &[P[0] & mask, P[1] & mask, P[2] & mask, P[3] & mask])
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
fn fold(r: [u64; 5]) -> [u64; 5] {
    row([r[1], r[2], r[3], r[4], 0], r[0], &FOLD)
}

/// Montgomery product `a * b / R` modulo `p`.
///
/// The result is below `a*b/R + 0.54 p + p` (the last fold, then the last Montgomery step),
/// that is below `2p` for `a < 2p` and `b < p`, as `p < 0.19 R`.
#[inline(always)]
fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    let r = row([0; 5], b[0], a);
    let r = row(fold(r), b[1], a);
    let r = row(fold(r), b[2], a);
    let r = row(fold(r), b[3], a);
    let k = r[0].wrapping_mul(NEG_INV);
    let r = row(r, k, &P);
    [r[1], r[2], r[3], r[4]]
}

/// `(NEG_INV * p + 1) / 2^64`, which is `2^-64 mod p` as `NEG_INV * p = -1 mod 2^64`.
const fn fold_constant() -> Limbs {
    let r = row([1, 0, 0, 0, 0], NEG_INV, &P);
    [r[1], r[2], r[3], r[4]]
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::{AdditiveGroup, UniformRand, Zero};

    fn edge_cases() -> Vec<Fq> {
        let mut rng = rand::thread_rng();
        let mut values = vec![Fq::zero(), Fq::ONE, -Fq::ONE, Fq::from(2u64)];
        values.push(Fq::new_unchecked(BigInt([
            u64::MAX,
            u64::MAX,
            u64::MAX,
            P[3] - 1,
        ])));
        let mut top = P;
        top[0] -= 1;
        values.push(Fq::new_unchecked(BigInt(top)));
        values.extend((0..60).map(|_| Fq::rand(&mut rng)));
        values
    }

    #[test]
    fn fold_is_the_inverse_of_two_to_the_64() {
        let two_64 = Fq::from(1u128 << 64);
        assert_eq!(Fq::from(BigInt(FOLD)) * two_64, Fq::ONE);
    }

    #[test]
    fn agrees_with_ark_and_keeps_the_ranges() {
        let values = edge_cases();
        for a in &values {
            for b in &values {
                let (x, y) = (Fe::from_ark(a), Fe::from_ark(b));
                assert_eq!(x.mul(&y).reduce().to_ark(), a * b);
                assert_eq!(x.sub(&y).to_ark(), a - b);
                // A loose factor just below 2p.
                let loose = Loose(add(&y.0, &P));
                let product = x.mul_loose(&loose);
                assert!(
                    BigInt(product.0) < BigInt(add(&P, &P)),
                    "product is not below 2p"
                );
                assert_eq!(product.reduce().to_ark(), a * b);
                assert_eq!(loose.sub(&x).reduce().to_ark(), b - a);
            }
            let x = Fe::from_ark(a);
            assert_eq!(x.square().reduce().to_ark(), a * a);
            assert_eq!(x.double().to_ark(), a.double());
            assert_eq!(x.negate_if(true).to_ark(), -*a);
            assert_eq!(x.negate_if(false).to_ark(), *a);
            assert_eq!(
                x.loose().inverse().to_ark(),
                a.inverse().unwrap_or_default()
            );
        }
    }
}
