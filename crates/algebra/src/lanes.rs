//! Eight elements of a field at once, in limbs of 52 bits, for processors that multiply those: AVX-512 IFMA.
//!
//! What is computed is what [`Fe`] computes. Only the radix differs: a product of lanes divides by `2^260`, one of
//! [`Fe`] by `2^256`. Whoever mixes both has to keep count (see `assay_msm` and the transforms).

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into the task is compiled for the processor that it runs on"
)]
#![expect(
    clippy::large_types_passed_by_value,
    reason = "what is inlined is passed in registers"
)]

use crate::limbs::Fe;
use ark_ff::MontConfig;
use std::arch::x86_64::__m512i;
use std::array::from_fn;
use std::marker::PhantomData;

/// Limbs of a lane.
const LIMBS: usize = 5;
/// A full limb.
const MASK: u64 = (1 << 52) - 1;

pulp::simd_type! {
    /// Shows that the processor has what lanes need.
    pub struct Ifma {
        avx512f: "avx512f",
        avx512ifma: "avx512ifma",
    }
}

/// What is done in lanes. The function and all it calls have to be `#[inline(always)]`.
pub trait Task {
    /// What it results in.
    type Output;
    /// Does it.
    fn run(self, lanes: Ifma) -> Self::Output;
}

struct Call<T>(Ifma, T);

impl<T: Task> pulp::NullaryFnOnce for Call<T> {
    type Output = T::Output;

    #[inline(always)]
    fn call(self) -> T::Output {
        self.1.run(self.0)
    }
}

/// Eight elements in the representation of [`Fe`], each below `2^258` and thus below `21p`.
pub struct Eight<C>([__m512i; LIMBS], PhantomData<C>);

impl<C> Clone for Eight<C> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Eight<C> {}

/// Sums and differences before their carries: limbs may be negative.
struct Loose<C>([__m512i; LIMBS], PhantomData<C>);

/// `multiple · limbs`, as limbs of 52 bits.
const fn cut(limbs: &[u64; 4], multiple: u64) -> [u64; LIMBS] {
    let low = [
        limbs[0] & MASK,
        (limbs[0] >> 52 | limbs[1] << 12) & MASK,
        (limbs[1] >> 40 | limbs[2] << 24) & MASK,
        (limbs[2] >> 28 | limbs[3] << 36) & MASK,
        limbs[3] >> 16,
    ];
    let mut out = [0; LIMBS];
    let mut carry = 0;
    let mut at = 0;
    while at < LIMBS {
        let sum = low[at] * multiple + carry;
        out[at] = sum & MASK;
        carry = sum >> 52;
        at += 1;
    }
    out
}

/// Constants of a field.
struct Field<C>(PhantomData<C>);

impl<C: MontConfig<4>> Field<C> {
    const P: [u64; LIMBS] = cut(&C::MODULUS.0, 1);
    const TWO_P: [u64; LIMBS] = cut(&C::MODULUS.0, 2);
    const FOUR_P: [u64; LIMBS] = cut(&C::MODULUS.0, 4);
    /// `-1/p` modulo `2^52`.
    const INV: u64 = C::INV & MASK;
    /// `2^260 / p`, rounded down.
    const OVER_P: u64 = MASK / (Self::P[LIMBS - 1] + 1);
    /// Limb by limb the multiples of `p` from 0 to 7.
    const MULTIPLES: [[u64; 8]; LIMBS] = {
        let mut all = [[0; 8]; LIMBS];
        let mut multiple = 0;
        while multiple < 8 {
            let limbs = cut(&C::MODULUS.0, multiple as u64);
            let mut at = 0;
            while at < LIMBS {
                all[at][multiple] = limbs[at];
                at += 1;
            }
            multiple += 1;
        }
        all
    };
}

impl Ifma {
    /// Does a task.
    #[inline(always)]
    pub fn run<T: Task>(self, task: T) -> T::Output {
        self.vectorize(Call(self, task))
    }

    #[inline(always)]
    fn splat(self, value: u64) -> __m512i {
        self.avx512f._mm512_set1_epi64(value.cast_signed())
    }

    #[inline(always)]
    fn splat_all(self, values: &[u64; LIMBS]) -> [__m512i; LIMBS] {
        from_fn(|i| self.splat(values[i]))
    }

