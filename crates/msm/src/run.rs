//! The multiplication itself: digits into buckets, buckets into the result.

use crate::accumulate::{accumulate, Source};
use crate::group::Block;
use crate::plan::{Lengths, Plan};
use crate::point::Point;
use crate::reduce::Buckets;
use crate::scalar::{Offset, Term};
use crate::sort::{Entries, Sorted};
use crate::table::Table;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::AffineRepr;
use ark_ff::Zero;
use rayon::prelude::*;
use std::ops::Range;

/// Points at most: an entry is an index into the table and a sign in 32 bits.
const POINTS: usize = 1 << 26;
/// Up to this many buckets in all, the sets are sorted together: few enough for the cache.
const TOGETHER: usize = 1 << 15;
/// Scalars below which a second thread is not worth its lists.
const PART: usize = 256;

/// What the indices of terms refer to.
pub(crate) struct Bases<'a> {
    points: &'a [G1Affine],
    table: Option<&'a Table>,
}

impl<'a> Bases<'a> {
    /// Panics if there are fewer points than needed.
    pub(crate) fn new(points: &'a [G1Affine], table: Option<&'a Table>, needed: usize) -> Self {
        assert!(
            needed <= points.len(),
            "{needed} scalars but {} points",
            points.len()
        );
        assert!(
            points.len() <= POINTS,
            "{} points, but {POINTS} at most",
            points.len()
        );
        Self { points, table }
    }

    /// Whether a point is not infinity.
    pub(crate) fn is_finite(&self, index: usize) -> bool {
        !self.points[index].is_zero()
    }

    /// The sum of `count` terms; `term` makes each.
    pub(crate) fn msm(
        &self,
        count: usize,
        term: impl Fn(usize) -> Option<Term> + Sync,
    ) -> G1Projective {
        let mut parts = self.terms(count, term);
        if parts.is_empty() {
            return G1Projective::zero();
        }
        let lengths = Lengths::new(parts.iter().flatten());
        let plan = Plan::choose(&lengths, self.table.map(Table::spacing));
        let offset = Offset::new(plan.window, plan.windows);
        parts
            .par_iter_mut()
            .for_each(|part| part.iter_mut().for_each(|t| t.shift(&offset)));
        let sums = accumulate(self, &self.blocks(plan, &parts));
        Buckets::new(sums, plan).total()
    }

    /// The terms that add something, in a part for each thread.
    fn terms(&self, count: usize, term: impl Fn(usize) -> Option<Term> + Sync) -> Vec<Vec<Term>> {
        let size = count.div_ceil(rayon::current_num_threads()).max(PART);
        // Infinity adds nothing, and the additions rely on finite points.
        let finite = |t: &Term| self.is_finite(t.index as usize);
        let part = |range: Range<usize>| range.filter_map(&term).filter(finite).collect();
        let ranges = (0..count)
            .step_by(size)
            .map(|from| from..count.min(from + size));
        let ranges: Vec<Range<usize>> = ranges.collect();
        let mut parts: Vec<Vec<Term>> = ranges.into_par_iter().map(part).collect();
        parts.retain(|part| !part.is_empty());
        parts
    }

    /// The digits sorted by bucket, with a list for each part.
    fn blocks(&self, plan: Plan, parts: &[Vec<Term>]) -> Vec<Block> {
        let few = plan.buckets() * plan.sets as usize <= TOGETHER;
        let sets = if few { plan.sets } else { 1 };
        let keys = plan.buckets() * sets as usize;
        let list = |first: u32, terms| {
            let sets = first..first + sets;
            Sorted::new(
                keys,
                &Digits {
                    terms,
                    plan,
                    sets,
                    points: self.points.len(),
                },
            )
        };
        let firsts: Vec<u32> = (0..plan.sets).step_by(sets as usize).collect();
        let block = |first: u32| Block {
            first_key: first as usize * plan.buckets(),
            keys,
            lists: parts.par_iter().map(|terms| list(first, terms)).collect(),
        };
        firsts.into_par_iter().map(block).collect()
    }
}

/// The digits of terms in some bucket sets: the bucket as the key, the point as the entry.
struct Digits<'a> {
    terms: &'a [Term],
    plan: Plan,
    sets: Range<u32>,
    /// Of a level.
    points: usize,
}

impl Entries for Digits<'_> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "points and levels are bounded"
    )]
    fn each(&self, mut visit: impl FnMut(usize, u32)) {
        let Plan {
            window,
            windows,
            sets,
        } = self.plan;
        for term in self.terms {
            let digits = term.digits(window);
            for (first_key, set) in (0..).step_by(self.plan.buckets()).zip(self.sets.clone()) {
                let mut index = term.index;
                for w in (set..digits).step_by(sets as usize) {
                    let digit = term.digit(w, window, windows);
                    if digit != 0 {
                        let negative = (digit < 0) != term.negative;
                        let key = first_key + digit.unsigned_abs() as usize - 1;
                        visit(key, index << 1 | u32::from(negative));
                    }
                    index += self.points as u32;
                }
            }
        }
    }
}

impl Source for Bases<'_> {
    #[inline]
    fn load(&self, entry: u32) -> Point {
        let index = (entry >> 1) as usize;
        let point = match self.table {
            Some(table) => *table.get(index),
            None => Point::from_ark(&self.points[index]),
        };
        point.negate_if(entry & 1 == 1)
    }

    #[inline]
    fn touch(&self, entry: u32) -> u64 {
        let index = (entry >> 1) as usize;
        match self.table {
            Some(table) => table.get(index).x.bits(),
            // These are not aligned, so both ends.
            None => self.points[index].x.0 .0[0] ^ self.points[index].y.0 .0[3],
        }
    }
}
