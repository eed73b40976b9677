//! Reference strings with a τ that the test knows, and the ceremonies' file formats, right and wrong.
#![allow(dead_code, missing_docs)]

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup};
use ark_ff::{BigInteger, PrimeField};
use assay_srs::{import, Error, Info};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

pub const TAU: u64 = 0x1234_5678_9abc_def1;

/// A folder of its own, gone with the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("assay-srs-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Imports bytes; a refusal must leave nothing behind.
pub fn imported(bytes: &[u8]) -> Result<Info, Error> {
    let folder = Folder::new();
    let source = folder.write("source", bytes);
    let result = import(&source, &folder.path("string.srs"));
    let kept: &[&str] = if result.is_ok() {
        &["source", "string.srs"]
    } else {
        &["source"]
    };
    assert_eq!(folder.names(), kept);
    result
}

pub fn g1(scalar: Fr) -> G1Affine {
    (G1Projective::generator() * scalar).into_affine()
}

pub fn g2(scalar: Fr) -> G2Affine {
    (G2Projective::generator() * scalar).into_affine()
}

pub fn powers_of(tau: Fr, count: usize) -> Vec<Fr> {
    std::iter::successors(Some(Fr::from(1u64)), |power| Some(*power * tau))
        .take(count)
        .collect()
}

/// A point of the twist that is not in the group of order `r`.
pub fn outside_the_subgroup() -> G2Affine {
    (1u64..100)
        .filter_map(|x| G2Affine::get_point_from_x_unchecked(Fq2::from(x), false))
        .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
        .unwrap()
}

/// The value modulo 2^256 as it stands in memory, in Montgomery form.
pub fn montgomery(value: &Fq) -> [u8; 32] {
    value.0.to_bytes_le().try_into().unwrap()
}

pub fn plain(value: &Fq) -> [u8; 32] {
    value.into_bigint().to_bytes_le().try_into().unwrap()
}

type Coordinate = fn(&Fq) -> [u8; 32];

pub fn bytes1(point: &G1Affine, write: Coordinate) -> Vec<u8> {
    [write(&point.x), write(&point.y)].concat()
}

pub fn bytes2(point: &G2Affine, write: Coordinate) -> Vec<u8> {
    let (x, y) = (point.x, point.y);
    [write(&x.c0), write(&x.c1), write(&y.c0), write(&y.c1)].concat()
}

/// The value plus the modulus, if 256 bits hold it: another writing of the same coordinate.
pub fn plus_modulus(bytes: &mut [u8]) {
    let mut carry = 0u16;
    for (byte, more) in bytes.iter_mut().zip(Fq::MODULUS.to_bytes_le()) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
}

/// A .ptau file, section by section.
pub struct Ptau {
    pub version: u32,
    pub sections: Vec<(u32, Vec<u8>)>,
}

impl Ptau {
    /// As snarkjs writes them: header, τ^i in G1 (2^(p+1) - 1), τ^i in G2 (2^p), then what Groth16 alone needs.
    pub fn new(power: u32, tau: Fr) -> Self {
        let mut header = 32u32.to_le_bytes().to_vec();
        header.extend(Fq::MODULUS.to_bytes_le());
        header.extend([power.to_le_bytes(), power.to_le_bytes()].concat());
        let first = powers_of(tau, (2 << power) - 1);
        let second = powers_of(tau, 1 << power);
        let bytes = |scalar: &Fr| bytes1(&g1(*scalar), montgomery);
        Self {
            version: 1,
            sections: vec![
                (1, header),
                (2, first.iter().flat_map(bytes).collect()),
                (
                    3,
                    second
                        .iter()
                        .flat_map(|s| bytes2(&g2(*s), montgomery))
                        .collect(),
                ),
                (4, vec![7; 64]),
                (7, vec![]),
            ],
        }
    }

    pub fn section(&mut self, id: u32) -> &mut Vec<u8> {
        let found = self.sections.iter_mut().find(|section| section.0 == id);
        &mut found.unwrap().1
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut out = b"ptau".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend(u32::try_from(self.sections.len()).unwrap().to_le_bytes());
        for (id, content) in &self.sections {
            out.extend(id.to_le_bytes());
            out.extend((content.len() as u64).to_le_bytes());
            out.extend(content);
        }
        out
    }
}

/// arkworks `UniversalParams`, uncompressed.
pub fn arkworks(tau: Fr, count: usize) -> Vec<u8> {
    let mut out = (count as u64).to_le_bytes().to_vec();
    for scalar in powers_of(tau, count) {
        out.extend(flagged(bytes1(&g1(scalar), plain)));
    }
    out.extend(0u64.to_le_bytes());
    for scalar in [Fr::from(1u64), tau] {
        out.extend(bytes2(&g2(scalar), plain));
    }
    out.extend(0u64.to_le_bytes());
    out
}

/// arkworks says in the top bit whether y is the larger of the two.
fn flagged(mut bytes: Vec<u8>) -> Vec<u8> {
    let point = Fq::from_le_bytes_mod_order(&bytes[32..]);
    if point > -point {
        *bytes.last_mut().unwrap() |= 0x80;
    }
    bytes
}

pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}
