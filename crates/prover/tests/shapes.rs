//! Shapes that would leave a choice to the prover are refused when the key is read.
#![allow(missing_docs)]

mod common;

use assay_verifier::{Error, Missing, Shape, VerifyingKey};
use common::{circuit, linear_circuit, make, Spec, BASE};

fn refused(key: &VerifyingKey, change: impl Fn(&mut Shape)) {
    let mut other = key.clone();
    change(&mut other.shape);
    assert!(
        matches!(
            VerifyingKey::from_bytes(&other.to_bytes()),
            Err(Error::Shape(_))
        ),
        "{:?}",
        other.shape
    );
}

#[test]
fn trees() {
    let key = make(&circuit(&Spec { outputs: 5, ..BASE }), 1)
        .key
        .verifying;
    assert!(VerifyingKey::from_bytes(&key.to_bytes()).is_ok());
    refused(&key, |shape| shape.lane = 128);
    refused(&key, |shape| shape.limbs = 1);
    refused(&key, |shape| shape.ratio = 16);
    refused(&key, |shape| shape.trees += 1);
    refused(&key, |shape| shape.groups = 1);
    refused(&key, |shape| shape.depth = shape.stride);
    refused(&key, |shape| shape.log_max_rows = 40);
    refused(&key, |shape| shape.views.swap(0, 3));
    refused(&key, |shape| shape.views[1] = shape.views[0]);
    refused(&key, |shape| shape.views[0].feature = 99);
}

#[test]
fn views_of_a_hidden_value_are_tied() {
    let key = make(
        &circuit(&Spec {
            private: true,
            missing: false,
            ..BASE
        }),
        1,
    )
    .key
    .verifying;
    refused(&key, |shape| {
        let mut second = shape.views[0];
        second.missing = Missing::Zero;
        shape.views.insert(1, second);
    });
    refused(&key, |shape| shape.views[0].zero_missing = true);
}

#[test]
fn many_views_are_answered_quickly() {
    let mut key = make(
        &circuit(&Spec {
            private: true,
            ..BASE
        }),
        1,
    )
    .key
    .verifying;
    let pair = [key.shape.views[0], key.shape.views[1]];
    key.shape.features = 1 << 16;
    key.shape.views = (0..1 << 16)
        .flat_map(|feature| {
            pair.map(|mut view| {
                view.feature = feature;
                view
            })
        })
        .collect();
    assert!(VerifyingKey::from_bytes(&key.to_bytes()).is_err());
}

#[test]
fn linear() {
    let key = make(&linear_circuit(false, 4, 1, 1), 1).key.verifying;
    refused(&key, |shape| shape.groups = 2);
    refused(&key, |shape| shape.lane = 249);
    refused(&key, |shape| shape.features = shape.stride);
}