    /// `sum + (a·b modulo 2^52)`.
    #[inline(always)]
    fn low(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        self.avx512ifma._mm512_madd52lo_epu64(sum, a, b)
    }

    /// `sum + a·b / 2^52`.
    #[inline(always)]
    fn high(self, sum: __m512i, a: __m512i, b: __m512i) -> __m512i {
        self.avx512ifma._mm512_madd52hi_epu64(sum, a, b)
    }

    #[inline(always)]
    fn add(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_add_epi64(a, b)
    }

    #[inline(always)]
    fn sub(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_sub_epi64(a, b)
    }

    #[inline(always)]
    fn and(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_and_si512(a, b)
    }

    #[inline(always)]
    fn or(self, a: __m512i, b: __m512i) -> __m512i {
        self.avx512f._mm512_or_si512(a, b)
    }

    #[inline(always)]
    fn left<const BITS: u32>(self, a: __m512i) -> __m512i {
        self.avx512f._mm512_slli_epi64::<BITS>(a)
    }

    #[inline(always)]
    fn right<const BITS: u32>(self, a: __m512i) -> __m512i {
        self.avx512f._mm512_srli_epi64::<BITS>(a)
    }

    /// Makes all limbs but the last ones of 52 bits.
    #[inline(always)]
    fn carried(self, mut limbs: [__m512i; LIMBS]) -> [__m512i; LIMBS] {
        let mask = self.splat(MASK);
        for at in 0..LIMBS - 1 {
            let carry = self.avx512f._mm512_srai_epi64::<52>(limbs[at]);
            limbs[at + 1] = self.add(limbs[at + 1], carry);
            limbs[at] = self.and(limbs[at], mask);
        }
        limbs
    }

    /// Rows to columns, and back.
    #[inline(always)]
    fn transposed(self, r: [__m512i; 8]) -> [__m512i; 8] {
        let f = self.avx512f;
        let even: [__m512i; 4] = from_fn(|i| f._mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1]));
        let odd: [__m512i; 4] = from_fn(|i| f._mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]));
        // Of four rows pieces 0 and 2, 1 and 3; then of all rows.
        let columns = |pairs: [__m512i; 4]| {
            let [first, second]: [[__m512i; 2]; 2] = from_fn(|i| {
                let (a, b) = (pairs[2 * i], pairs[2 * i + 1]);
                [
                    f._mm512_shuffle_i64x2::<0x88>(a, b),
                    f._mm512_shuffle_i64x2::<0xdd>(a, b),
                ]
            });
            [
                f._mm512_shuffle_i64x2::<0x88>(first[0], second[0]),
                f._mm512_shuffle_i64x2::<0x88>(first[1], second[1]),
                f._mm512_shuffle_i64x2::<0xdd>(first[0], second[0]),
                f._mm512_shuffle_i64x2::<0xdd>(first[1], second[1]),
            ]
        };
        let (even, odd) = (columns(even), columns(odd));
        from_fn(|i| {
            if i.is_multiple_of(2) {
                even[i / 2]
            } else {
                odd[i / 2]
            }
        })
    }

    /// From four limbs of 64 bits.
    #[inline(always)]
    fn narrow(self, limbs: [__m512i; 4]) -> [__m512i; LIMBS] {
        let mask = self.splat(MASK);
        let [a, b, c, d] = limbs;
        [
            self.and(a, mask),
            self.and(self.or(self.right::<52>(a), self.left::<12>(b)), mask),
            self.and(self.or(self.right::<40>(b), self.left::<24>(c)), mask),
            self.and(self.or(self.right::<28>(c), self.left::<36>(d)), mask),
            self.right::<16>(d),
        ]
    }

    /// To four limbs of 64 bits.
    #[inline(always)]
    fn wide(self, limbs: [__m512i; LIMBS]) -> [__m512i; 4] {
        let [a, b, c, d, e] = limbs;
        [
            self.or(a, self.left::<52>(b)),
            self.or(self.right::<12>(b), self.left::<40>(c)),
            self.or(self.right::<24>(c), self.left::<28>(d)),
            self.or(self.right::<36>(d), self.left::<16>(e)),
        ]
    }

    /// Eight pairs as two times eight elements.
    #[inline(always)]
    pub fn load<C: MontConfig<4>>(self, pairs: [(&Fe<C>, &Fe<C>); 8]) -> (Eight<C>, Eight<C>) {
        let rows = pairs.map(|(left, right)| {
            let ([a, b, c, d], [e, f, g, h]) = (left.limbs(), right.limbs());
            pulp::cast::<[u64; 8], __m512i>([a, b, c, d, e, f, g, h])
        });
        let [a, b, c, d, e, f, g, h] = self.transposed(rows);
        (
            Eight(self.narrow([a, b, c, d]), PhantomData),
            Eight(self.narrow([e, f, g, h]), PhantomData),
        )
    }

    /// Two times eight elements, which are below `2p`, as eight pairs.
    #[inline(always)]
    pub fn store<C: MontConfig<4>>(self, left: Eight<C>, right: Eight<C>) -> [(Fe<C>, Fe<C>); 8] {
        let ([a, b, c, d], [e, f, g, h]) = (self.wide(left.0), self.wide(right.0));
        self.transposed([a, b, c, d, e, f, g, h]).map(|row| {
            let [a, b, c, d, e, f, g, h] = pulp::cast::<__m512i, [u64; 8]>(row);
            (Fe::new([a, b, c, d]), Fe::new([e, f, g, h]))
        })
    }
}

