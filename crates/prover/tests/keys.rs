//! Keys that a hostile maker changed are refused by whoever checks them.
#![allow(missing_docs)]

mod common;

use ark_ec::AffineRepr;
use assay_prover::{check_key, Error, ProvingKey};
use assay_verifier::{check_itself, verify, Error as Refusal, Srs, VerifyingKey};
use common::{circuit, linear_circuit, make, srs, Spec, BASE};

#[test]
fn honest_keys_pass() {
    for private in [false, true] {
        let spec = Spec {
            private,
            outputs: 5,
            ..BASE
        };
        check_key(&make(&circuit(&spec), 4).key.verifying, &srs(), None).unwrap();
    }
    let linear = make(&linear_circuit(false, 4, 1, 1), 4).key;
    check_key(&linear.verifying, &srs(), None).unwrap();
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
    let refused =
        |key: &VerifyingKey| matches!(check_key(key, &srs(), None), Err(Error::Forged(_)));
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

/// A key of each public polynomial: `Pub`, `ρ`, `Γ`, `E`, `Ψ`.
fn key_of_everything() -> VerifyingKey {
    let spec = Spec {
        private: true,
        outputs: 5,
        ..BASE
    };
    make(&circuit(&spec), 4).key.verifying
}

#[test]
fn a_key_proves_itself_without_a_string() {
    for key in [
        key_of_everything(),
        make(&circuit(&BASE), 8).key.verifying,
        make(&linear_circuit(false, 4, 1, 1), 4).key.verifying,
    ] {
        let read = VerifyingKey::from_bytes(&key.to_bytes()).unwrap();
        assert_eq!(read, key);
        check_itself(&read).unwrap();
    }
}

#[test]
fn no_part_of_a_key_can_be_another_one() {
    let key = key_of_everything();
    let other = make(&circuit(&Spec { seed: 9, ..BASE }), 4).key.verifying;
    let refused = |change: &dyn Fn(&mut VerifyingKey)| {
        let mut forged = key.clone();
        change(&mut forged);
        assert_eq!(check_itself(&forged), Err(Refusal::Itself));
        assert!(check_key(&forged, &srs(), None).is_err());
    };
    for index in 0..key.table.len() {
        // Of the hidden ones, too: the opening is of this key alone.
        refused(&|forged| forged.table[index] = other.table[1]);
    }
    for log in 0..key.fixed.len() {
        for index in 0..key.fixed[log].len() {
            refused(&|forged| forged.fixed[log][index] = other.table[0]);
        }
        refused(&|forged| forged.fixed[log].swap(0, 1));
    }
    refused(&|forged| forged.table.swap(0, 1));
    refused(&|forged| forged.fixed.swap(1, 2));
    refused(&|forged| forged.proof = other.proof);
    refused(&|forged| forged.proof = None);
    refused(&|forged| forged.proof = Some((-forged.proof.unwrap().into_group()).into()));
    refused(&|forged| forged.tau = (forged.tau.into_group() + forged.tau).into());
    refused(&|forged| forged.shape.srs = Srs::Ceremony);
    refused(&|forged| forged.shape.scale_bits += 1);
    // A linear model has no public polynomial, and so no proof.
    let mut linear = make(&linear_circuit(false, 4, 1, 1), 1).key.verifying;
    linear.proof = key.proof;
    assert_eq!(check_itself(&linear), Err(Refusal::Itself));
}

#[test]
fn a_proof_is_bound_to_its_context() {
    let made = make(&circuit(&BASE), 1);
    let mut request = common::inputs(common::rows(&BASE, 1));
    for context in [[0; 32], [0xFF; 32], [7; 32]] {
        request.context = context;
        let proof = made.prover.prove(&request).unwrap();
        let mut container = verify(&made.key.verifying, &proof).unwrap();
        assert_eq!(container.words.last(), Some(&context));
        container.words.last_mut().unwrap()[31] ^= 1;
        let moved = verify(&made.key.verifying, &container.to_bytes());
        assert_eq!(moved.unwrap_err(), Refusal::Pairing);
        container.words.pop();
        let without = verify(&made.key.verifying, &container.to_bytes());
        assert!(matches!(without, Err(Refusal::WordCount { .. })));
    }
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
