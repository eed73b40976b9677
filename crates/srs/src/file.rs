//! The reference string on disk; Lagrange bases in files beside it.
//!
//! `"assay-srs/2\0"`, kind, degree, digest, `[τ]_2`, how many squares, their digest, the squares `[τ^2]_2, [τ^4]_2, …`,
//! the powers `[τ^i]_1`. Version 1 goes from `[τ]_2` to the powers. The digest, which keys pin, is that of kind, powers
//! and `[τ]_2`: a string keeps it when it is imported again from a file that has squares. Theirs includes it.

use crate::{check::check, coordinates::plain, squares::square_places, Error};
use ark_bn254::{Fq, Fq2, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{BigInteger, PrimeField};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use assay_algebra::{keccak256, Fr};
use assay_verifier::Srs as Kind;
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufReader, Read, Seek, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 12] = b"assay-srs/2\0";
const MAGIC_1: &[u8; 12] = b"assay-srs/1\0";
const LAGRANGE_MAGIC: &[u8; 12] = b"assay-lag/1\0";
const POINT: usize = 64;
const POINT2: usize = 128;

/// What a file says of itself.
#[derive(Clone, Debug)]
pub struct Info {
    /// Development or ceremony.
    pub kind: Kind,
    /// The highest power of τ.
    pub degree: usize,
    /// keccak256 of the kind, all powers and `[τ]_2`.
    pub digest: [u8; 32],
    /// `[τ]_2`.
    pub tau: G2Affine,
    /// `[τ^(2^k)]_2` for `k = 1, 2, …` with `2^k` at most half the degree: all, or none if the source had none.
    pub squares: Vec<G2Affine>,
}

/// A reference string with as many powers as were asked for.
#[derive(Debug)]
pub struct Srs {
    /// Its header.
    pub info: Info,
    /// `[τ^i]_1`.
    pub powers: Vec<G1Affine>,
    path: PathBuf,
}

impl Info {
    /// Reads the header of a file.
    pub fn read(path: &Path) -> Result<Self, Error> {
        read_header(&mut BufReader::new(File::open(path)?))
    }
}

/// Reads a whole file and compares it with the digest in its header.
///
/// [`Srs::load`] does not, since it reads the powers alone that it needs.
pub fn verify_file(path: &Path) -> Result<Info, Error> {
    read_whole(path).map(|(info, _)| info)
}

/// Compares a file's content with its digest, and the points with each other by pairing, as [`crate::import`] does.
pub fn verify_string(path: &Path) -> Result<Info, Error> {
    let (info, body) = read_whole(path)?;
    let powers = read_points(&mut body.as_slice(), info.degree + 1)?;
    let generator = ark_bn254::G2Projective::generator().into_affine();
    check(&powers, &generator, &info.tau, &info.squares)?;
    Ok(info)
}

/// The header and the bytes of all powers, which have the header's digest.
fn read_whole(path: &Path) -> Result<(Info, Vec<u8>), Error> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let info = read_header(&mut reader)?;
    let size = (info.degree as u64 + 1) * POINT as u64;
    // Before anything of a header's size is read.
    if reader.stream_position()?.checked_add(size) != Some(length) {
        return Err(Error::Malformed("its length is not that of its powers"));
    }
    let mut body = Vec::new();
    reader.take(size).read_to_end(&mut body)?;
    if digest(info.kind, &body, &info.tau) == info.digest {
        Ok((info, body))
    } else {
        Err(Error::Invalid("its content does not have its digest"))
    }
}

