//! Sorted entries cut into groups of nearly equal work.

use crate::sort::Sorted;
use rayon::prelude::*;

/// Entries of a group, at most: enough to share an inversion well, few enough for the cache.
const MOST: usize = 8192;
/// Entries of a group below which a second thread is not worth its inversions.
const LEAST: usize = 512;

/// Keys `first_key .. first_key + keys` with lists of entries that each cover them all.
pub(crate) struct Block {
    pub(crate) first_key: usize,
    pub(crate) keys: usize,
    pub(crate) lists: Vec<Sorted>,
}

/// Neighbouring keys of a block, or a part of the entries of one key.
pub(crate) struct Group<'a> {
    pub(crate) block: &'a Block,
    pub(crate) from_key: usize,
    pub(crate) to_key: usize,
    /// Which entries, for a key that is alone because it has too many.
    pub(crate) part: Option<(usize, usize)>,
}

impl Block {
    /// How many entries keys below `key` have.
    fn before(&self, key: usize) -> usize {
        self.lists.iter().map(|list| list.before(key)).sum()
    }

    fn groups(&self, size: usize) -> Vec<Group<'_>> {
        let mut groups = Vec::new();
        let (mut from_key, mut from) = (0, 0);
        let mut at = 0;
        for key in 0..self.keys {
            let next = self.before(key + 1);
            if next - at > 2 * size {
                if at > from {
                    groups.push(self.group(from_key, key, None));
                }
                let parts = (at..next).step_by(size);
                let parts = parts.map(|start| Some((start - at, size.min(next - start))));
                groups.extend(parts.map(|part| self.group(key, key + 1, part)));
                (from_key, from) = (key + 1, next);
            } else if next - from >= size {
                groups.push(self.group(from_key, key + 1, None));
                (from_key, from) = (key + 1, next);
            }
            at = next;
        }
        if at > from {
            groups.push(self.group(from_key, self.keys, None));
        }
        groups
    }

    const fn group(
        &self,
        from_key: usize,
        to_key: usize,
        part: Option<(usize, usize)>,
    ) -> Group<'_> {
        Group {
            block: self,
            from_key,
            to_key,
            part,
        }
    }
}

/// All blocks in groups, by increasing key.
pub(crate) fn groups(blocks: &[Block]) -> Vec<Group<'_>> {
    let total: usize = blocks.iter().map(|b| b.before(b.keys)).sum();
    // Each thread has the same number of groups, and these about the same number of entries.
    let rounds = total.div_ceil(MOST * rayon::current_num_threads()).max(1);
    let size = total.div_ceil(rounds * rayon::current_num_threads());
    let size = size.max(LEAST);
    blocks
        .par_iter()
        .flat_map_iter(|b| b.groups(size))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sort::Entries;

    struct Counts(Vec<usize>);

    impl Entries for Counts {
        fn each(&self, mut visit: impl FnMut(usize, u32)) {
            for (key, count) in self.0.iter().enumerate() {
                (0..*count).for_each(|_| visit(key, 0));
            }
        }
    }

    /// The ranges of entries of the groups, which have to follow each other.
    fn cut(lists: &[Vec<usize>], size: usize) -> Vec<usize> {
        let keys = lists[0].len();
        let lists = lists.iter().map(|l| Sorted::new(keys, &Counts(l.clone())));
        let block = Block {
            first_key: 0,
            keys,
            lists: lists.collect(),
        };
        let mut at = 0;
        let mut sizes = Vec::new();
        for group in block.groups(size) {
            let (from, to) = (block.before(group.from_key), block.before(group.to_key));
            let (from, to) = group
                .part
                .map_or((from, to), |(skip, take)| (from + skip, from + skip + take));
            assert_eq!(from, at, "a gap");
            at = to;
            sizes.push(to - from);
        }
        assert_eq!(at, block.before(keys), "the end is missing");
        sizes
    }

    #[test]
    fn groups_cover_all_entries_once() {
        assert_eq!(cut(&[vec![0, 0]], 4), [0; 0]);
        assert_eq!(cut(&[vec![1, 1, 1, 1, 1]], 2), [2, 2, 1]);
        assert_eq!(cut(&[vec![1, 3, 0, 2], vec![0, 2, 1, 0]], 4), [6, 3]);
        // A key with more than two groups' entries is split, its neighbours are not.
        assert_eq!(cut(&[vec![1, 11, 1], vec![0, 2, 1]], 4), [1, 4, 4, 4, 1, 2]);
        assert_eq!(cut(&[vec![9]], 4), [4, 4, 1]);
    }
}
