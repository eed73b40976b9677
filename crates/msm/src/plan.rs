//! The choice of the window, from the lengths of the scalars.

use crate::scalar::Term;

/// The widest window: `2^(MAX_WINDOW - 1)` buckets.
const MAX_WINDOW: u32 = 17;

/// How scalars are cut. Window `w` reads level `w / sets` of the table and adds to the bucket
/// set `w % sets`, whose sum weighs `2^(window * (w % sets))`.
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
        terms.for_each(|t| counts[usize::from(t.bits)] += 1);
        Self(counts)
    }

    fn longest(&self) -> u32 {
        (0..256).rev().find(|b| self.0[*b] > 0).unwrap_or(0) as u32
    }

    fn digits(&self, window: u32) -> usize {
        let counts = self.0.iter().enumerate();
        counts
            .map(|(bits, n)| n * (bits / window as usize + 1))
            .sum()
    }
}

impl Plan {
    /// The cheapest plan over a table whose levels are `spacing` bits apart (None: no table).
    pub(crate) fn choose(lengths: &Lengths, spacing: Option<u32>) -> Self {
        let plans = (1..=MAX_WINDOW).filter_map(|window| Self::with(window, lengths, spacing));
        plans.min_by_key(|plan| plan.cost(lengths)).unwrap_or(Self {
            window: 1,
            windows: 1,
            sets: 1,
        })
    }

    fn with(window: u32, lengths: &Lengths, spacing: Option<u32>) -> Option<Self> {
        let windows = lengths.longest() / window + 1;
        let sets = match spacing {
            None => windows,
            Some(spacing) if spacing % window == 0 => windows.min(spacing / window),
            Some(spacing) if windows * window <= spacing => windows,
            Some(_) => return None,
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

    /// The time in hundredths of a batched addition, by the measured weight of each part.
    fn cost(&self, lengths: &Lengths) -> usize {
        let entries = lengths.digits(self.window);
        let keys = self.buckets() * self.sets as usize;
        let occupied = keys.min(entries);
        let last_bits = (self.sets * self.window) as usize;
        100 * entries + 100 * occupied + 5 * keys + 400 * last_bits
    }
}
