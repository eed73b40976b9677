//! From bucket sums to the result: `sum over sets of weight * sum over v of v * bucket[v]`.
//!
//! The usual running sum is a chain of dependent additions. Here a set with values of `b`
//! bits becomes two with half as many: `v * S = low(v) * S + 2^(b/2) * high(v) * S`, so each
//! bucket is added once by its low and once by its high part, in batches. After `log b` steps
//! the only value left is one.

use crate::accumulate::{accumulate, Block, Source, Sums};
use crate::point::Point;
use crate::sort::{Entries, Sorted};
use ark_bn254::G1Projective;
use ark_ec::AdditiveGroup;
use ark_ff::Zero;
use rayon::prelude::*;

/// Below this number of sums sorting is not worth a second thread.
const PARALLEL_SORT: usize = 4096;

/// Bucket sums by the key `set << bits | value`.
pub(crate) struct Buckets {
    pub(crate) sums: Sums,
    pub(crate) bits: u32,
    /// For each set the logarithm of its weight.
    pub(crate) shifts: Vec<u32>,
}

impl Buckets {
    pub(crate) fn total(mut self) -> G1Projective {
        while self.bits > 1 {
            self = self.split();
        }
        let mut weighted: Vec<(u32, Point)> = self
            .sums
            .keys
            .iter()
            .zip(&self.sums.points)
            .map(|(key, point)| (self.shifts[(key >> 1) as usize], *point))
            .collect();
        weighted.sort_unstable_by_key(|(shift, _)| std::cmp::Reverse(*shift));
        horner(&weighted)
    }

    fn split(self) -> Self {
        let half = self.bits.div_ceil(2);
        let shifts: Vec<u32> = self.shifts.iter().flat_map(|s| [*s, *s + half]).collect();
        let keys = shifts.len() << half;
        let count = self.sums.keys.len();
        let part = if count < PARALLEL_SORT {
            count.max(1)
        } else {
            count.div_ceil(rayon::current_num_threads())
        };
        let sort = |(i, keys_of_part): (usize, &[u32])| {
            let halves = Halves {
                keys: keys_of_part,
                first: (i * part) as u32,
                bits: self.bits,
                half,
            };
            Sorted::new(keys, &halves)
        };
        let lists: Vec<Sorted> = if count < PARALLEL_SORT {
            self.sums.keys.chunks(part).enumerate().map(sort).collect()
        } else {
            self.sums
                .keys
                .par_chunks(part)
                .enumerate()
                .map(sort)
                .collect()
        };
        let block = Block {
            first_key: 0,
            keys,
            lists,
        };
        let sums = accumulate(&SumSource(&self.sums.points), &[block]);
        Self {
            sums,
            bits: half,
            shifts,
        }
    }
}

struct SumSource<'a>(&'a [Point]);

impl Source for SumSource<'_> {
    #[inline(always)]
    fn load(&self, entry: u32) -> Point {
        self.0[entry as usize]
    }

    #[inline(always)]
    fn touch(&self, entry: u32) -> u64 {
        self.0[entry as usize].x.bits()
    }
}

/// The low and the high part of each sum's value as keys, the sum's number as the entry.
struct Halves<'a> {
    keys: &'a [u32],
    first: u32,
    bits: u32,
    half: u32,
}

impl Entries for Halves<'_> {
    fn each(&self, mut visit: impl FnMut(usize, u32)) {
        let mask = (1u32 << self.half) - 1;
        for (entry, key) in (self.first..).zip(self.keys) {
            let set = key >> self.bits;
            let value = key & ((1 << self.bits) - 1);
            for (side, part) in [(0, value & mask), (1, value >> self.half)] {
                if part != 0 {
                    visit((((2 * set + side) << self.half) | part) as usize, entry);
                }
            }
        }
    }
}

/// `sum 2^shift * point`, shifts decreasing.
fn horner(weighted: &[(u32, Point)]) -> G1Projective {
    let mut sum = G1Projective::zero();
    let mut at = weighted.first().map_or(0, |(shift, _)| *shift);
    for (shift, point) in weighted {
        for _ in *shift..at {
            sum.double_in_place();
        }
        at = *shift;
        sum += point.to_ark();
    }
    for _ in 0..at {
        sum.double_in_place();
    }
    sum
}
