//! The reference string on disk: a header, the powers, `[τ]_2`; Lagrange bases in files beside it.

use crate::{coordinates::plain, Error};
use ark_bn254::{Fq, Fq2, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use assay_algebra::{keccak256, Fr};
use assay_verifier::Srs as Kind;
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 12] = b"assay-srs/1\0";
const LAGRANGE_MAGIC: &[u8; 12] = b"assay-lag/1\0";
const POINT: usize = 64;

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
/// [`Srs::load`] does not, because a prover loads often and a wrong string costs it no more than a wrong proof.
/// Whoever judges other people's keys by a string does.
pub fn verify_file(path: &Path) -> Result<Info, Error> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(path)?);
    let info = read_header(&mut reader)?;
    let mut body = Vec::new();
    reader.read_to_end(&mut body)?;
    if body.len() != (info.degree + 1) * POINT {
        return Err(Error::Malformed("its length is not that of its powers"));
    }
    if digest(info.kind, &body, &point2_be(&info.tau)) == info.digest {
        Ok(info)
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

    fn read_lagrange(&self, path: &Path, log: u32) -> Option<Vec<G1Affine>> {
        let mut reader = BufReader::with_capacity(1 << 20, File::open(path).ok()?);
        let mut magic = [0; 12];
        let mut digest = [0; 32];
        reader.read_exact(&mut magic).ok()?;
        reader.read_exact(&mut digest).ok()?;
        if &magic != LAGRANGE_MAGIC || digest != self.info.digest {
            return None;
        }
        read_points(&mut reader, 1 << log).ok()
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

fn read_header(reader: &mut impl Read) -> Result<Info, Error> {
    let mut head = [0; 12 + 1 + 4 + 32 + 128];
    reader.read_exact(&mut head).map_err(|_| Error::Format)?;
    let (magic, rest) = head.split_at(12);
    if magic != MAGIC {
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
    let mut coordinates = rest[37..].chunks(32);
    let mut next = || {
        let mut bytes = coordinates.next().ok_or(Error::Format)?.to_vec();
        bytes.reverse();
        plain(&bytes)
    };
    let (x1, x0, y1, y0) = (next()?, next()?, next()?, next()?);
    let tau = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
    if !tau.is_on_curve() || !tau.is_in_correct_subgroup_assuming_on_curve() || tau.is_zero() {
        return Err(Error::Malformed("the point of G2"));
    }
    Ok(Info {
        kind,
        degree,
        digest,
        tau,
    })
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
fn point2_be(point: &G2Affine) -> Vec<u8> {
    let mut out = Vec::new();
    if let Some((x, y)) = point.xy() {
        for c in [x.c1, x.c0, y.c1, y.c0] {
            out.extend(c.into_bigint().to_bytes_be());
        }
    }
    out
}

fn digest(kind: Kind, body: &[u8], tau: &[u8]) -> [u8; 32] {
    keccak256(&[&[u8::from(kind == Kind::Ceremony)], body, tau])
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
) -> Result<Info, Error> {
    let body = points_le(powers);
    let tau_bytes = point2_be(tau);
    let kind_byte = [u8::from(kind == Kind::Ceremony)];
    let digest = digest(kind, &body, &tau_bytes);
    let degree =
        u32::try_from(powers.len().saturating_sub(1)).map_err(|_| Error::Malformed("size"))?;
    write_atomically(
        path,
        &[
            MAGIC,
            &kind_byte,
            &degree.to_be_bytes(),
            &digest,
            &tau_bytes,
            &body,
        ],
    )?;
    Ok(Info {
        kind,
        degree: degree as usize,
        digest,
        tau: *tau,
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
