//! Reading untrusted bytes.

use crate::Error;
use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};
use assay_algebra::{Fr, WORD};

/// A cursor that never reads past the end.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (head, tail) = self.rest.split_at_checked(count).ok_or(Error::Truncated)?;
        self.rest = tail;
        Ok(head)
    }

    /// The next bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N)?.try_into().map_err(|_| Error::Truncated)
    }

    /// The next byte.
    pub fn u8(&mut self) -> Result<u8, Error> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// The next big-endian `u32`.
    pub fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_be_bytes)
    }

    /// The next point; `index` names it in the error.
    pub fn point(&mut self, index: usize) -> Result<G1Affine, Error> {
        point_from_bytes(&self.array()?).ok_or(Error::Point { index })
    }

    /// The next scalar, refused unless it is below the field's order.
    pub fn scalar(&mut self, index: usize) -> Result<Fr, Error> {
        canonical(&self.array()?).ok_or(Error::Scalar { index })
    }

    /// A point of G2 in the precompile's order, in the right subgroup.
    pub fn point2(&mut self) -> Result<G2Affine, Error> {
        let bad = Error::Tau;
        let mut coordinate = || canonical::<Fq>(&self.array()?).ok_or(bad.clone());
        let (x1, x0, y1, y0) = (coordinate()?, coordinate()?, coordinate()?, coordinate()?);
        let point =
            G2Affine::new_unchecked(ark_bn254::Fq2::new(x0, x1), ark_bn254::Fq2::new(y0, y1));
        let sound = point.is_on_curve()
            && point.is_in_correct_subgroup_assuming_on_curve()
            && !point.is_zero();
        if sound {
            Ok(point)
        } else {
            Err(bad)
        }
    }

    /// Refuses what is left over.
    pub fn finish(self) -> Result<(), Error> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::Trailing)
        }
    }
}

fn canonical<F: PrimeField>(bytes: &[u8; WORD]) -> Option<F> {
    let value = F::from_be_bytes_mod_order(bytes);
    // `x + r` must not pass for `x`: only the reduced form writes back to the same bytes.
    let written = value.into_bigint().to_bytes_be();
    (written.as_slice() == bytes.as_slice()).then_some(value)
}

/// The point of two canonical words; `None` off the curve or for (0, 0), the precompile's infinity.
pub fn point_from_bytes(bytes: &[u8; 2 * WORD]) -> Option<G1Affine> {
    let (x, y) = bytes.split_at_checked(WORD)?;
    let point = G1Affine::new_unchecked(
        canonical(x.try_into().ok()?)?,
        canonical(y.try_into().ok()?)?,
    );
    // The cofactor of G1 is one, so the curve equation is the whole check. (0, 0) stands for infinity, which the
    // library takes for a point of the curve: it is refused by name.
    (!point.is_zero() && point.is_on_curve()).then_some(point)
}

/// The two words of a point; infinity is (0, 0).
pub fn point_bytes(point: &G1Affine) -> [u8; 2 * WORD] {
    let mut out = [0; 2 * WORD];
    if let Some((x, y)) = point.xy() {
        let words = x
            .into_bigint()
            .to_bytes_be()
            .into_iter()
            .chain(y.into_bigint().to_bytes_be());
        for (to, from) in out.iter_mut().zip(words) {
            *to = from;
        }
    }
    out
}

/// The four words of a point of G2 in the precompile's order, imaginary parts first.
pub fn point2_bytes(point: &G2Affine) -> Vec<u8> {
    let coordinates = point.xy().map(|(x, y)| [x.c1, x.c0, y.c1, y.c0]);
    let words = coordinates.into_iter().flatten();
    words.flat_map(|c| c.into_bigint().to_bytes_be()).collect()
}

/// The version behind a format's name: up to three digits and a zero byte.
pub(crate) fn version(
    reader: &mut Reader<'_>,
    name: &str,
    what: &'static str,
) -> Result<u32, Error> {
    let magic = Error::Magic(what);
    if reader.take(name.len()).map_err(|_| magic.clone())? != name.as_bytes() {
        return Err(magic);
    }
    let mut number = 0u32;
    for digits in 0..4 {
        match reader.u8().map_err(|_| magic.clone())? {
            0 if digits > 0 => return Ok(number),
            digit @ b'0'..=b'9' => {
                number = number
                    .saturating_mul(10)
                    .saturating_add(u32::from(digit - b'0'));
            }
            _ => return Err(magic),
        }
    }
    Err(magic)
}