impl<C: MontConfig<4>> Eight<C> {
    /// What a product leaves as it is: `2^260`, below `16p`.
    #[inline(always)]
    pub fn unit(lanes: Ifma) -> Self {
        Self(lanes.splat_all(&cut(&C::R.0, 16)), PhantomData)
    }

    /// Sixteen times a value below `p`, eight times: a product with it is what a product of [`Fe`] is.
    #[inline(always)]
    pub fn factor(lanes: Ifma, value: &Fe<C>) -> Self {
        Self(lanes.splat_all(&cut(&value.limbs(), 16)), PhantomData)
    }

    /// The same of eight values.
    #[inline(always)]
    pub fn factors(lanes: Ifma, values: [&Fe<C>; 8]) -> Self {
        let (plain, _) = lanes.load(values.map(|value| (value, value)));
        let scaled = plain.0.map(|limb| lanes.left::<4>(limb));
        Self(lanes.carried(scaled), PhantomData)
    }

    /// `self · other / 2^260`, below `p + self·other/2^260`: below `2p` for factors whose product is below `83 p²`.
    #[must_use]
    #[inline(always)]
    pub fn mul(&self, lanes: Ifma, other: &Self) -> Self {
        let zero = lanes.splat(0);
        let mut sums = [zero; 2 * LIMBS];
        for (i, a) in self.0.into_iter().enumerate() {
            for (j, b) in other.0.into_iter().enumerate() {
                sums[i + j] = lanes.low(sums[i + j], a, b);
                sums[i + j + 1] = lanes.high(sums[i + j + 1], a, b);
            }
        }
        Self::divided(lanes, sums)
    }

    /// `self² / 2^260`.
    #[must_use]
    #[inline(always)]
    pub fn square(&self, lanes: Ifma) -> Self {
        let zero = lanes.splat(0);
        let mut sums = [zero; 2 * LIMBS];
        for i in 0..LIMBS {
            for j in i + 1..LIMBS {
                sums[i + j] = lanes.low(sums[i + j], self.0[i], self.0[j]);
                sums[i + j + 1] = lanes.high(sums[i + j + 1], self.0[i], self.0[j]);
            }
        }
        for (i, own) in self.0.into_iter().enumerate() {
            for (at, sum) in sums.iter_mut().enumerate().skip(2 * i).take(2) {
                let twice = lanes.add(*sum, *sum);
                *sum = if at == 2 * i {
                    lanes.low(twice, own, own)
                } else {
                    lanes.high(twice, own, own)
                };
            }
        }
        Self::divided(lanes, sums)
    }

    /// Montgomery's division by `2^260`.
    #[inline(always)]
    fn divided(lanes: Ifma, mut sums: [__m512i; 2 * LIMBS]) -> Self {
        let zero = lanes.splat(0);
        let p = lanes.splat_all(&Field::<C>::P);
        let inverse = lanes.splat(Field::<C>::INV);
        for i in 0..LIMBS {
            let factor = lanes.low(zero, sums[i], inverse);
            for (j, p) in p.into_iter().enumerate() {
                sums[i + j] = lanes.low(sums[i + j], factor, p);
                sums[i + j + 1] = lanes.high(sums[i + j + 1], factor, p);
            }
            sums[i + 1] = lanes.add(sums[i + 1], lanes.right::<52>(sums[i]));
        }
        let limbs = from_fn(|i| sums[LIMBS + i]);
        Self(lanes.carried(limbs), PhantomData)
    }

