//! Sums of the points that share a key, as rounds of batched affine additions.

use crate::batch::Batch;
use crate::group::{groups, Block, Group};
use crate::point::Point;
use rayon::prelude::*;
use std::cell::RefCell;
use std::hint::black_box;

/// Points fetched together: a part of the first-level cache.
const FETCH: usize = 128;

/// Where entries point to.
pub(crate) trait Source: Sync {
    /// The point of an entry, its sign applied. Not infinity.
    fn load(&self, entry: u32) -> Point;

    /// Some bits of each cache line that `load` reads.
    fn touch(&self, entry: u32) -> u64;
}

/// The sums that are not infinity, by increasing key.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) keys: Vec<u32>,
    pub(crate) points: Vec<Point>,
}

/// Sums the entries of each key.
pub(crate) fn accumulate(source: &impl Source, blocks: &[Block]) -> Sums {
    match groups(blocks).as_slice() {
        [] => Sums::default(),
        [group] => sum(source, group),
        groups => join(groups.par_iter().map(|g| sum(source, g)).collect()),
    }
}

/// Concatenates, adding the sums of a key that was split.
fn join(parts: Vec<Sums>) -> Sums {
    let total = parts.iter().map(|p| p.keys.len()).sum();
    let mut all = Sums {
        keys: Vec::with_capacity(total),
        points: Vec::with_capacity(total),
    };
    for part in parts {
        let (mut keys, mut points) = (&part.keys[..], &part.points[..]);
        if let (Some(left), Some(right)) = (all.keys.last(), keys.first()) {
            if left == right {
                if let Some(sum) = all.points.pop().and_then(|p| p.add_alone(&points[0])) {
                    all.points.push(sum);
                } else {
                    all.keys.pop();
                }
                (keys, points) = (&keys[1..], &points[1..]);
            }
        }
        all.keys.extend_from_slice(keys);
        all.points.extend_from_slice(points);
    }
    all
}

fn sum(source: &impl Source, group: &Group) -> Sums {
    thread_local! {
        static SCRATCH: RefCell<Scratch> = RefCell::default();
    }
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.list(group);
        scratch.fetch(source);
        scratch.add_up();
        scratch.sums()
    })
}

/// Buffers of a thread, kept because fresh memory costs as much as many additions.
#[derive(Default)]
struct Scratch {
    entries: Vec<u32>,
    segments: Vec<Segment>,
    points: Vec<Point>,
    pairs: Vec<(u32, u32)>,
    batch: Batch,
}

/// The points of one key: `len` of them from `start`, a round's stride apart.
struct Segment {
    key: u32,
    start: u32,
    len: u32,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a group is small, and keys fit"
)]
impl Scratch {
    /// The entries of a group, and their segments.
    fn list(&mut self, group: &Group) {
        self.entries.clear();
        self.segments.clear();
        for key in group.from_key..group.to_key {
            let start = self.entries.len();
            for list in &group.block.lists {
                self.entries.extend_from_slice(list.of_key(key));
            }
            if let Some((skip, take)) = group.part {
                self.entries.drain(..skip);
                self.entries.truncate(take);
            }
            let len = self.entries.len() - start;
            if len > 0 {
                self.segments.push(Segment {
                    key: (group.block.first_key + key) as u32,
                    start: start as u32,
                    len: len as u32,
                });
            }
        }
    }

    /// Copies the points of the entries. They lie anywhere in memory, and waiting for each in
    /// turn would take as long as the additions: a tight loop makes the processor ask for many
    /// at once.
    fn fetch(&mut self, source: &impl Source) {
        self.points.resize(self.entries.len(), Point::INFINITY);
        let chunks = self.entries.chunks(FETCH);
        for (entries, points) in chunks.zip(self.points.chunks_mut(FETCH)) {
            black_box(entries.iter().fold(0, |bits, e| bits ^ source.touch(*e)));
            for (point, entry) in points.iter_mut().zip(entries) {
                *point = source.load(*entry);
            }
        }
    }

    /// Halves each segment, round by round. A sum takes the place of its left point, so the
    /// distance between the points of a segment doubles and nothing moves.
    fn add_up(&mut self) {
        let mut stride = 1;
        let mut infinite = false;
        loop {
            self.pairs.clear();
            for segment in self.segments.iter_mut().filter(|s| s.len > 1) {
                let lefts = (0..segment.len / 2).map(|i| segment.start + 2 * i * stride);
                self.pairs.extend(lefts.map(|left| (left, left + stride)));
                segment.len = segment.len.div_ceil(2);
            }
            if self.pairs.is_empty() {
                return;
            }
            infinite |= self
                .batch
                .add_pairs(&mut self.points, &self.pairs, infinite);
            stride *= 2;
        }
    }

    fn sums(&self) -> Sums {
        let mut sums = Sums {
            keys: Vec::with_capacity(self.segments.len()),
            points: Vec::with_capacity(self.segments.len()),
        };
        for segment in &self.segments {
            let point = self.points[segment.start as usize];
            if !point.is_infinity() {
                sums.keys.push(segment.key);
                sums.points.push(point);
            }
        }
        sums
    }
}
