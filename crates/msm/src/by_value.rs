//! Points summed by the value that stands beside each: for scalars that take few values, any
//! function of the values then costs a multiplication for each value, not for each point.

use crate::accumulate::accumulate;
use crate::group::Block;
use crate::run::Bases;
use crate::sort::{Entries, Sorted};
use ark_bn254::{Fr, G1Affine, G1Projective};
use rayon::prelude::*;

/// The sums of the points by value.
#[derive(Clone, Debug)]
pub struct ByValue {
    values: Vec<u64>,
    sums: Vec<G1Affine>,
}

impl ByValue {
    /// Of the first `values.len()` points of a base; values have to be small: time and memory
    /// grow with the largest.
    pub(crate) fn new(bases: &Bases<'_>, values: &[u64]) -> Self {
        let keys = values.iter().max().map_or(0, |most| *most as usize + 1);
        let part = values.len().div_ceil(rayon::current_num_threads()).max(1);
        let lists = values.par_chunks(part).enumerate().map(|(index, values)| {
            Sorted::new(
                keys,
                &ByKey {
                    bases,
                    first: index * part,
                    values,
                },
            )
        });
        let block = Block {
            first_key: 0,
            keys,
            lists: lists.collect(),
        };
        let sums = accumulate(bases, &[block]);
        Self {
            values: sums.keys.iter().map(|key| u64::from(*key)).collect(),
            sums: sums.points.iter().map(|point| point.to_ark()).collect(),
        }
    }

    /// `sum weight(value) * (sum of the value's points)`.
    pub fn sum(&self, weight: impl Fn(u64) -> Fr) -> G1Projective {
        let weights: Vec<Fr> = self.values.iter().map(|value| weight(*value)).collect();
        crate::msm(&self.sums, &weights)
    }
}

/// The value as the key, the point as the entry.
struct ByKey<'a> {
    bases: &'a Bases<'a>,
    /// The index of the first point.
    first: usize,
    values: &'a [u64],
}

impl Entries for ByKey<'_> {
    #[expect(clippy::cast_possible_truncation, reason = "points are bounded")]
    fn each(&self, mut visit: impl FnMut(usize, u32)) {
        for (index, value) in (self.first..).zip(self.values) {
            // Infinity adds nothing, and the additions rely on finite points.
            if self.bases.is_finite(index) {
                visit(*value as usize, (index as u32) << 1);
            }
        }
    }
}
