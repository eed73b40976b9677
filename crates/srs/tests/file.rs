//! The product's own file: what is written is read back, and what was changed is refused.
#![allow(missing_docs)]

mod common;

use ark_bn254::{Fr, G1Projective};
use ark_ec::{CurveGroup, VariableBaseMSM};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use assay_srs::{generate, verify_file, Error, Info, Srs};
use assay_verifier::Srs as Kind;
use common::{g1, read, Folder};

const DEGREE: usize = 40;
/// Squares in G2 of such a degree: τ^2, τ^4, τ^8, τ^16.
const SQUARES: usize = 4;
/// Magic, kind, degree, digest, τ·G2.
const HEAD: usize = 12 + 1 + 4 + 32 + 128;
/// And the squares, behind their number and digest.
const HEADER: usize = HEAD + 1 + 32 + 128 * SQUARES;

fn made() -> (Folder, std::path::PathBuf, Info) {
    let folder = Folder::new();
    let path = folder.path("made.srs");
    let info = generate(&path, DEGREE).unwrap();
    (folder, path, info)
}

#[test]
fn a_development_string_says_so_and_has_the_powers_of_one_secret() {
    let (_folder, path, info) = made();
    assert_eq!((info.kind, info.degree), (Kind::Development, DEGREE));
    let string = Srs::load(&path, DEGREE).unwrap();
    assert_eq!(string.powers.len(), DEGREE + 1);
    assert_eq!(string.powers[0], g1(Fr::from(1u64)));
    assert_eq!(verify_file(&path).unwrap().digest, info.digest);
    // The same check that an imported string passes.
    let source = [
        (DEGREE as u64 + 1).to_le_bytes().to_vec(),
        string
            .powers
            .iter()
            .flat_map(|p| common::bytes1(p, common::plain))
            .collect(),
        0u64.to_le_bytes().to_vec(),
        common::bytes2(&common::g2(Fr::from(1u64)), common::plain),
        common::bytes2(&info.tau, common::plain),
        0u64.to_le_bytes().to_vec(),
    ]
    .concat();
    assert_eq!(common::imported(&source).unwrap().degree, DEGREE);
}

#[test]
fn a_string_that_is_too_small_says_what_is_needed_and_what_is_there() {
    let (_folder, path, _) = made();
    let error = Srs::load(&path, 1000).unwrap_err();
    assert_eq!(error.code(), "srs/too-small");
    assert_eq!(
        error.to_string(),
        "the reference string has 41 powers, 1001 are needed"
    );
    let error = Srs::load(&path, DEGREE).unwrap().lagrange(6).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the reference string has 41 powers, 64 are needed"
    );
}

#[test]
fn fewer_powers_are_loaded_without_the_rest() {
    let (_folder, path, _) = made();
    let all = Srs::load(&path, DEGREE).unwrap().powers;
    let some = Srs::load(&path, 10).unwrap();
    assert_eq!(some.powers, all[..11]);
    assert_eq!(some.info.degree, DEGREE);
}

#[test]
fn every_changed_byte_is_noticed() {
    let (folder, path, _) = made();
    let bytes = read(&path);
    assert_eq!(bytes.len(), HEADER + 64 * (DEGREE + 1));
    for at in 0..bytes.len() {
        for mask in [0x01, 0x80] {
            let mut wrong = bytes.clone();
            wrong[at] ^= mask;
            assert!(
                verify_file(&folder.write("wrong.srs", &wrong)).is_err(),
                "{at}"
            );
        }
    }
    for length in (0..bytes.len()).step_by(11) {
        assert!(verify_file(&folder.write("cut.srs", &bytes[..length])).is_err());
        if length >= HEADER {
            assert!(Srs::load(&folder.path("cut.srs"), DEGREE).is_err());
        } else {
            assert!(Info::read(&folder.path("cut.srs")).is_err());
        }
    }
    assert!(verify_file(&folder.write("long.srs", &[&bytes[..], &[0]].concat())).is_err());
}

#[test]
fn points_that_are_points_but_not_the_strings_are_noticed() {
    let (folder, path, _) = made();
    let bytes = read(&path);
    let mut exchanged = bytes.clone();
    let (left, right) = exchanged.split_at_mut(HEADER + 64 * 5);
    left[HEADER + 64 * 4..].swap_with_slice(&mut right[..64]);
    let mut repeated = bytes;
    repeated.copy_within(HEADER..HEADER + 64, HEADER + 64);
    for wrong in [exchanged, repeated] {
        let path = folder.write("wrong.srs", &wrong);
        // Loading looks at the curve alone, for speed; whoever judges others by the string verifies it.
        assert!(Srs::load(&path, DEGREE).is_ok());
        assert!(matches!(verify_file(&path), Err(Error::Invalid(_))));
    }
}

