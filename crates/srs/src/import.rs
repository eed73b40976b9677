//! Reference strings of ceremonies: `.ptau` files and arkworks `UniversalParams` (uncompressed).

use crate::coordinates::{integer, plain};
use crate::{check::check, file::write, Error, Info};
use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use assay_verifier::Srs as Kind;
use std::path::Path;

/// No more powers than this are kept: 2^20 rows is the most that any circuit can have.
const MAX_POWERS: usize = (1 << 20) + 64;

/// Reads and checks `source`, and writes it at `path` in the product's own form.
pub fn import(source: &Path, path: &Path) -> Result<Info, Error> {
    let bytes = std::fs::read(source)?;
    let string = if bytes.starts_with(b"ptau") {
        ptau(&bytes)?
    } else {
        arkworks(&bytes)?
    };
    check(&string.powers, &string.generator, &string.tau)?;
    write(path, Kind::Ceremony, &string.powers, &string.tau)
}

struct Parsed {
    powers: Vec<G1Affine>,
    generator: G2Affine,
    tau: G2Affine,
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or(Error::Malformed("the file ends early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        let bytes = self.take(4)?.try_into().map_err(|_| Error::Format)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn u64(&mut self) -> Result<u64, Error> {
        let bytes = self.take(8)?.try_into().map_err(|_| Error::Format)?;
        Ok(u64::from_le_bytes(bytes))
    }
}

fn montgomery(bytes: &[u8]) -> Result<Fq, Error> {
    Ok(Fq::new_unchecked(integer(bytes)?))
}

type Coordinate = fn(&[u8]) -> Result<Fq, Error>;

fn point1(bytes: &[u8], read: Coordinate) -> Result<G1Affine, Error> {
    let (x, y) = bytes.split_at(32);
    Ok(G1Affine::new_unchecked(read(x)?, read(y)?))
}

fn point2(bytes: &[u8], read: Coordinate) -> Result<G2Affine, Error> {
    let c: Vec<Fq> = bytes.chunks(32).map(read).collect::<Result<_, _>>()?;
    match c.as_slice() {
        [x0, x1, y0, y1] => Ok(G2Affine::new_unchecked(
            Fq2::new(*x0, *x1),
            Fq2::new(*y0, *y1),
        )),
        _ => Err(Error::Format),
    }
}

/// The sections of a .ptau file that matter: 1 (header), 2 (powers in G1), 3 (powers in G2).
fn ptau(bytes: &[u8]) -> Result<Parsed, Error> {
    let mut cursor = Cursor(bytes);
    cursor.take(4)?;
    if cursor.u32()? != 1 {
        return Err(Error::Version);
    }
    let (mut header, mut first, mut second) = (None, None, None);
    for _ in 0..cursor.u32()? {
        let id = cursor.u32()?;
        let size = usize::try_from(cursor.u64()?).map_err(|_| Error::Malformed("section size"))?;
        let section = cursor.take(size)?;
        let known = match id {
            1 => header.replace(section),
            2 => first.replace(section),
            3 => second.replace(section),
            _ => None,
        };
        if known.is_some() {
            // Another reader could take the other one, and mean another string.
            return Err(Error::Malformed("a section is there twice"));
        }
    }
    if !cursor.0.is_empty() {
        return Err(Error::Malformed("there are bytes after the last section"));
    }
    let mut header = Cursor(header.ok_or(Error::Malformed("no header section"))?);
    if header.u32()? != 32 {
        return Err(Error::Malformed("field size"));
    }
    if header.take(32)? != Fq::MODULUS.to_bytes_le() {
        return Err(Error::Invalid("the file is not on BN254"));
    }
    let power = header.u32()?;
    if power > 28 {
        return Err(Error::Malformed("power"));
    }
    let first = first.ok_or(Error::Malformed("no powers of G1"))?;
    if first.len() != ((1usize << (power + 1)) - 1) * 64 {
        return Err(Error::Malformed("the number of powers"));
    }
    let powers = first
        .chunks_exact(64)
        .take(MAX_POWERS)
        .map(|chunk| point1(chunk, montgomery))
        .collect::<Result<_, _>>()?;
    let mut second = Cursor(second.ok_or(Error::Malformed("no powers of G2"))?);
    Ok(Parsed {
        powers,
        generator: point2(second.take(128)?, montgomery)?,
        tau: point2(second.take(128)?, montgomery)?,
    })
}

/// `u64 n`, `n` points, `u64 0`, generator and τ·generator of G2, `u64 0`.
fn arkworks(bytes: &[u8]) -> Result<Parsed, Error> {
    let mut cursor = Cursor(bytes);
    let count =
        usize::try_from(cursor.u64().map_err(|_| Error::Format)?).map_err(|_| Error::Format)?;
    let length = count
        .checked_mul(64)
        .and_then(|l| l.checked_add(8 + 8 + 256 + 8));
    if length != Some(bytes.len()) {
        return Err(Error::Format);
    }
    let powers = cursor
        .take(count * 64)?
        .chunks_exact(64)
        .take(MAX_POWERS)
        .map(flagged_point)
        .collect::<Result<_, _>>()?;
    let zero = cursor.u64()?;
    let mut g2 = || {
        let mut bytes: [u8; 128] = cursor.take(128)?.try_into().map_err(|_| Error::Format)?;
        clear_flags(&mut bytes)?;
        point2(&bytes, plain)
    };
    let (generator, tau) = (g2()?, g2()?);
    if zero != 0 || cursor.u64()? != 0 {
        return Err(Error::Malformed("extra sections"));
    }
    Ok(Parsed {
        powers,
        generator,
        tau,
    })
}

/// arkworks keeps two flags in the top bits of the last byte: infinity, and the sign of y.
fn clear_flags(bytes: &mut [u8]) -> Result<(), Error> {
    let Some(last) = bytes.last_mut() else {
        return Err(Error::Format);
    };
    if *last & 0x40 != 0 {
        return Err(Error::Invalid("a point is infinity"));
    }
    *last &= 0x3F;
    Ok(())
}

fn flagged_point(chunk: &[u8]) -> Result<G1Affine, Error> {
    let mut bytes: [u8; 64] = chunk.try_into().map_err(|_| Error::Format)?;
    clear_flags(&mut bytes)?;
    point1(&bytes, plain)
}
