//! Batched affine additions eight at a time, on processors that have lanes.
//!
//! Coordinates are numbers times `2^256`, while a product of lanes divides by `2^260`. With divisors times `2^256` and
//! their inverses times `2^518`, slopes come out times `2^258`, their squares times `2^256`, and a slope times a
//! coordinate times `2^254`: that is why the differences of `x` are taken four times.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into the task is compiled for the processor that it runs on"
)]

use crate::point::{Fe, Point};
use ark_bn254::FqConfig;
use assay_algebra::lanes::{Ifma, Task};
use std::array::from_fn;

type Eight = assay_algebra::lanes::Eight<FqConfig>;

/// Pairs of a vector.
const WIDTH: usize = 8;
/// Products that grow side by side: a step of one waits for the step before.
const CHAINS: usize = 2;
/// Pairs below which eight chains are not worth joining.
const LEAST: usize = 32;

/// The buffers of the additions, kept between calls.
#[derive(Default)]
pub(crate) struct Lanes {
    divisors: Vec<Eight>,
    prefixes: Vec<Eight>,
}

impl Lanes {
    /// Replaces `points[a]` by `points[a] + points[b]` for each pair, no slot being in two pairs, by the formula for
    /// finite points with different `x`. False, and nothing changed, if a pair shares its `x`; none if the processor
    /// has no lanes or the pairs are few.
    pub(crate) fn add_distinct(
        &mut self,
        points: &mut [Point],
        pairs: &[(u32, u32)],
    ) -> Option<bool> {
        if pairs.len() < LEAST {
            return None;
        }
        let lanes = Ifma::try_new()?;
        let products = lanes.run(Products {
            points,
            pairs,
            to: self,
        });
        let Some(inverses) = inverses(&products) else {
            return Some(false);
        };
        lanes.run(Sums {
            points,
            pairs,
            inverses,
            from: self,
        });
        Some(true)
    }
}

/// A value for each chain and lane.
type All = [[Fe; WIDTH]; CHAINS];

/// The inverses times `2^6`; none if a value is zero.
fn inverses(values: &All) -> Option<All> {
    let mut prefixes = [[Fe::ONE; WIDTH]; CHAINS];
    let mut all = Fe::ONE;
    for (prefix, value) in prefixes
        .as_flattened_mut()
        .iter_mut()
        .zip(values.as_flattened())
    {
        *prefix = all;
        all = all.mul(value);
    }
    if all.is_zero() {
        return None;
    }
    let mut product = Fe::from_ark(&64u64.into()).mul(&all.inverse());
    let steps = prefixes.as_flattened_mut().iter_mut();
    for (prefix, value) in steps.zip(values.as_flattened()).rev() {
        *prefix = prefix.mul(&product);
        product = product.mul(value);
    }
    Some(prefixes)
}

/// The slots of eight pairs: the last stands for those that are missing.
#[inline(always)]
fn slots(pairs: &[(u32, u32)]) -> [(usize, usize); WIDTH] {
    from_fn(|i| {
        let (a, b) = pairs[i.min(pairs.len() - 1)];
        (a as usize, b as usize)
    })
}

/// The differences of `x` of all pairs, and their products.
struct Products<'a> {
    points: &'a [Point],
    pairs: &'a [(u32, u32)],
    to: &'a mut Lanes,
}

impl Task for Products<'_> {
    type Output = All;

    #[inline(always)]
    fn run(self, lanes: Ifma) -> All {
        let Self { points, pairs, to } = self;
        let unit = Eight::unit(lanes);
        let mut products = [unit; CHAINS];
        let count = pairs.len().div_ceil(WIDTH);
        to.divisors.resize(count, unit);
        to.prefixes.resize(count, unit);
        let buffers = to.divisors.iter_mut().zip(&mut to.prefixes);
        for ((number, pairs), (divisor, prefix)) in pairs.chunks(WIDTH).enumerate().zip(buffers) {
            let slots = slots(pairs);
            let (a, b) = lanes.load(slots.map(|(a, b)| (&points[a].x, &points[b].x)));
            let product = &mut products[number % CHAINS];
            *divisor = b.sub(lanes, &a);
            *prefix = *product;
            *product = product.mul(lanes, divisor);
        }
        products.map(|product| lanes.store(product, product).map(|(product, _)| product))
    }
}

/// The sums, given the inverses of the products.
struct Sums<'a> {
    points: &'a mut [Point],
    pairs: &'a [(u32, u32)],
    inverses: All,
    from: &'a Lanes,
}

impl Task for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: Ifma) {
        let Self {
            points,
            pairs,
            inverses,
            from,
        } = self;
        let mut inverses = inverses.map(|eight| lanes.load(eight.each_ref().map(|v| (v, v))).0);
        let buffers = from.divisors.iter().zip(&from.prefixes);
        let steps = pairs.chunks(WIDTH).enumerate().zip(buffers);
        for ((number, pairs), (divisor, prefix)) in steps.rev() {
            let inverse = &mut inverses[number % CHAINS];
            let own = inverse.mul(lanes, prefix);
            *inverse = inverse.mul(lanes, divisor);
            let slots = slots(pairs);
            let (ax, ay) = lanes.load(slots.map(|(a, _)| (&points[a].x, &points[a].y)));
            let (bx, by) = lanes.load(slots.map(|(_, b)| (&points[b].x, &points[b].y)));
            let slope = by.sub(lanes, &ay).mul(lanes, &own);
            let square = slope.square(lanes);
            let x = square.sub_both_reduced(lanes, &ax, &bx);
            let y = slope.mul(lanes, &ax.sub_times_four(lanes, &x));
            let y = y.sub_reduced(lanes, &ay);
            for ((a, _), (x, y)) in slots.into_iter().zip(lanes.store(x, y)) {
                points[a] = Point { x, y };
            }
        }
    }
}