impl Srs {
    /// Loads the powers `0 ..= degree`.
    pub fn load(path: &Path, degree: usize) -> Result<Self, Error> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
        let info = read_header(&mut reader)?;
        if info.degree < degree {
            return Err(Error::TooSmall {
                needed: degree + 1,
                found: info.degree + 1,
            });
        }
        let powers = read_points(&mut reader, degree + 1)?;
        Ok(Self {
            info,
            powers,
            path: path.to_path_buf(),
        })
    }

    /// The commitments of the Lagrange polynomials of the domain of order `2^log`, from the file beside, or computed and kept.
    pub fn lagrange(&self, log: u32) -> Result<Vec<G1Affine>, Error> {
        let path = lagrange_path(&self.path, log);
        if let Some(points) = self.read_lagrange(&path, log) {
            return Ok(points);
        }
        let size = 1usize << log;
        let powers = self.powers.get(..size).ok_or(Error::TooSmall {
            needed: size,
            found: self.powers.len(),
        })?;
        let points = lagrange_of(powers);
        // A cache that cannot be written costs time, not correctness.
        let _ = write_lagrange(&path, &self.info.digest, &points);
        Ok(points)
    }

    /// `[τ^i L_j(τ^width)]` for `i < width`, each for all rows `j` of the domain of order `2^log`: from the file beside
    /// or, if `compute`, computed and kept; else none where there is no such file.
    pub fn packed_lagrange(
        &self,
        log: u32,
        width: usize,
        compute: bool,
    ) -> Result<Option<Vec<G1Affine>>, Error> {
        let path = packed_path(&self.path, log, width);
        let size = 1usize << log;
        if let Some(points) = self.read_points_of(&path, width * size) {
            return Ok(Some(points));
        }
        if !compute {
            return Ok(None);
        }
        let powers = self.powers.get(..width * size).ok_or(Error::TooSmall {
            needed: width * size,
            found: self.powers.len(),
        })?;
        let column = |place: usize| {
            let strided = powers.iter().skip(place).step_by(width);
            lagrange_of(&strided.copied().collect::<Vec<_>>())
        };
        let points: Vec<G1Affine> = (0..width).flat_map(column).collect();
        let _ = write_lagrange(&path, &self.info.digest, &points);
        Ok(Some(points))
    }

    fn read_lagrange(&self, path: &Path, log: u32) -> Option<Vec<G1Affine>> {
        self.read_points_of(path, 1 << log)
    }

    fn read_points_of(&self, path: &Path, count: usize) -> Option<Vec<G1Affine>> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path).ok()?);
        let mut magic = [0; 12];
        let mut digest = [0; 32];
        reader.read_exact(&mut magic).ok()?;
        reader.read_exact(&mut digest).ok()?;
        if &magic != LAGRANGE_MAGIC || digest != self.info.digest {
            return None;
        }
        read_points(&mut reader, count).ok()
    }
}

/// `L_i(τ) = (1/m) Σ_j ω^(-ij) τ^j`: an inverse FFT in the group.
fn lagrange_of(powers: &[G1Affine]) -> Vec<G1Affine> {
    let domain =
        Radix2EvaluationDomain::<Fr>::new(powers.len()).expect("a power of two below 2^28");
    let mut group: Vec<G1Projective> = powers.iter().map(|p| p.into_group()).collect();
    domain.ifft_in_place(&mut group);
    G1Projective::normalize_batch(&group)
}

fn lagrange_path(path: &Path, log: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".lagrange-{log}"));
    PathBuf::from(name)
}

fn packed_path(path: &Path, log: u32, width: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".lagrange-{log}-of-{width}"));
    PathBuf::from(name)
}

fn read_header(reader: &mut impl Read) -> Result<Info, Error> {
    let mut head = [0; 12 + 1 + 4 + 32 + 128];
    reader.read_exact(&mut head).map_err(|_| Error::Format)?;
    let (magic, rest) = head.split_at(12);
    if magic != MAGIC && magic != MAGIC_1 {
        return Err(if magic.starts_with(b"assay-srs/") {
            Error::Version
        } else {
            Error::Format
        });
    }
    let kind = match rest[0] {
        0 => Kind::Development,
        1 => Kind::Ceremony,
        _ => return Err(Error::Malformed("kind")),
    };
    let degree = u32::from_be_bytes(rest[1..5].try_into().map_err(|_| Error::Format)?) as usize;
    let digest = rest[5..37].try_into().map_err(|_| Error::Format)?;
    let tau = point2(&rest[37..])?;
    if !tau.is_in_correct_subgroup_assuming_on_curve() {
        return Err(Error::Malformed("the point of G2"));
    }
    let squares = if magic == MAGIC {
        read_squares(reader, degree, &digest)?
    } else {
        Vec::new()
    };
    Ok(Info {
        kind,
        degree,
        digest,
        tau,
        squares,
    })
}

fn read_squares(
    reader: &mut impl Read,
    degree: usize,
    digest: &[u8; 32],
) -> Result<Vec<G2Affine>, Error> {
    let mut head = [0; 1 + 32];
    reader.read_exact(&mut head).map_err(|_| Error::Format)?;
    let (count, expected) = (usize::from(head[0]), &head[1..]);
    if count != 0 && count != square_places(degree).count() {
        return Err(Error::Malformed("the number of powers in G2"));
    }
    let mut bytes = vec![0; count * POINT2];
    reader.read_exact(&mut bytes).map_err(|_| Error::Format)?;
    if keccak256(&[digest, &bytes]) != *expected {
        return Err(Error::Invalid("its powers in G2 do not have their digest"));
    }
    // Their subgroup is checked where the whole string is: it takes longer than reading them.
    bytes.chunks(POINT2).map(point2).collect()
}

