//! Import of .ptau files: small ones made here, and every way to make one wrong that we could think of.
#![allow(missing_docs)]

mod common;

use ark_bn254::Fr;
use ark_ff::Zero;
use assay_srs::{import, Error, Srs};
use assay_verifier::Srs as Kind;
use common::{
    bytes1, bytes2, g1, g2, imported, montgomery, outside_the_subgroup, plus_modulus, powers_of,
    Folder, Ptau, TAU,
};

const POWER: u32 = 3;
const POINT: usize = 64;

fn tau() -> Fr {
    Fr::from(TAU)
}

fn honest() -> Ptau {
    Ptau::new(POWER, tau())
}

/// The refusal of an honest file after a change.
fn refusal(change: impl FnOnce(&mut Ptau)) -> String {
    let mut file = honest();
    change(&mut file);
    let error = imported(&file.bytes()).expect_err("a wrong file was accepted");
    assert!(error.code().starts_with("srs/"), "{error}");
    error.to_string()
}

#[test]
fn an_honest_file_becomes_a_ceremonys_string_of_the_same_powers() {
    for power in 1..=POWER {
        let folder = Folder::new();
        let source = folder.write("source", &Ptau::new(power, tau()).bytes());
        let path = folder.path("string.srs");
        let info = import(&source, &path).unwrap();
        assert_eq!(info.kind, Kind::Ceremony);
        assert_eq!(info.degree, (2 << power) - 2);
        assert_eq!(info.tau, g2(tau()));
        let string = Srs::load(&path, info.degree).unwrap();
        assert_eq!(string.info.digest, info.digest);
        let expected: Vec<_> = powers_of(tau(), info.degree + 1)
            .into_iter()
            .map(g1)
            .collect();
        assert_eq!(string.powers, expected);
    }
}

#[test]
fn sections_that_do_not_matter_and_their_order_do_not_matter() {
    let digest = imported(&honest().bytes()).unwrap().digest;
    let mut file = honest();
    file.sections.reverse();
    file.section(4).fill(0xff);
    assert_eq!(imported(&file.bytes()).unwrap().digest, digest);
}

#[test]
fn another_field_version_or_size() {
    assert!(refusal(|file| file.version = 2).contains("version"));
    assert!(refusal(|file| file.section(1)[0] = 48).contains("field size"));
    for byte in [4, 20, 35] {
        assert!(refusal(|file| file.section(1)[byte] ^= 1).contains("not on BN254"));
    }
    for power in [0u32, 2, 4, 28, 29, u32::MAX] {
        let said = refusal(|file| file.section(1)[36..40].copy_from_slice(&power.to_le_bytes()));
        assert!(said.contains("power"), "{power}: {said}");
    }
}

#[test]
fn sections_that_are_absent_short_long_or_there_twice() {
    for id in [1, 2, 3] {
        refusal(|file| file.sections.retain(|section| section.0 != id));
        refusal(|file| {
            let cut = file.section(id).len() / 2;
            file.section(id).truncate(if id == 3 { 255 } else { cut });
        });
        assert!(refusal(|file| {
            let copy = file.section(id).clone();
            file.sections.push((id, copy));
        })
        .contains("twice"));
    }
    refusal(|file| file.section(2).extend([0; POINT]));
    refusal(|file| file.section(2).truncate(POINT));
    // Two strings in one file, each right: another reader could take the other.
    let second = Ptau::new(POWER, tau() + tau());
    assert!(refusal(|file| file.sections.extend(second.sections)).contains("twice"));
}

