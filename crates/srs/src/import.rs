//! Reference strings of ceremonies: `.ptau` files and arkworks `UniversalParams` (uncompressed).

use crate::coordinates::{integer, plain};
use crate::file::write;
use crate::squares::square_places;
use crate::{check::check, Error, Info};
use ark_bn254::{Fq, Fq2, G1Affine, G2Affine};
use ark_ff::{BigInteger, PrimeField};
use assay_verifier::Srs as Kind;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// No more powers than this are kept: 2^20 rows is the most that any circuit can have.
const MAX_POWERS: usize = (1 << 20) + 64;

/// Points that are read at once.
const BLOCK: usize = 1 << 12;

/// Reads and checks `source`, and writes it at `path` in the product's own form.
///
/// A file is read in parts, and only those that are kept: a .ptau file of 2^28 powers has hundreds of gigabytes.
pub fn import(source: &Path, path: &Path) -> Result<Info, Error> {
    let mut source = Source::open(source)?;
    let string = if source.starts_with(*b"ptau")? {
        ptau(&mut source)?
    } else {
        arkworks(&mut source)?
    };
    check(
        &string.powers,
        &string.generator,
        &string.tau,
        &string.squares,
    )?;
    write(
        path,
        Kind::Ceremony,
        &string.powers,
        &string.tau,
        &string.squares,
    )
}

struct Parsed {
    powers: Vec<G1Affine>,
    generator: G2Affine,
    tau: G2Affine,
    squares: Vec<G2Affine>,
}

/// A file and a place in it.
struct Source {
    reader: BufReader<File>,
    at: u64,
    length: u64,
}

impl Source {
    fn open(path: &Path) -> Result<Self, Error> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        Ok(Self {
            reader: BufReader::with_capacity(1 << 18, file),
            at: 0,
            length,
        })
    }

    fn starts_with(&mut self, magic: [u8; 4]) -> Result<bool, Error> {
        if self.length < 4 {
            return Ok(false);
        }
        let found: [u8; 4] = self.take()?;
        self.go(0)?;
        Ok(found == magic)
    }

    /// To a place that must be in the file.
    fn go(&mut self, at: u64) -> Result<(), Error> {
        if at > self.length {
            return Err(Error::Malformed("the file ends early"));
        }
        self.reader.seek(SeekFrom::Start(at))?;
        self.at = at;
        Ok(())
    }

    fn skip(&mut self, count: u64) -> Result<(), Error> {
        let end = self.at.checked_add(count);
        self.go(end.ok_or(Error::Malformed("the file ends early"))?)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.reader
            .read_exact(bytes)
            .map_err(|_| Error::Malformed("the file ends early"))?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.take().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.take().map(u64::from_le_bytes)
    }

    /// The next `count` points of G1.
    fn points(
        &mut self,
        count: usize,
        read: impl Fn(&[u8]) -> Result<G1Affine, Error>,
    ) -> Result<Vec<G1Affine>, Error> {
        let mut points = Vec::new();
        let mut block = vec![0; BLOCK * 64];
        while points.len() < count {
            let bytes = &mut block[..(count - points.len()).min(BLOCK) * 64];
            self.fill(bytes)?;
            for chunk in bytes.chunks_exact(64) {
                points.push(read(chunk)?);
            }
        }
        Ok(points)
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

/// A section's place in a .ptau file.
#[derive(Clone, Copy)]
struct Section {
    at: u64,
    size: u64,
}

/// The sections of a .ptau file that matter: 1 (header), 2 (powers in G1), 3 (powers in G2).
fn ptau_sections(source: &mut Source) -> Result<[Option<Section>; 3], Error> {
    source.go(4)?;
    if source.u32()? != 1 {
        return Err(Error::Version);
    }
    let mut found = [None; 3];
    for _ in 0..source.u32()? {
        let id = source.u32()? as usize;
        let size = source.u64()?;
        let section = Section {
            at: source.at,
            size,
        };
        source.skip(size)?;
        let place = id.checked_sub(1).and_then(|place| found.get_mut(place));
        if place.is_some_and(|known| known.replace(section).is_some()) {
            // Another reader could take the other one, and mean another string.
            return Err(Error::Malformed("a section is there twice"));
        }
    }
    if source.at != source.length {
        return Err(Error::Malformed("there are bytes after the last section"));
    }
    Ok(found)
}

fn ptau(source: &mut Source) -> Result<Parsed, Error> {
    let [header, first, second] = ptau_sections(source)?;
    let header = header.ok_or(Error::Malformed("no header section"))?;
    if header.size < 4 + 32 + 4 {
        return Err(Error::Malformed("the header section"));
    }
    source.go(header.at)?;
    if source.u32()? != 32 {
        return Err(Error::Malformed("field size"));
    }
    if source.take::<32>()?.as_slice() != Fq::MODULUS.to_bytes_le() {
        return Err(Error::Invalid("the file is not on BN254"));
    }
    let power = source.u32()?;
    if power > 28 {
        return Err(Error::Malformed("power"));
    }
    let first = first.ok_or(Error::Malformed("no powers of G1"))?;
    let count = (2usize << power) - 1;
    if first.size != count as u64 * 64 {
        return Err(Error::Malformed("the number of powers"));
    }
    source.go(first.at)?;
    let powers = source.points(count.min(MAX_POWERS), |chunk| point1(chunk, montgomery))?;
    let second = second.ok_or(Error::Malformed("no powers of G2"))?;
    let in_g2 = 1u64 << power;
    if second.size != in_g2 * 128 {
        return Err(Error::Malformed("the number of powers of G2"));
    }
    let mut power2 = |exponent: usize| {
        source.go(second.at + exponent as u64 * 128)?;
        point2(&source.take::<128>()?, montgomery)
    };
    if in_g2 < 2 {
        return Err(Error::Malformed("the number of powers of G2"));
    }
    let (generator, tau) = (power2(0)?, power2(1)?);
    let squares = square_places(powers.len() - 1)
        .map(power2)
        .collect::<Result<_, _>>()?;
    Ok(Parsed {
        powers,
        generator,
        tau,
        squares,
    })
}

/// `u64 n`, `n` points, `u64 0`, generator and τ·generator of G2, `u64 0`.
fn arkworks(source: &mut Source) -> Result<Parsed, Error> {
    let count = source.u64().map_err(|_| Error::Format)?;
    let length = count
        .checked_mul(64)
        .and_then(|l| l.checked_add(8 + 8 + 256 + 8));
    if length != Some(source.length) {
        return Err(Error::Format);
    }
    let kept = usize::try_from(count).map_or(MAX_POWERS, |count| count.min(MAX_POWERS));
    let powers = source.points(kept, flagged_point)?;
    source.go(8 + count * 64)?;
    let zero = source.u64()?;
    let mut g2 = || {
        let mut bytes = source.take::<128>()?;
        clear_flags(&mut bytes)?;
        point2(&bytes, plain)
    };
    let (generator, tau) = (g2()?, g2()?);
    if zero != 0 || source.u64()? != 0 {
        return Err(Error::Malformed("extra sections"));
    }
    Ok(Parsed {
        powers,
        generator,
        tau,
        squares: Vec::new(),
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
