//! The scalar field of BN254 and its power-of-two roots of unity.

use ark_ff::{batch_inversion, BigInteger, FftField, Field, PrimeField, Zero};

pub use ark_bn254::Fr;

/// Bytes of one word on the wire.
pub const WORD: usize = 32;

/// The root of unity of order `2^log`, `5^((r-1)/2^log)` (spec 1); `None` above `2^28`.
pub fn root_of_unity(log: u32) -> Option<Fr> {
    let squarings = Fr::TWO_ADICITY.checked_sub(log)?;
    let mut root = Fr::TWO_ADIC_ROOT_OF_UNITY;
    for _ in 0..squarings {
        root.square_in_place();
    }
    Some(root)
}

/// The big-endian word of a field element.
pub fn word(value: Fr) -> [u8; WORD] {
    let mut out = [0; WORD];
    for (to, from) in out.iter_mut().zip(value.into_bigint().to_bytes_be()) {
        *to = from;
    }
    out
}

/// The field element of a signed integer.
pub fn signed(value: i128) -> Fr {
    let magnitude = Fr::from(value.unsigned_abs());
    if value < 0 {
        -magnitude
    } else {
        magnitude
    }
}

/// The inverses of all values with one field inversion; `None` if one of them is zero.
pub fn inverses(mut values: Vec<Fr>) -> Option<Vec<Fr>> {
    if values.iter().any(Zero::is_zero) {
        return None;
    }
    batch_inversion(&mut values);
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::One;

    #[test]
    fn roots_are_powers_of_five_and_primitive() {
        for log in 0..=28 {
            let exponent = (-Fr::one()).into_bigint() >> log;
            let root = root_of_unity(log).unwrap();
            assert_eq!(root, Fr::from(5u64).pow(exponent));
            let mut power = root;
            for _ in 1..log {
                power.square_in_place();
            }
            assert_eq!(power, if log == 0 { Fr::one() } else { -Fr::one() });
        }
        assert!(root_of_unity(29).is_none());
    }

    #[test]
    fn words_are_big_endian() {
        let mut expected = [0; WORD];
        expected[30] = 1;
        expected[31] = 2;
        assert_eq!(word(Fr::from(258u64)), expected);
        assert_eq!(signed(-3) + Fr::from(3u64), Fr::zero());
    }

    #[test]
    fn inverses_refuse_zero() {
        assert!(inverses(vec![Fr::one(), Fr::zero()]).is_none());
        let values = vec![Fr::from(7u64), Fr::from(11u64)];
        let inverted = inverses(values.clone()).unwrap();
        assert!(values
            .iter()
            .zip(inverted)
            .all(|(a, b)| *a * b == Fr::one()));
    }
}
