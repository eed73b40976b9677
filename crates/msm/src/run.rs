//! The multiplication itself: digits into buckets, buckets into the result.

use crate::accumulate::{accumulate, Block, Source, Sums};
use crate::plan::{Lengths, Plan};
use crate::point::Point;
use crate::reduce::Buckets;
use crate::scalar::Term;
use crate::sort::{Entries, Sorted};
use crate::table::Table;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::AffineRepr;
use ark_ff::Zero;
use rayon::prelude::*;

/// Up to this many buckets all sets share one block.
const ONE_BLOCK: usize = 1 << 15;
/// Scalars of a part that is read by one thread, at least.
const MIN_PART: usize = 256;

/// What the terms' indices refer to.
pub(crate) struct Bases<'a> {
    pub(crate) points: &'a [G1Affine],
    pub(crate) table: Option<&'a Table>,
}

impl Bases<'_> {
    /// `sum scalar(i) * points[i]` over `i < count`; `term` makes the term of an index.
    pub(crate) fn msm(
        &self,
        count: usize,
        term: impl Fn(usize) -> Option<Term> + Sync,
    ) -> G1Projective {
        let part = count.div_ceil(rayon::current_num_threads()).max(MIN_PART);
        let collect = |from: usize| -> Vec<Term> {
            let terms = (from..count.min(from + part)).filter_map(&term);
            // Infinity adds nothing, and the buckets rely on finite points.
            terms
                .filter(|t| !self.points[t.index as usize].is_zero())
                .collect()
        };
        let starts: Vec<usize> = (0..count).step_by(part).collect();
        let mut parts: Vec<Vec<Term>> = starts.into_par_iter().map(collect).collect();
        parts.retain(|p| !p.is_empty());
        if parts.is_empty() {
            return G1Projective::zero();
        }
        let lengths = Lengths::new(parts.iter().flatten());
        let plan = Plan::choose(&lengths, self.table.map(Table::spacing));
        parts
            .par_iter_mut()
            .flatten()
            .for_each(|t| t.shift_digits(plan.window, plan.windows));
        self.buckets(&plan, &parts).total()
    }

    fn buckets(&self, plan: &Plan, parts: &[Vec<Term>]) -> Buckets {
        let sums = accumulate(self, &self.blocks(plan, parts));
        Buckets {
            sums: with_values(sums, plan),
            bits: plan.window,
            shifts: (0..plan.sets).map(|set| set * plan.window).collect(),
        }
    }

    fn blocks(&self, plan: &Plan, parts: &[Vec<Term>]) -> Vec<Block> {
        let all = plan.buckets() * plan.sets as usize;
        let together = if all <= ONE_BLOCK { plan.sets } else { 1 };
        let keys = plan.buckets() * together as usize;
        let mut lists: Vec<Sorted> = (0..plan.sets / together * parts.len() as u32)
            .into_par_iter()
            .map(|job| {
                let first_set = job / parts.len() as u32 * together;
                let digits = Digits {
                    terms: &parts[job as usize % parts.len()],
                    plan: *plan,
                    sets: first_set..first_set + together,
                    level_size: self.points.len() as u32,
                };
                Sorted::new(keys, &digits)
            })
            .collect();
        let mut blocks = Vec::new();
        while !lists.is_empty() {
            let rest = lists.split_off(parts.len());
            blocks.push(Block {
                first_key: blocks.len() * keys,
                keys,
                lists,
            });
            lists = rest;
        }
        blocks
    }
}

impl Source for Bases<'_> {
    #[inline(always)]
    fn load(&self, entry: u32) -> Point {
        let index = (entry >> 1) as usize;
        let point = match self.table {
            Some(table) => *table.get(index),
            None => Point::from_ark(&self.points[index]),
        };
        point.negate_if(entry & 1 == 1)
    }

    #[inline(always)]
    fn touch(&self, entry: u32) -> u64 {
        let index = (entry >> 1) as usize;
        match self.table {
            Some(table) => table.get(index).x.bits(),
            None => {
                let point = &self.points[index];
                point.x.0 .0[0] ^ point.y.0 .0[3]
            }
        }
    }
}

/// The digits of terms in some bucket sets: the bucket as the key, the point as the entry.
struct Digits<'a> {
    terms: &'a [Term],
    plan: Plan,
    sets: std::ops::Range<u32>,
    level_size: u32,
}

impl Entries for Digits<'_> {
    fn each(&self, mut visit: impl FnMut(usize, u32)) {
        let Plan {
            window,
            windows,
            sets,
        } = self.plan;
        for term in self.terms {
            let digits = term.digits(window);
            for set in self.sets.clone() {
                let first_key = (set - self.sets.start) as usize * self.plan.buckets();
                let mut index = term.index;
                for w in (set..digits).step_by(sets as usize) {
                    let digit = term.digit(w, window, windows);
                    if digit != 0 {
                        let negative = (digit < 0) != term.negative;
                        let key = first_key + digit.unsigned_abs() as usize - 1;
                        visit(key, index << 1 | u32::from(negative));
                    }
                    index += self.level_size;
                }
            }
        }
    }
}

/// Changes keys from `set * buckets + value - 1` to `set << window | value`.
fn with_values(mut sums: Sums, plan: &Plan) -> Sums {
    let bits = plan.window - 1;
    for key in &mut sums.keys {
        let (set, value) = (*key >> bits, (*key & ((1 << bits) - 1)) + 1);
        *key = set << plan.window | value;
    }
    sums
}