#[test]
fn a_second_writing_of_the_same_header_is_refused() {
    let (folder, path, _) = made();
    let honest = read(&path);
    for coordinate in 0..4 {
        let mut bytes = honest.clone();
        let word = &mut bytes[HEAD - 128 + 32 * coordinate..][..32];
        word.reverse();
        common::plus_modulus(word);
        word.reverse();
        assert!(Info::read(&folder.write("wrong.srs", &bytes)).is_err());
    }
}

#[test]
fn other_magic_versions_and_kinds() {
    let (folder, path, _) = made();
    let bytes = read(&path);
    let with = |at: usize, byte: u8| {
        let mut wrong = bytes.clone();
        wrong[at] = byte;
        Info::read(&folder.write("wrong.srs", &wrong))
    };
    assert!(matches!(with(0, b'A'), Err(Error::Format)));
    assert!(matches!(with(10, b'3'), Err(Error::Version)));
    assert!(matches!(with(12, 2), Err(Error::Malformed(_))));
    assert!(matches!(
        Info::read(&folder.path("absent")),
        Err(Error::Io(_))
    ));
}

#[test]
fn lagrange_bases_are_those_of_the_powers_and_damaged_ones_are_made_anew() {
    let (folder, path, _) = made();
    let string = Srs::load(&path, DEGREE).unwrap();
    let kept = string.lagrange(5).unwrap();
    let domain = Radix2EvaluationDomain::<Fr>::new(32).unwrap();
    for (row, point) in kept.iter().enumerate() {
        let mut values = vec![Fr::from(0u64); 32];
        values[row] = Fr::from(1u64);
        let coefficients = domain.ifft(&values);
        let expected = G1Projective::msm(&string.powers[..32], &coefficients).unwrap();
        assert_eq!(*point, expected.into_affine());
    }
    let beside = folder.path("made.srs.lagrange-5");
    let honest = read(&beside);
    let mut point = honest.clone();
    point[12 + 32] ^= 1;
    let mut digest = honest.clone();
    digest[12] ^= 1;
    for damaged in [
        &point[..],
        &digest,
        &honest[..honest.len() - 1],
        b"",
        b"assay-lag/9\0",
    ] {
        std::fs::write(&beside, damaged).unwrap();
        assert_eq!(string.lagrange(5).unwrap(), kept);
        assert_eq!(read(&beside), honest);
    }
}

#[test]
fn a_place_that_cannot_be_written_leaves_nothing() {
    let folder = Folder::new();
    let error = generate(&folder.path("absent/made.srs"), DEGREE).unwrap_err();
    assert_eq!(error.code(), "io");
    assert!(folder.names().is_empty());
}

/// The file as release 1 wrote it: no squares, and not their number.
fn version_1(bytes: &[u8]) -> Vec<u8> {
    let mut old = bytes.to_vec();
    old.drain(HEAD..HEADER);
    old[10] = b'1';
    old
}

#[test]
fn strings_of_version_1_are_read() {
    let (folder, path, info) = made();
    let bytes = read(&path);
    let path = folder.write("old.srs", &version_1(&bytes));
    let old = assay_srs::verify_string(&path).unwrap();
    assert_eq!(
        (old.digest, old.tau, old.degree),
        (info.digest, info.tau, DEGREE)
    );
    assert!(old.squares.is_empty());
    assert_eq!(
        Srs::load(&path, DEGREE).unwrap().powers,
        Srs::load(&folder.path("made.srs"), DEGREE).unwrap().powers
    );
}

#[test]
fn squares_are_those_of_the_secret() {
    let (_folder, path, info) = made();
    assert_eq!(info.squares.len(), SQUARES);
    let read = assay_srs::verify_string(&path).unwrap();
    assert_eq!(read.squares, info.squares);
}

/// With the digests of what it holds now: whoever changes a file can compute them.
fn with_its_digest(mut bytes: Vec<u8>) -> Vec<u8> {
    let (head, body) = bytes.split_at(HEADER);
    let digest = assay_algebra::keccak256(&[&head[12..13], body, &head[HEAD - 128..HEAD]]);
    let squares = assay_algebra::keccak256(&[&digest, &head[HEAD + 33..]]);
    bytes[17..49].copy_from_slice(&digest);
    bytes[HEAD + 1..HEAD + 33].copy_from_slice(&squares);
    bytes
}

#[test]
fn points_with_the_right_digest_are_compared_by_pairing() {
    let (folder, path, _) = made();
    let (_other, path2, _) = made();
    let (honest, other) = (read(&path), read(&path2));
    assert_eq!(with_its_digest(honest.clone()), honest);
    // A square, the secret in G2, and a power of another string.
    for (from, size) in [
        (HEAD + 33, 128),
        (HEAD + 33 + 128 * 3, 128),
        (HEAD - 128, 128),
        (HEADER + 64 * 7, 64),
    ] {
        let mut wrong = honest.clone();
        wrong[from..from + size].copy_from_slice(&other[from..from + size]);
        let path = folder.write("wrong.srs", &with_its_digest(wrong));
        assert!(verify_file(&path).is_ok());
        assert!(matches!(
            assay_srs::verify_string(&path),
            Err(Error::Invalid(_))
        ));
    }
}
