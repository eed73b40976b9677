//! Packed outputs as integers and as public words (spec 3).

use ark_ff::{BigInteger, PrimeField};
use assay_algebra::{Fr, WORD};
use assay_verifier::Shape;

/// The two's complement words of a row's packed output groups.
pub fn unpack(shape: &Shape, groups: &[Fr]) -> Vec<[u8; WORD]> {
    let lane = shape.lane as usize;
    let lanes = shape.lanes() as usize;
    let mut words = Vec::with_capacity(shape.outputs as usize);
    for (group, value) in groups.iter().enumerate() {
        let bits = value.into_bigint().to_bits_le();
        let count = lanes.min(shape.outputs as usize - group * lanes);
        for index in 0..count {
            words.push(signed_word(&bits[index * lane..(index + 1) * lane]));
        }
    }
    words
}

/// The word of `Σ bits_i 2^i - 2^(lane-1)`: the top bit of a lane is the inverted sign.
fn signed_word(bits: &[bool]) -> [u8; WORD] {
    let negative = !bits[bits.len() - 1];
    let mut word = [if negative { 0xFF } else { 0 }; WORD];
    for (index, bit) in bits[..bits.len() - 1].iter().enumerate() {
        let byte = &mut word[WORD - 1 - index / 8];
        let mask = 1 << (index % 8);
        *byte = if *bit { *byte | mask } else { *byte & !mask };
    }
    word
}