/// A point of the twist, in the order of the precompile.
fn point2(bytes: &[u8]) -> Result<G2Affine, Error> {
    let mut coordinates = bytes.chunks(32);
    let mut next = || {
        let mut bytes = coordinates.next().ok_or(Error::Format)?.to_vec();
        bytes.reverse();
        plain(&bytes)
    };
    let (x1, x0, y1, y0) = (next()?, next()?, next()?, next()?);
    let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    if point.is_on_curve() && !point.is_zero() {
        Ok(point)
    } else {
        Err(Error::Malformed("the point of G2"))
    }
}

fn read_points(reader: &mut impl Read, count: usize) -> Result<Vec<G1Affine>, Error> {
    let mut bytes = vec![0; count * POINT];
    reader
        .read_exact(&mut bytes)
        .map_err(|_| Error::Malformed("the file ends early"))?;
    let points: Vec<G1Affine> = bytes
        .par_chunks(POINT)
        .map(|chunk| {
            let (x, y) = chunk.split_at(POINT / 2);
            G1Affine::new_unchecked(
                Fq::from_le_bytes_mod_order(x),
                Fq::from_le_bytes_mod_order(y),
            )
        })
        .collect();
    // A bad sector must not become a bad proof; the subgroup is the whole curve.
    if points.par_iter().all(G1Affine::is_on_curve) {
        Ok(points)
    } else {
        Err(Error::Malformed("a point is not on the curve"))
    }
}

fn point_le(point: &G1Affine) -> [u8; POINT] {
    let mut out = [0; POINT];
    if let Some((x, y)) = point.xy() {
        out[..32].copy_from_slice(&x.into_bigint().to_bytes_le());
        out[32..].copy_from_slice(&y.into_bigint().to_bytes_le());
    }
    out
}

fn points_le(points: &[G1Affine]) -> Vec<u8> {
    points.par_iter().flat_map_iter(point_le).collect()
}

/// In the order of the precompile: imaginary parts first.
pub(crate) fn point2_be(point: &G2Affine) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some((x, y)) = point.xy() {
        for c in [x.c1, x.c0, y.c1, y.c0] {
            out.extend(c.into_bigint().to_bytes_be());
        }
    }
    out
}

fn digest(kind: Kind, body: &[u8], tau: &G2Affine) -> [u8; 32] {
    let kind = [u8::from(kind == Kind::Ceremony)];
    keccak256(&[&kind, body, &point2_be(tau)])
}

/// Writes beside and renames, so that no reader sees half a file.
fn write_atomically(path: &Path, parts: &[&[u8]]) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    let beside = PathBuf::from(name);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&beside)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| {
        let _ = std::fs::remove_file(&beside);
        error.into()
    })
}

/// Writes a reference string.
pub(crate) fn write(
    path: &Path,
    kind: Kind,
    powers: &[G1Affine],
    tau: &G2Affine,
    squares: &[G2Affine],
) -> Result<Info, Error> {
    let body = points_le(powers);
    let kind_byte = [u8::from(kind == Kind::Ceremony)];
    let digest = digest(kind, &body, tau);
    let squares_bytes: Vec<u8> = squares.iter().flat_map(point2_be).collect();
    let count = u8::try_from(squares.len()).map_err(|_| Error::Malformed("size"))?;
    let degree =
        u32::try_from(powers.len().saturating_sub(1)).map_err(|_| Error::Malformed("size"))?;
    write_atomically(
        path,
        &[
            MAGIC,
            &kind_byte,
            &degree.to_be_bytes(),
            &digest,
            &point2_be(tau),
            &[count],
            &keccak256(&[&digest, &squares_bytes]),
            &squares_bytes,
            &body,
        ],
    )?;
    Ok(Info {
        kind,
        degree: degree as usize,
        digest,
        tau: *tau,
        squares: squares.to_vec(),
    })
}

pub(crate) fn write_lagrange_of(
    path: &Path,
    info: &Info,
    log: u32,
    points: &[G1Affine],
) -> Result<(), Error> {
    write_lagrange(&lagrange_path(path, log), &info.digest, points)
}

fn write_lagrange(path: &Path, digest: &[u8; 32], points: &[G1Affine]) -> Result<(), Error> {
    write_atomically(path, &[LAGRANGE_MAGIC, digest, &points_le(points)])
}
