//! Input words of a network (networks.md 3).

use super::shape::{LANES, LANE_BITS};
use crate::shape::size;
use crate::Shape;
use ark_ff::{Field, PrimeField, Zero};
use assay_algebra::{Fr, WORD};

/// The features of word `group`.
pub fn lanes_of(shape: &Shape, group: u32) -> u32 {
    let before = group.saturating_mul(LANES);
    shape.features.saturating_sub(before).min(LANES)
}

/// `Σ_j 2^18·2^(19j)`: what a word has more than the sum of its lanes' numbers.
pub fn offset(lanes: u32) -> Fr {
    let lane = Fr::from(1u64 << LANE_BITS);
    let half = Fr::from(1u64 << (LANE_BITS - 1));
    (0..lanes).fold(Fr::zero(), |sum, _| sum * lane + half)
}

/// `2^(19j)`.
pub fn lane_factor(lane: u32) -> Fr {
    Fr::from(2u64).pow([u64::from(lane) * u64::from(LANE_BITS)])
}

/// `P_g` of every word of a row; the number of a word that has bits beyond its lanes.
pub(super) fn entries(shape: &Shape, words: &[[u8; WORD]]) -> Result<Vec<Fr>, usize> {
    let lanes = (0..shape.input_groups()).map(|group| lanes_of(shape, group));
    let parsed = words.iter().zip(lanes).enumerate();
    parsed
        .map(|(column, (word, lanes))| {
            let bits = size(lanes.saturating_mul(LANE_BITS));
            if used_bits(word) > bits {
                return Err(column);
            }
            Ok(Fr::from_be_bytes_mod_order(word) - offset(lanes))
        })
        .collect()
}

fn used_bits(word: &[u8; WORD]) -> usize {
    let empty = word.iter().take_while(|byte| **byte == 0).count();
    let first = word.get(empty).map_or(0, |byte| {
        8usize.saturating_sub(usize::try_from(byte.leading_zeros()).unwrap_or(8))
    });
    let behind = WORD.saturating_sub(empty.saturating_add(1));
    behind.saturating_mul(8).saturating_add(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_first_that_is_set() {
        let mut word = [0; WORD];
        assert_eq!(used_bits(&word), 0);
        word[WORD - 1] = 1;
        assert_eq!(used_bits(&word), 1);
        word[WORD - 3] = 0x08;
        assert_eq!(used_bits(&word), 20);
        word[0] = 0x80;
        assert_eq!(used_bits(&word), 256);
    }

    #[test]
    fn thirteen_lanes_have_this_offset() {
        let direct: Fr = (0..13).map(|j| Fr::from(1u64 << 18) * lane_factor(j)).sum();
        assert_eq!(offset(13), direct);
    }
}
