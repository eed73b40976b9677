//! Sums of the points that share a key, as rounds of batched affine additions.

use crate::batch::Batch;
use crate::point::Point;
use crate::sort::Sorted;
use rayon::prelude::*;
use std::cell::RefCell;
use std::hint::black_box;

/// Entries handled together: enough to share an inversion well, few enough for the cache.
const GROUP: usize = 4096;

/// Points fetched together: a part of the first-level cache.
const FETCH: usize = 128;

/// Where entries point to.
pub(crate) trait Source: Sync {
    /// The point of an entry, its sign applied. Not infinity.
    fn load(&self, entry: u32) -> Point;

    /// Some bits of each cache line that `load` reads.
    fn touch(&self, entry: u32) -> u64;
}

/// Keys `first_key .. first_key + keys` with lists of entries that each cover them all.
pub(crate) struct Block {
    pub(crate) first_key: usize,
    pub(crate) keys: usize,
    pub(crate) lists: Vec<Sorted>,
}

/// The sums that are not infinity, by increasing key.
#[derive(Default)]
pub(crate) struct Sums {
    pub(crate) keys: Vec<u32>,
    pub(crate) points: Vec<Point>,
}

/// Neighbouring keys of a block, or a part of the entries of one key.
struct Group<'a> {
    block: &'a Block,
    from_key: usize,
    to_key: usize,
    skip: usize,
    take: usize,
}

/// Sums the entries of each key.
pub(crate) fn accumulate(source: &impl Source, blocks: &[Block]) -> Sums {
    let groups: Vec<Group> = blocks.iter().flat_map(groups).collect();
    if groups.len() <= 1 {
        return groups
            .first()
            .map_or_else(Sums::default, |g| run(source, g));
    }
    let parts: Vec<Sums> = groups.par_iter().map(|g| run(source, g)).collect();
    join(parts)
}

fn groups(block: &Block) -> Vec<Group<'_>> {
    let before = |key: usize| -> usize { block.lists.iter().map(|l| l.before(key)).sum() };
    let mut groups = Vec::new();
    let mut from_key = 0;
    let mut from_count = 0;
    let mut count = 0;
    for key in 0..block.keys {
        let next = before(key + 1);
        if next - from_count > GROUP && count > from_count {
            groups.push(Group {
                block,
                from_key,
                to_key: key,
                skip: 0,
                take: usize::MAX,
            });
            (from_key, from_count) = (key, count);
        }
        if next - from_count > GROUP {
            // This key alone is more than a group.
            for skip in (0..next - from_count).step_by(GROUP) {
                groups.push(Group {
                    block,
                    from_key: key,
                    to_key: key + 1,
                    skip,
                    take: GROUP,
                });
            }
            (from_key, from_count) = (key + 1, next);
        }
        count = next;
    }
    if count > from_count {
        groups.push(Group {
            block,
            from_key,
            to_key: block.keys,
            skip: 0,
            take: usize::MAX,
        });
    }
    groups
}

/// Concatenates, adding the sums of a key that was split over parts.
fn join(parts: Vec<Sums>) -> Sums {
    let total = parts.iter().map(|p| p.keys.len()).sum();
    let mut all = Sums {
        keys: Vec::with_capacity(total),
        points: Vec::with_capacity(total),
    };
    for part in parts {
        let mut from = 0;
        while from < part.keys.len() && all.keys.last() == Some(&part.keys[from]) {
            all.keys.pop();
            let left = all.points.pop().unwrap_or(Point::INFINITY);
            let sum = left.add_alone(part.points[from]);
            if !sum.is_infinity() {
                all.keys.push(part.keys[from]);
                all.points.push(sum);
            }
            from += 1;
        }
        all.keys.extend_from_slice(&part.keys[from..]);
        all.points.extend_from_slice(&part.points[from..]);
    }
    all
}

#[derive(Default)]
struct Scratch {
    batch: Batch,
    entries: Vec<u32>,
    points: Vec<Point>,
    pairs: Vec<(u32, u32)>,
    segments: Vec<Segment>,
}

/// The points of one key: `len` of them from `start`, a round's stride apart.
struct Segment {
    key: u32,
    start: u32,
    len: u32,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn run(source: &impl Source, group: &Group) -> Sums {
    SCRATCH.with_borrow_mut(|scratch| {
        scratch.gather(source, group);
        scratch.add_up();
        scratch.sums()
    })
}

impl Scratch {
    /// Copies the points of a group. They lie anywhere in memory: loads that wait for each
    /// other's use would take as long as the additions, so a tight loop fetches them first.
    fn gather(&mut self, source: &impl Source, group: &Group) {
        self.list(group);
        self.points.resize(self.entries.len(), Point::INFINITY);
        let chunks = self
            .entries
            .chunks(FETCH)
            .zip(self.points.chunks_mut(FETCH));
        for (entries, points) in chunks {
            black_box(entries.iter().fold(0, |bits, e| bits ^ source.touch(*e)));
            for (point, entry) in points.iter_mut().zip(entries) {
                *point = source.load(*entry);
            }
        }
    }

    /// The entries of a group and their segments.
    fn list(&mut self, group: &Group) {
        self.entries.clear();
        self.segments.clear();
        for key in group.from_key..group.to_key {
            let start = self.entries.len();
            for list in &group.block.lists {
                self.entries.extend_from_slice(list.of_key(key));
            }
            if group.take != usize::MAX {
                self.entries.drain(..group.skip);
                self.entries.truncate(group.take);
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

    /// Halves each segment, round by round. A sum takes the place of its left point, so the
    /// distance between the points of a segment doubles and nothing moves.
    fn add_up(&mut self) {
        let mut stride = 1;
        let mut checked = false;
        loop {
            self.pairs.clear();
            for segment in self.segments.iter_mut().filter(|s| s.len > 1) {
                let pairs = 0..segment.len / 2;
                self.pairs.extend(pairs.map(|i| {
                    let left = segment.start + 2 * i * stride;
                    (left, left + stride)
                }));
                segment.len = segment.len.div_ceil(2);
            }
            if self.pairs.is_empty() {
                return;
            }
            self.batch
                .add_pairs(&mut self.points, &self.pairs, &mut checked);
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