    /// The difference, plus `2p`, where `other` is below `2p`.
    #[must_use]
    #[inline(always)]
    pub fn sub(&self, lanes: Ifma, other: &Self) -> Self {
        let difference = self.minus(lanes, other, &Field::<C>::TWO_P);
        Self(lanes.carried(difference.0), PhantomData)
    }

    /// Four times that.
    #[must_use]
    #[inline(always)]
    pub fn sub_times_four(&self, lanes: Ifma, other: &Self) -> Self {
        let difference = self.minus(lanes, other, &Field::<C>::TWO_P);
        let four_times = difference.0.map(|limb| lanes.left::<2>(limb));
        Self(lanes.carried(four_times), PhantomData)
    }

    #[inline(always)]
    fn minus(&self, lanes: Ifma, other: &Self, more: &[u64; LIMBS]) -> Loose<C> {
        let more = lanes.splat_all(more);
        let limb = |i: usize| lanes.sub(lanes.add(self.0[i], more[i]), other.0[i]);
        Loose(from_fn(limb), PhantomData)
    }

    /// The representative below `2p` of `self - other`, for both below `2p`.
    #[must_use]
    #[inline(always)]
    pub fn sub_reduced(&self, lanes: Ifma, other: &Self) -> Self {
        self.minus(lanes, other, &Field::<C>::TWO_P).reduced(lanes)
    }

    /// The same of `self - first - second`.
    #[must_use]
    #[inline(always)]
    pub fn sub_both_reduced(&self, lanes: Ifma, first: &Self, second: &Self) -> Self {
        let mut difference = self.minus(lanes, first, &Field::<C>::FOUR_P);
        for (limb, second) in difference.0.iter_mut().zip(second.0) {
            *limb = lanes.sub(*limb, second);
        }
        difference.reduced(lanes)
    }
}

impl<C: MontConfig<4>> Eight<C> {
    /// `low + factor·high` and `low - factor·high`, below `4p` from below `4p`.
    #[inline(always)]
    pub fn split(lanes: Ifma, low: &Self, high: &Self, factor: &Self) -> (Self, Self) {
        let product = high.mul(lanes, factor);
        let low = Self(low.without_multiples(lanes), PhantomData);
        let difference = low.minus(lanes, &product, &Field::<C>::TWO_P);
        (
            Self(lanes.carried(low.plus(lanes, &product).0), PhantomData),
            Self(lanes.carried(difference.0), PhantomData),
        )
    }

    /// `low + high` and `factor·(high - low)`, below `2p` from below `2p`.
    #[inline(always)]
    pub fn merge(lanes: Ifma, low: &Self, high: &Self, factor: &Self) -> (Self, Self) {
        (
            low.plus(lanes, high).reduced(lanes),
            high.sub(lanes, low).mul(lanes, factor),
        )
    }

    #[inline(always)]
    fn plus(&self, lanes: Ifma, other: &Self) -> Loose<C> {
        Loose(from_fn(|i| lanes.add(self.0[i], other.0[i])), PhantomData)
    }

    /// The limbs of the representative below `2p` of a value below `8p`, before their carries.
    #[inline(always)]
    fn without_multiples(&self, lanes: Ifma) -> [__m512i; LIMBS] {
        // Never more than value/p, and less by at most one.
        let over = lanes.splat(Field::<C>::OVER_P);
        let quotient = lanes.high(lanes.splat(0), self.0[LIMBS - 1], over);
        from_fn(|i| {
            let multiples = pulp::cast::<[u64; 8], __m512i>(Field::<C>::MULTIPLES[i]);
            let multiple = lanes.avx512f._mm512_permutexvar_epi64(quotient, multiples);
            lanes.sub(self.0[i], multiple)
        })
    }
}

impl<C: MontConfig<4>> Loose<C> {
    /// The representative below `2p` of a value from 0 to below `8p`.
    #[inline(always)]
    fn reduced(self, lanes: Ifma) -> Eight<C> {
        let carried = Eight::<C>(lanes.carried(self.0), PhantomData);
        let limbs = carried.without_multiples(lanes);
        Eight(lanes.carried(limbs), PhantomData)
    }
}

#[cfg(test)]
mod tests;
