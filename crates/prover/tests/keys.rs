//! Keys that a hostile maker changed are refused by whoever checks them.
#![allow(missing_docs)]

mod common;

use assay_prover::{check_key, Error, ProvingKey};
use assay_verifier::{Srs, VerifyingKey};
use common::{circuit, linear_circuit, make, srs, Spec, BASE};

#[test]
fn honest_keys_pass() {
    for private in [false, true] {
        let spec = Spec {
            private,
            outputs: 5,
            ..BASE
        };
        check_key(&make(&circuit(&spec), 4).key.verifying, &srs()).unwrap();
    }
    let linear = make(&linear_circuit(false, 4, 1, 1), 4).key;
    check_key(&linear.verifying, &srs()).unwrap();
}

#[test]
fn changed_public_parts_are_refused() {
    let key = make(
        &circuit(&Spec {
            private: true,
            ..BASE
        }),
        2,
    )
    .key
    .verifying;
    let refused = |key: &VerifyingKey| matches!(check_key(key, &srs()), Err(Error::Forged(_)));
    let mut forged = key.clone();
    forged.table[0] = forged.table[1];
    assert!(refused(&forged));
    for log in 0..key.fixed.len() {
        for index in 0..key.fixed[log].len() {
            let mut forged = key.clone();
            forged.fixed[log][index] = forged.table[1];
            assert!(refused(&forged), "{log} {index}");
        }
    }
    let mut forged = key.clone();
    forged.shape.srs = Srs::Ceremony;
    assert!(refused(&forged));
}

#[test]
fn proving_keys_read_back_or_are_refused() {
    let key = make(&circuit(&BASE), 1).key;
    let bytes = key.to_bytes();
    assert_eq!(ProvingKey::from_bytes(&bytes).unwrap().to_bytes(), bytes);
    for length in (0..bytes.len()).step_by(37) {
        assert!(ProvingKey::from_bytes(&bytes[..length]).is_err());
    }
    let mut other = bytes.clone();
    other[9] = b'1';
    assert!(matches!(
        ProvingKey::from_bytes(&other),
        Err(Error::Key(assay_verifier::Error::Version(_)))
    ));
}

#[test]
fn a_proof_that_is_not_valid_does_not_leave() {
    let folder = std::env::temp_dir().join(format!("assay-unsound-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("string.srs");
    assay_srs::generate(&path, (1 << 14) + 64).unwrap();
    let key = assay_prover::setup(&common::circuit(&common::BASE), &path, 1).unwrap();
    // The bases beside the string are kept without a digest of their content: two points change places.
    for entry in std::fs::read_dir(&folder).unwrap() {
        let file = entry.unwrap().path();
        if file.to_string_lossy().contains(".lagrange-") {
            let mut bytes = std::fs::read(&file).unwrap();
            let (left, right) = bytes.split_at_mut(44 + 64);
            left[44..].swap_with_slice(&mut right[..64]);
            std::fs::write(&file, bytes).unwrap();
        }
    }
    let prover = assay_prover::Prover::new(&key, &path).unwrap();
    let error = prover
        .prove(&common::inputs(common::rows(&common::BASE, 1)))
        .unwrap_err();
    assert_eq!(error.code(), "prove/unsound");
    // A string whose content changed is not even taken.
    let mut bytes = std::fs::read(&path).unwrap();
    let end = bytes.len();
    bytes.copy_within(end - 128..end - 64, end - 64);
    std::fs::write(&path, bytes).unwrap();
    assert!(assay_prover::Prover::new(&key, &path).is_err());
    assert!(assay_prover::setup(&common::circuit(&common::BASE), &path, 1).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}