#[test]
fn sizes_and_counts_that_are_not_the_files() {
    let bytes = honest().bytes();
    for size in [0, 1, 1 << 20, 1 << 40, u64::MAX - 11, u64::MAX] {
        let mut wrong = bytes.clone();
        // The size of the first section stands behind magic, version, count and its number.
        wrong[16..24].copy_from_slice(&u64::to_le_bytes(size));
        assert!(imported(&wrong).is_err(), "{size}");
    }
    for count in [0u32, 1, 2, 6, u32::MAX] {
        let mut wrong = bytes.clone();
        wrong[8..12].copy_from_slice(&count.to_le_bytes());
        assert!(imported(&wrong).is_err(), "{count}");
    }
    for length in 0..bytes.len() {
        assert!(imported(&bytes[..length]).is_err(), "{length}");
    }
    assert!(imported(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn coordinates_that_are_not_reduced() {
    for coordinate in 0..4 {
        let said = refusal(|file| plus_modulus(&mut file.section(2)[32 * coordinate..][..32]));
        assert!(said.contains("modulus"), "{said}");
    }
    for coordinate in 0..8 {
        let said = refusal(|file| plus_modulus(&mut file.section(3)[32 * coordinate..][..32]));
        assert!(said.contains("modulus"), "{said}");
    }
    assert!(refusal(|file| file.section(2)[64..96].fill(0xff)).contains("modulus"));
}

#[test]
fn points_that_are_none() {
    for at in 1..(2 << POWER) - 1 {
        assert!(refusal(|file| file.section(2)[POINT * at] ^= 1).contains("not a point of G1"));
        // Infinity has no coordinates; zeros are what some programs write for it.
        assert!(
            refusal(|file| file.section(2)[POINT * at..][..POINT].fill(0))
                .contains("not a point of G1")
        );
    }
    assert!(refusal(|file| file.section(3)[128] ^= 1).contains("subgroup"));
    assert!(refusal(|file| file.section(3)[128..256].fill(0)).contains("subgroup"));
}

#[test]
fn first_points_that_are_not_the_generators() {
    let two = Fr::from(2u64);
    let other = bytes1(&g1(two), montgomery);
    assert!(
        refusal(|file| file.section(2)[..POINT].copy_from_slice(&other))
            .contains("generator of G1")
    );
    let other = bytes2(&g2(two), montgomery);
    assert!(
        refusal(|file| file.section(3)[..128].copy_from_slice(&other))
            .contains("the first point of G2")
    );
    // A string of multiples of another generator is a string of powers all the same, in both groups.
    let scaled: Vec<u8> = powers_of(tau(), (2 << POWER) - 1)
        .iter()
        .flat_map(|power| bytes1(&g1(*power * two), montgomery))
        .collect();
    assert!(refusal(|file| *file.section(2) = scaled).contains("generator of G1"));
}

#[test]
fn a_secret_in_g2_outside_the_subgroup() {
    let stray = outside_the_subgroup();
    let shifted = (stray + g2(tau())).into();
    for point in [stray, shifted] {
        let bytes = bytes2(&point, montgomery);
        let said = refusal(|file| file.section(3)[128..256].copy_from_slice(&bytes));
        assert!(said.contains("subgroup"), "{said}");
    }
}

#[test]
fn powers_that_are_not_of_one_secret() {
    let other = bytes2(&g2(tau() + tau()), montgomery);
    assert!(
        refusal(|file| file.section(3)[128..256].copy_from_slice(&other)).contains("powers of one")
    );
    let last = (2 << POWER) - 2;
    for at in 1..=last {
        let wrong = bytes1(&g1(powers_of(tau(), at + 1)[at] + tau()), montgomery);
        let said = refusal(|file| file.section(2)[POINT * at..][..POINT].copy_from_slice(&wrong));
        assert!(said.contains("powers of one"), "{at}: {said}");
    }
    // Two exchanged, one negated, all shifted by one.
    refusal(|file| {
        let (left, right) = file.section(2).split_at_mut(POINT * 3);
        left[POINT * 2..].swap_with_slice(&mut right[..POINT]);
    });
    let negated = bytes1(&g1(-tau()), montgomery);
    refusal(|file| file.section(2)[POINT..2 * POINT].copy_from_slice(&negated));
    refusal(|file| file.section(2)[POINT..].rotate_left(POINT));
}

#[test]
fn a_secret_of_zero_or_one() {
    // Zero: all powers but the first are infinity, which has no coordinates.
    let mut file = Ptau::new(POWER, Fr::from(1u64));
    // One is a string of powers, of a secret that everybody knows: it is a root of unity like -1.
    assert!(matches!(imported(&file.bytes()), Err(Error::Invalid(_))));
    file.section(2)[POINT..].fill(0);
    file.section(3)[128..].fill(0);
    assert!(matches!(imported(&file.bytes()), Err(Error::Invalid(_))));
    assert!(!tau().is_zero());
}
