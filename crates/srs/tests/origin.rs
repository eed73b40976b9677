//! Where a string is from, secrets that no string may have, and files that are larger than memory.
#![allow(missing_docs)]

mod common;

use ark_bn254::Fr;
use ark_ff::FftField;
use assay_srs::{ceremony, import, Error, CEREMONIES};
use common::{arkworks, g2, imported, Folder, Ptau, TAU};
use std::path::Path;

#[test]
fn a_secret_of_two_power_order_is_refused() {
    for log in 0..5 {
        let tau = Fr::get_root_of_unity(1 << log).unwrap();
        for file in [Ptau::new(4, tau).bytes(), arkworks(tau, 20)] {
            let Err(Error::Invalid(said)) = imported(&file) else {
                panic!("order 2^{log} was taken");
            };
            assert!(said.contains("root of unity"), "{said}");
        }
    }
    // Another root of unity is as good as any number.
    let third = Fr::from(5u64).pow_of_order_three();
    assert!(imported(&Ptau::new(4, third).bytes()).is_ok());
}

trait OrderThree {
    fn pow_of_order_three(self) -> Self;
}

impl OrderThree for Fr {
    fn pow_of_order_three(self) -> Self {
        use ark_ff::{Field, PrimeField};
        let mut exponent = num_bigint::BigUint::from(Fr::MODULUS);
        exponent -= 1u32;
        exponent /= 3u32;
        self.pow(exponent.to_u64_digits())
    }
}

#[test]
fn the_squares_of_a_ptau_are_kept_and_compared() {
    let tau = Fr::from(TAU);
    let file = Ptau::new(4, tau);
    let info = imported(&file.bytes()).unwrap();
    let expected: Vec<_> = [2u64, 4, 8]
        .into_iter()
        .map(|power| g2(ark_ff::Field::pow(&tau, [power])))
        .collect();
    assert_eq!(info.squares, expected);
    for kept in [2, 4, 8] {
        let mut wrong = Ptau::new(4, tau);
        let point = common::bytes2(&g2(Fr::from(77u64)), common::montgomery);
        wrong.section(3)[128 * kept..128 * (kept + 1)].copy_from_slice(&point);
        let said = imported(&wrong.bytes()).unwrap_err().to_string();
        assert!(said.contains("in G2"), "{said}");
    }
    // Strings without powers in G2 have none.
    assert!(imported(&arkworks(tau, 20)).unwrap().squares.is_empty());
}

#[test]
fn a_file_is_read_in_parts() {
    // A section of 64 TB that nobody needs: no memory and no time goes into it.
    let mut file = Ptau::new(4, Fr::from(TAU));
    let (_, content) = file.sections.iter_mut().find(|s| s.0 == 4).unwrap();
    content.clear();
    let at = file.sections.iter().position(|s| s.0 == 4).unwrap();
    let section = file.sections.remove(at);
    file.sections.push(section);
    let mut bytes = file.bytes();
    let size = 1u64 << 42;
    let end = bytes.len();
    bytes[end - 8..].copy_from_slice(&size.to_le_bytes());
    let folder = Folder::new();
    let source = folder.write("huge.ptau", &bytes);
    let handle = std::fs::OpenOptions::new()
        .write(true)
        .open(&source)
        .unwrap();
    if handle.set_len(end as u64 + size).is_err() {
        eprintln!("SKIPPED: this file system has no files with holes of 4 TB");
        return;
    }
    let info = import(&source, &folder.path("string.srs")).unwrap();
    assert_eq!(info.squares.len(), 3);
}

#[test]
fn nothing_that_a_test_makes_is_a_known_ceremony() {
    assert!(ceremony(&g2(Fr::from(TAU))).is_none());
    for known in CEREMONIES {
        assert_eq!(known.tau.len(), 256);
        assert!(known.also.len() >= 2);
    }
}

/// The real string of the ceremony, if it is at hand: its own powers say that the secret in the code is theirs.
#[test]
fn the_named_ceremony_is_the_one_of_its_file() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/srs/kzg10-bn254-aztec-srs-32768.bin");
    if !file.exists() {
        eprintln!("SKIPPED: {} is not here", file.display());
        return;
    }
    let folder = Folder::new();
    let info = import(&file, &folder.path("string.srs")).unwrap();
    assert_eq!(info.degree, 32_768);
    assert_eq!(ceremony(&info.tau).unwrap().name, "aztec-ignition");
}
