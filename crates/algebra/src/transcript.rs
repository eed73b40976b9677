//! The Fiat-Shamir transcript (spec 2): a chain of keccak256, the same in Solidity.

use crate::Fr;
use ark_ff::PrimeField;
use tiny_keccak::{Hasher, Keccak};

/// keccak256 of the concatenated parts.
pub fn keccak256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Keccak::v256();
    for part in parts {
        hasher.update(part);
    }
    let mut digest = [0; 32];
    hasher.finalize(&mut digest);
    digest
}

/// The state that both sides of a proof keep.
#[derive(Clone, Debug)]
pub struct Transcript {
    state: [u8; 32],
}

impl Transcript {
    /// Starts from everything that is fixed before the first message.
    pub fn new(statement: &[&[u8]]) -> Self {
        Self {
            state: keccak256(statement),
        }
    }

    /// Binds a message.
    pub fn absorb(&mut self, message: &[u8]) {
        self.state = keccak256(&[&self.state, message]);
    }

    /// Draws a challenge: the state modulo `r`, after which the state moves on.
    pub fn challenge(&mut self) -> Fr {
        let challenge = Fr::from_be_bytes_mod_order(&self.state);
        self.state = keccak256(&[&self.state]);
        challenge
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keccak_of_the_empty_string() {
        // The published vector of Keccak-256 (the hash of an empty Ethereum account's code).
        let expected = "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470";
        let bytes: Vec<u8> = (0..32)
            .map(|i| u8::from_str_radix(&expected[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        assert_eq!(keccak256(&[]).to_vec(), bytes);
    }

    #[test]
    fn every_absorbed_byte_moves_every_later_challenge() {
        let mut a = Transcript::new(&[b"statement"]);
        let mut b = a.clone();
        a.absorb(b"one");
        b.absorb(b"two");
        assert_ne!(a.challenge(), b.challenge());
        assert_ne!(a.challenge(), b.challenge());
    }
}
