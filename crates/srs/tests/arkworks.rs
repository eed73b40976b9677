//! Import of arkworks `UniversalParams`: small ones made here, wrong ones, and a real ceremony's where it is at hand.
#![allow(missing_docs)]

mod common;

use ark_bn254::Fr;
use assay_srs::{import, Error, Srs};
use assay_verifier::Srs as Kind;
use common::{
    arkworks, bytes1, bytes2, g1, g2, imported, outside_the_subgroup, plain, plus_modulus,
    powers_of, Folder, Ptau, TAU,
};
use std::io::Write;
use std::path::PathBuf;

const COUNT: usize = 9;
const POINTS: usize = 8;
const SECOND: usize = POINTS + 64 * COUNT + 8;

fn tau() -> Fr {
    Fr::from(TAU)
}

fn refusal(change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut bytes = arkworks(tau(), COUNT);
    change(&mut bytes);
    let error = imported(&bytes).expect_err("a wrong file was accepted");
    assert!(error.code().starts_with("srs/"), "{error}");
    error.to_string()
}

#[test]
fn both_formats_give_the_same_string() {
    let folder = Folder::new();
    let source = folder.write("source", &arkworks(tau(), 15));
    let path = folder.path("string.srs");
    let info = import(&source, &path).unwrap();
    assert_eq!((info.kind, info.degree), (Kind::Ceremony, 14));
    let ptau = imported(&Ptau::new(3, tau()).bytes()).unwrap();
    assert_eq!(info.digest, ptau.digest);
    let powers: Vec<_> = powers_of(tau(), 15).into_iter().map(g1).collect();
    assert_eq!(Srs::load(&path, 14).unwrap().powers, powers);
}

#[test]
fn lengths_that_do_not_fit() {
    let bytes = arkworks(tau(), COUNT);
    for length in (0..bytes.len()).step_by(7) {
        assert!(imported(&bytes[..length]).is_err(), "{length}");
    }
    refusal(|bytes| bytes.push(0));
    for count in [
        0,
        1,
        COUNT as u64 - 1,
        COUNT as u64 + 1,
        u64::MAX / 64,
        u64::MAX,
    ] {
        refusal(|bytes| bytes[..8].copy_from_slice(&count.to_le_bytes()));
    }
    refusal(|bytes| bytes[SECOND - 8] = 1);
    refusal(|bytes| *bytes.last_mut().unwrap() = 1);
    for count in [0, 1] {
        assert!(imported(&arkworks(tau(), count)).is_err());
    }
}

#[test]
fn points_that_are_none() {
    for at in [0, 1, COUNT - 1] {
        let start = POINTS + 64 * at;
        refusal(|bytes| bytes[start] ^= 1);
        // arkworks' flag of infinity.
        assert!(refusal(|bytes| bytes[start + 63] |= 0x40).contains("infinity"));
        assert!(refusal(|bytes| plus_modulus(&mut bytes[start..start + 32])).contains("modulus"));
    }
    assert!(refusal(|bytes| bytes[SECOND + 128] ^= 1).contains("subgroup"));
    assert!(refusal(|bytes| bytes[SECOND + 255] |= 0x40).contains("infinity"));
    let stray = bytes2(&outside_the_subgroup(), plain);
    assert!(
        refusal(|bytes| bytes[SECOND + 128..SECOND + 256].copy_from_slice(&stray))
            .contains("subgroup")
    );
}

#[test]
fn powers_that_are_not_of_one_secret() {
    let wrong = bytes1(&g1(tau() + tau()), plain);
    for at in 1..COUNT {
        let said = refusal(|bytes| bytes[POINTS + 64 * at..][..64].copy_from_slice(&wrong));
        assert!(said.contains("powers of one"), "{said}");
    }
    let other = bytes2(&g2(tau() + tau()), plain);
    assert!(
        refusal(|bytes| bytes[SECOND + 128..SECOND + 256].copy_from_slice(&other))
            .contains("powers of one")
    );
    assert!(
        refusal(|bytes| bytes[SECOND..SECOND + 128].copy_from_slice(&other))
            .contains("first point of G2")
    );
    assert!(
        refusal(|bytes| bytes[POINTS..POINTS + 64].copy_from_slice(&wrong))
            .contains("generator of G1")
    );
}

/// The Aztec Ignition ceremony's first 32,769 powers, in a folder beside the repository; not part of it.
fn ceremony() -> Option<PathBuf> {
    let shared = std::env::var_os("ASSAY_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = shared.join("srs/kzg10-bn254-aztec-srs-32768.bin");
    path.is_file().then_some(path)
}

#[test]
fn a_real_ceremonys_string() {
    let Some(source) = ceremony() else {
        // Past the capture of test output: a skipped test must not look like a passed one.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED a_real_ceremonys_string: ../shared/srs has no ceremony file"
        );
        return;
    };
    let folder = Folder::new();
    let path = folder.path("string.srs");
    let info = import(&source, &path).unwrap();
    assert_eq!((info.kind, info.degree), (Kind::Ceremony, 32_768));
    let string = Srs::load(&path, info.degree).unwrap();
    assert_eq!(string.powers[0], g1(Fr::from(1u64)));
    assert!(matches!(
        Srs::load(&path, info.degree + 1),
        Err(Error::TooSmall {
            needed: 32_770,
            found: 32_769
        })
    ));
    // One bit of one power, and two powers exchanged.
    let bytes = std::fs::read(&source).unwrap();
    let mut wrong = bytes.clone();
    wrong[POINTS + 64 * 20_000] ^= 1;
    assert!(imported(&wrong).is_err());
    let mut wrong = bytes;
    let (left, right) = wrong.split_at_mut(POINTS + 64 * 30_000);
    left[POINTS + 64 * 10_000..][..64].swap_with_slice(&mut right[..64]);
    assert!(matches!(imported(&wrong), Err(Error::Invalid(_))));
}
