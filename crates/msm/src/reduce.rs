//! From bucket sums to the result: `sum of weight(set) * value * bucket` over all buckets.
//!
//! The usual running sum is a chain of additions that wait for each other. Here a set with
//! values of `b` bits becomes two of `b / 2` bits, as `value * S` is
//! `low(value) * S + 2^(b/2) * high(value) * S`: each sum is added once by its low and once by
//! its high part, in batches. After `log b` such steps the only value left is one.

use crate::accumulate::{accumulate, Source, Sums};
use crate::group::Block;
use crate::plan::Plan;
use crate::point::Point;
use crate::sort::{Entries, Sorted};
use ark_bn254::G1Projective;
use ark_ec::AdditiveGroup;
use ark_ff::Zero;
use rayon::prelude::*;
use std::cmp::Reverse;

/// Sums that one thread sorts, at least.
const PART: usize = 2048;

/// Bucket sums by the key `set << bits | value`.
pub(crate) struct Buckets {
    sums: Sums,
    bits: u32,
    /// The logarithms of the weights of the sets.
    shifts: Vec<u32>,
}

impl Buckets {
    /// From sums by the key `set * plan.buckets() + value - 1`.
    pub(crate) fn new(mut sums: Sums, plan: Plan) -> Self {
        let bits = plan.window - 1;
        for key in &mut sums.keys {
            let (set, value) = (*key >> bits, (*key & ((1 << bits) - 1)) + 1);
            *key = set << plan.window | value;
        }
        Self {
            sums,
            bits: plan.window,
            shifts: (0..plan.sets).map(|set| set * plan.window).collect(),
        }
    }

    pub(crate) fn total(mut self) -> G1Projective {
        while self.bits > 1 {
            self = self.split();
        }
        let shifts = self
            .sums
            .keys
            .iter()
            .map(|key| self.shifts[(key >> 1) as usize]);
        let mut weighted: Vec<(u32, &Point)> = shifts.zip(&self.sums.points).collect();
        weighted.sort_unstable_by_key(|(shift, _)| Reverse(*shift));
        horner(&weighted)
    }

    /// Set `s` becomes the sets `2 s`, by the low halves of the values, and `2 s + 1`.
    fn split(self) -> Self {
        let half = self.bits.div_ceil(2);
        let shifts: Vec<u32> = self.shifts.iter().flat_map(|s| [*s, *s + half]).collect();
        let keys = shifts.len() << half;
        let part = self
            .sums
            .keys
            .len()
            .div_ceil(rayon::current_num_threads())
            .max(PART);
        let list = |(i, sums): (usize, &[u32])| {
            let halves = Halves {
                keys: sums,
                first: i * part,
                bits: self.bits,
                half,
            };
            Sorted::new(keys, &halves)
        };
        let block = Block {
            first_key: 0,
            keys,
            lists: self
                .sums
                .keys
                .par_chunks(part)
                .enumerate()
                .map(list)
                .collect(),
        };
        let sums = accumulate(&Finished(&self.sums.points), &[block]);
        Self {
            sums,
            bits: half,
            shifts,
        }
    }
}

/// Sums of the step before.
struct Finished<'a>(&'a [Point]);

impl Source for Finished<'_> {
    #[inline]
    fn load(&self, entry: u32) -> Point {
        self.0[entry as usize]
    }

    #[inline]
    fn touch(&self, entry: u32) -> u64 {
        self.0[entry as usize].x.bits()
    }
}

/// Each sum twice: the new set and the half of its value as the key, its place as the entry.
struct Halves<'a> {
    keys: &'a [u32],
    /// The place of the first.
    first: usize,
    bits: u32,
    half: u32,
}

impl Entries for Halves<'_> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are fewer sums than entries"
    )]
    fn each(&self, mut visit: impl FnMut(usize, u32)) {
        for (entry, key) in (self.first as u32..).zip(self.keys) {
            let set = key >> self.bits;
            let value = key & ((1 << self.bits) - 1);
            let low = value & ((1 << self.half) - 1);
            for (side, value) in [(0, low), (1, value >> self.half)] {
                // Zero times a sum is nothing.
                if value != 0 {
                    visit(((2 * set + side) << self.half | value) as usize, entry);
                }
            }
        }
    }
}

/// `sum of 2^shift * point`, shifts not increasing.
fn horner(weighted: &[(u32, &Point)]) -> G1Projective {
    let mut sum = G1Projective::zero();
    for (i, (shift, point)) in weighted.iter().enumerate() {
        sum += point.to_ark();
        let next = weighted.get(i + 1).map_or(0, |(shift, _)| *shift);
        for _ in next..*shift {
            sum.double_in_place();
        }
    }
    sum
}
