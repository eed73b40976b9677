//! The ceremonies that are known by their `[τ]_2`.
//!
//! A name stands here only where the bytes were taken from a file of the ceremony, agree with its own powers by
//! pairing, and are published by others too: never from memory. What is not here is of unknown origin, and whoever
//! imports it vouches for it.

use crate::file::point2_be;
use ark_bn254::G2Affine;

/// A ceremony.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ceremony {
    /// How commands and files name it.
    pub name: &'static str,
    /// `[τ]_2`: x imaginary, x real, y imaginary, y real, as the precompile reads them, in hexadecimal digits.
    pub tau: &'static str,
    /// Where the bytes were taken from, with the SHA-256 of the file.
    pub source: &'static str,
    /// Where else they are published.
    pub also: &'static [&'static str],
}

/// All that are known.
pub const CEREMONIES: &[Ceremony] = &[Ceremony {
    name: "aztec-ignition",
    tau: "260e01b251f6f1c7e7ff4e580791dee8ea51d87a358e038b4efe30fac09383c1\
          0118c4d5b837bcc2bc89b5b398b5974e9f5944073b32078b7e231fec938883b0\
          04fc6369f7110fe3d25156c1bb9a72859cf2a04641f99ba4ee413c80da6a5fe4\
          22febda3c0c0632a56475b4214e5615e11e6dd3f96e6cea2854a87d4dacc5e55",
    source: "github.com/alxiong/ark-srs, data/kzg10-bn254-aztec-srs-32768.bin, SHA-256 \
             adfc7e882e487656ce92f4a0542a74c4c92022497fd6e29d70d22e74f5a229fe",
    also: &[
        "github.com/AztecProtocol/aztec-verifier-contracts, src/standard/keys/StandardVerificationKey.sol at \
         ca2dd092c0597a6d301f94abf0dcc3b0fc8823c3 (vk.g2_x)",
        "github.com/matter-labs/era-contracts, l1-contracts/contracts/state-transition/Verifier.sol at \
         03fd72de0cc1830cd0d003c931a6e974be63f1a0 (G2_ELEMENTS_1)",
    ],
}];

/// `[τ]_2` as hexadecimal digits, in the order of the precompile.
pub fn tau_hex(tau: &G2Affine) -> String {
    use std::fmt::Write;
    point2_be(tau).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The ceremony that `[τ]_2` is of, if it is known.
pub fn ceremony(tau: &G2Affine) -> Option<&'static Ceremony> {
    let tau = tau_hex(tau);
    CEREMONIES.iter().find(|known| known.tau == tau)
}
