//! Coordinates of points as files hold them.

use crate::Error;
use ark_bn254::Fq;
use ark_ff::{BigInt, PrimeField};

/// A canonical little-endian coordinate.
pub(crate) fn integer(bytes: &[u8]) -> Result<BigInt<4>, Error> {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks(8)) {
        *limb = u64::from_le_bytes(chunk.try_into().map_err(|_| Error::Format)?);
    }
    let value = BigInt::new(limbs);
    if value < Fq::MODULUS {
        Ok(value)
    } else {
        Err(Error::Invalid("a coordinate is not below the modulus"))
    }
}

pub(crate) fn plain(bytes: &[u8]) -> Result<Fq, Error> {
    Fq::from_bigint(integer(bytes)?).ok_or(Error::Invalid("a coordinate is not below the modulus"))
}
