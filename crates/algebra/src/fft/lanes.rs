//! The steps of a transform eight at a time, on processors that have lanes; false, and nothing done, on others and
//! for what is shorter.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined into the task is compiled for the processor that it runs on"
)]

use super::{minus_inverse, Coset, Limbs};
use crate::lanes::{Ifma, Task};
use ark_bn254::FrConfig;
use std::array::from_fn;

type Eight = crate::lanes::Eight<FrConfig>;

/// Values of a vector.
const WIDTH: usize = 8;

/// All levels of a block of a forward transform.
pub(super) fn forward(coset: &Coset, values: &mut [Limbs], level: u32, index: usize) -> bool {
    let task = Forward {
        coset,
        values,
        level,
        index,
    };
    done(task.values.len() >= 2 * WIDTH, task)
}

/// All levels of a block of a backward transform.
pub(super) fn backward(values: &mut [Limbs], index: usize, roots: &[Limbs]) -> bool {
    let task = Backward {
        values,
        index,
        roots,
    };
    done(task.values.len() >= 2 * WIDTH, task)
}

/// `l + c·h` and `l - c·h`, below `4r` from below `4r`.
pub(super) fn split(low: &mut [Limbs], high: &mut [Limbs], constant: &Limbs) -> bool {
    let step = Split;
    let task = Halves {
        low,
        high,
        constant,
        step,
    };
    done(task.low.len() >= WIDTH, task)
}

/// `l + h` and `c·(h - l)`, below `2r` from below `2r`.
pub(super) fn merge(low: &mut [Limbs], high: &mut [Limbs], constant: &Limbs) -> bool {
    let step = Merge;
    let task = Halves {
        low,
        high,
        constant,
        step,
    };
    done(task.low.len() >= WIDTH, task)
}

/// Multiplies all values by a factor below `r`.
pub(super) fn multiply(values: &mut [Limbs], factor: &Limbs) -> bool {
    let whole = values.len().is_multiple_of(2 * WIDTH);
    done(whole, Multiply { values, factor })
}

fn done(long: bool, task: impl Task<Output = ()>) -> bool {
    let lanes = long.then(Ifma::try_new).flatten();
    lanes.map(|lanes| lanes.run(task)).is_some()
}

/// What becomes of two vectors by a factor. No closure: that would be a function of its own.
trait Step: Copy {
    fn of(self, lanes: Ifma, low: &Eight, high: &Eight, factor: &Eight) -> (Eight, Eight);
}

#[derive(Clone, Copy)]
struct Split;

impl Step for Split {
    #[inline(always)]
    fn of(self, lanes: Ifma, low: &Eight, high: &Eight, factor: &Eight) -> (Eight, Eight) {
        Eight::split(lanes, low, high, factor)
    }
}

#[derive(Clone, Copy)]
struct Merge;

impl Step for Merge {
    #[inline(always)]
    fn of(self, lanes: Ifma, low: &Eight, high: &Eight, factor: &Eight) -> (Eight, Eight) {
        Eight::merge(lanes, low, high, factor)
    }
}

/// One level of a block whose halves are vectors.
#[inline(always)]
fn halves(lanes: Ifma, low: &mut [Limbs], high: &mut [Limbs], factor: &Eight, step: impl Step) {
    let vectors = low
        .chunks_exact_mut(WIDTH)
        .zip(high.chunks_exact_mut(WIDTH));
    for (low, high) in vectors {
        let (left, right) = lanes.load(from_fn(|i| (&low[i], &high[i])));
        let (left, right) = step.of(lanes, &left, &right, factor);
        let pairs = lanes.store(left, right);
        for ((low, high), (left, right)) in low.iter_mut().zip(high).zip(pairs) {
            (*low, *high) = (left, right);
        }
    }
}

/// One level of several blocks whose halves are `HALF` values: a vector takes as many blocks as it needs.
#[inline(always)]
fn small<const HALF: usize>(
    lanes: Ifma,
    values: &mut [Limbs],
    constant: impl Fn(usize) -> Limbs,
    step: impl Step,
) {
    let place = |i: usize| i / HALF * 2 * HALF + i % HALF;
    for (number, values) in values.chunks_exact_mut(2 * WIDTH).enumerate() {
        let (left, right) = lanes.load(from_fn(|i| (&values[place(i)], &values[place(i) + HALF])));
        let own: [Limbs; WIDTH] = from_fn(|i| constant((number * WIDTH + i) / HALF));
        let factor = Eight::factors(lanes, own.each_ref());
        let (left, right) = step.of(lanes, &left, &right, &factor);
        for (i, (left, right)) in lanes.store(left, right).into_iter().enumerate() {
            (values[place(i)], values[place(i) + HALF]) = (left, right);
        }
    }
}

/// One level of blocks of any size.
#[inline(always)]
fn level(
    lanes: Ifma,
    values: &mut [Limbs],
    half: usize,
    constant: impl Fn(usize) -> Limbs,
    step: impl Step,
) {
    match half {
        1 => small::<1>(lanes, values, constant, step),
        2 => small::<2>(lanes, values, constant, step),
        4 => small::<4>(lanes, values, constant, step),
        _ => {
            for (number, block) in values.chunks_exact_mut(2 * half).enumerate() {
                let (low, high) = block.split_at_mut(half);
                let factor = Eight::factor(lanes, &constant(number));
                halves(lanes, low, high, &factor, step);
            }
        }
    }
}

struct Forward<'a> {
    coset: &'a Coset,
    values: &'a mut [Limbs],
    level: u32,
    index: usize,
}

impl Task for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: Ifma) {
        let half = self.values.len() / 2;
        for below in self.level..self.coset.log {
            let depth = below - self.level;
            let constants = &self.coset.level(below)[self.index << depth..];
            level(lanes, self.values, half >> depth, |i| constants[i], Split);
        }
    }
}

struct Backward<'a> {
    values: &'a mut [Limbs],
    index: usize,
    roots: &'a [Limbs],
}

impl Task for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: Ifma) {
        let size = self.values.len();
        let mut half = 1;
        while 2 * half <= size {
            let first = self.index * (size / (2 * half));
            let constant = |i: usize| minus_inverse(first + i, self.roots);
            level(lanes, self.values, half, constant, Merge);
            half *= 2;
        }
    }
}

struct Halves<'a, S> {
    low: &'a mut [Limbs],
    high: &'a mut [Limbs],
    constant: &'a Limbs,
    step: S,
}

impl<S: Step> Task for Halves<'_, S> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: Ifma) {
        let factor = Eight::factor(lanes, self.constant);
        halves(lanes, self.low, self.high, &factor, self.step);
    }
}

struct Multiply<'a> {
    values: &'a mut [Limbs],
    factor: &'a Limbs,
}

impl Task for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self, lanes: Ifma) {
        let factor = Eight::factor(lanes, self.factor);
        for values in self.values.chunks_exact_mut(2 * WIDTH) {
            let (left, right) = values.split_at_mut(WIDTH);
            let pairs = lanes.load(from_fn(|i| (&left[i], &right[i])));
            let (first, second) = (pairs.0.mul(lanes, &factor), pairs.1.mul(lanes, &factor));
            for ((left, right), own) in left.iter_mut().zip(right).zip(lanes.store(first, second)) {
                (*left, *right) = own;
            }
        }
    }
}
