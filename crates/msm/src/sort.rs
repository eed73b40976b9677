//! Entries sorted by key (counting sort).

/// Something that lists its `(key, entry)` pairs, the same ones each time.
pub(crate) trait Entries {
    /// Calls `visit(key, entry)` for each pair.
    fn each(&self, visit: impl FnMut(usize, u32));
}

/// The entries of keys `0 .. keys`, key after key.
pub(crate) struct Sorted {
    /// `starts[k] .. starts[k + 1]` are the entries of key `k`.
    starts: Vec<u32>,
    entries: Vec<u32>,
}

impl Sorted {
    pub(crate) fn new(keys: usize, source: &impl Entries) -> Self {
        // Counts go two places up: after the sums, place k + 1 is where key k starts, and
        // filling moves it to where key k ends, which is where key k + 1 starts.
        let mut starts = vec![0u32; keys + 2];
        source.each(|key, _| starts[key + 2] += 1);
        for k in 2..starts.len() {
            starts[k] += starts[k - 1];
        }
        let mut entries = vec![0u32; starts[keys + 1] as usize];
        source.each(|key, entry| {
            let place = &mut starts[key + 1];
            entries[*place as usize] = entry;
            *place += 1;
        });
        Self { starts, entries }
    }

    #[inline]
    pub(crate) fn of_key(&self, key: usize) -> &[u32] {
        &self.entries[self.starts[key] as usize..self.starts[key + 1] as usize]
    }

    /// How many entries keys below `key` have.
    pub(crate) fn before(&self, key: usize) -> usize {
        self.starts[key] as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Pairs(Vec<(usize, u32)>);

    impl Entries for Pairs {
        fn each(&self, mut visit: impl FnMut(usize, u32)) {
            self.0.iter().for_each(|&(key, entry)| visit(key, entry));
        }
    }

    #[test]
    fn keys_get_their_entries_in_order() {
        let sorted = Sorted::new(4, &Pairs(vec![(3, 9), (0, 1), (3, 7), (2, 5), (0, 2)]));
        assert_eq!(sorted.of_key(0), [1, 2]);
        assert!(sorted.of_key(1).is_empty());
        assert_eq!(sorted.of_key(2), [5]);
        assert_eq!(sorted.of_key(3), [9, 7]);
        assert_eq!(sorted.before(4), 5);
    }
}
