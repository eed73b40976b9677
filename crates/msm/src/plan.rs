//! How scalars are cut: the choice of the window and of the table.

use crate::scalar::{digits, Term, BITS};

/// The widest window: `2^(WIDEST - 1)` buckets.
const WIDEST: u32 = 17;
/// What a table may take, at most.
const TABLE_BYTES: usize = 100 << 20;
/// What a table takes for a point and a level.
const POINT_BYTES: usize = 64;

/// Window `w` of a scalar reads level `w / sets` of the table and adds to the bucket set
/// `w % sets`, whose sum weighs `2^(window * (w % sets))`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) window: u32,
    pub(crate) windows: u32,
    pub(crate) sets: u32,
}

/// How many scalars there are of each length in bits.
pub(crate) struct Lengths([usize; 256]);

impl Lengths {
    pub(crate) fn new<'a>(terms: impl Iterator<Item = &'a Term>) -> Self {
        let mut counts = [0; 256];
        terms.for_each(|term| counts[usize::from(term.bits)] += 1);
        Self(counts)
    }

    fn each(&self) -> impl Iterator<Item = (u32, usize)> + '_ {
        (0..).zip(self.0).filter(|(_, count)| *count > 0)
    }

    fn longest(&self) -> u32 {
        self.each().last().map_or(0, |(bits, _)| bits)
    }

    fn digits(&self, window: u32) -> usize {
        self.each()
            .map(|(bits, count)| digits(bits, window) as usize * count)
            .sum()
    }
}

impl Plan {
    /// The cheapest plan, with a table whose levels are `spacing` bits apart or without one.
    pub(crate) fn choose(lengths: &Lengths, spacing: Option<u32>) -> Self {
        (1..=WIDEST)
            .filter_map(|window| Self::with(window, lengths, spacing))
            .min_by_key(|plan| plan.cost(lengths))
            .unwrap_or(Self {
                window: 1,
                windows: 1,
                sets: 1,
            })
    }

    /// None if levels do not start at a window.
    fn with(window: u32, lengths: &Lengths, spacing: Option<u32>) -> Option<Self> {
        let windows = digits(lengths.longest(), window);
        let sets = match spacing {
            Some(spacing) if windows * window > spacing => {
                (spacing % window == 0).then_some(spacing / window)?
            }
            _ => windows,
        };
        Some(Self {
            window,
            windows,
            sets,
        })
    }

    /// Buckets of a set.
    pub(crate) const fn buckets(&self) -> usize {
        1 << (self.window - 1)
    }

    /// The time in hundredths of a batched addition, as measured: an addition for each digit
    /// and two for each bucket in use less the first of each, the visit of each bucket, and the
    /// doublings and Jacobian additions at the end, one or two for each bit.
    fn cost(&self, lengths: &Lengths) -> usize {
        let entries = lengths.digits(self.window);
        let buckets = self.buckets() * self.sets as usize;
        let last = (self.sets * self.window) as usize;
        100 * entries + 100 * buckets.min(entries) + 4 * buckets + 300 * last
    }
}

/// The bits between the levels of the table for full-size scalars of this many points: those
/// that need the fewest additions of all that take at most [`TABLE_BYTES`].
pub(crate) fn spacing(points: usize) -> u32 {
    // Windows of 11, 13 and 14 bits need as many additions as their neighbours but more memory,
    // and leave fewer ways to cut smaller scalars.
    let windows = [10, 12, 15, 16, 17];
    let choices = windows.into_iter().flat_map(|window| {
        (1..=digits(BITS, window)).map(move |sets| {
            let additions =
                points * digits(BITS, window) as usize + (sets as usize) * (1 << (window - 1));
            (window * sets, additions)
        })
    });
    choices
        .filter(|(spacing, _)| points * levels(*spacing) * POINT_BYTES <= TABLE_BYTES)
        .min_by_key(|(_, additions)| *additions)
        .map_or(BITS + 1, |(spacing, _)| spacing)
}

/// The levels of a table whose levels are `spacing` bits apart.
pub(crate) const fn levels(spacing: u32) -> usize {
    digits(BITS, spacing) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(counts: &[(usize, usize)]) -> Lengths {
        let mut lengths = Lengths([0; 256]);
        for (bits, count) in counts {
            lengths.0[*bits] = *count;
        }
        lengths
    }

    #[test]
    fn tables_keep_their_bound() {
        for log in 0..24 {
            for points in [1 << log, (1 << log) + 3] {
                let bytes = points * levels(spacing(points)) * POINT_BYTES;
                assert!(bytes <= TABLE_BYTES || points > TABLE_BYTES / POINT_BYTES);
            }
        }
        assert_eq!([1 << 13, 1 << 14, 1 << 17].map(spacing), [15, 15, 34]);
    }

    #[test]
    fn small_scalars_need_one_set_of_few_buckets() {
        for spacing in [None, Some(15), Some(34)] {
            let bits = Plan::choose(&lengths(&[(1, 1 << 13)]), spacing);
            assert!(bits.buckets() * bits.sets as usize <= 2, "{bits:?}");
            let counts = Plan::choose(&lengths(&[(10, 1 << 12), (11, 1 << 12)]), spacing);
            assert_eq!((counts.window, counts.windows, counts.sets), (12, 1, 1));
        }
    }

    #[test]
    fn sets_divide_the_spacing() {
        for log in 0..18 {
            for bits in 1..=253 {
                let plan = Plan::choose(&lengths(&[(bits, 1 << log)]), Some(34));
                assert!(plan.windows * plan.window > bits as u32);
                assert!(
                    plan.windows <= plan.sets || plan.sets * plan.window == 34,
                    "{plan:?}"
                );
            }
        }
    }
}
