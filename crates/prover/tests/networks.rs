//! Networks: the cases of the Python reference are proven, alone and in batches, with public and private inputs.
#![allow(missing_docs)]

mod common;

use assay_circuit::Word;
use assay_prover::{check_key, check_published, published, setup, Error, Inputs, Prover};
use assay_verifier::{verify, Container};
use common::networks::{case, integers, words};
use common::{inputs, make, make_in_parts, srs};
use serde_json::json;

const CASES: [&str; 3] = ["dense", "pooled", "recurrent"];

fn output_words(proof: &[u8]) -> Vec<i64> {
    let container = Container::from_bytes(proof).unwrap();
    let count = (container.rows * container.outputs) as usize;
    let outputs = &container.words[container.words.len() - 1 - count..container.words.len() - 1];
    let low = |word: &[u8; 32]| i64::from_be_bytes(word[24..].try_into().unwrap());
    outputs.iter().map(low).collect()
}

#[test]
fn cases_are_proven_alone_and_in_batches() {
    for name in CASES {
        for private in [false, true] {
            let mut case = case(name);
            if private {
                case["circuit"]["inputs"] = json!("private");
            }
            // Sixteen blocks are too long for packs.
            let made = make(&case["circuit"].to_string(), 16);
            let (all, expected) = (integers(&case["inputs"]), integers(&case["outputs"]));
            for count in [1, 2, 3, 4, 9] {
                let request = inputs(all[..count].iter().map(|row| words(row)).collect());
                let proof = made.prover.prove(&request).unwrap();
                verify(&made.key.verifying, &proof).unwrap();
                assert_eq!(
                    output_words(&proof),
                    expected[..count].concat(),
                    "{name} {count}"
                );
            }
        }
    }
}

#[test]
fn a_matrix_in_parts_proves_the_same() {
    let case = case("recurrent");
    let text = case["circuit"].to_string();
    let (all, expected) = (integers(&case["inputs"]), integers(&case["outputs"]));
    let of = |count: usize| inputs(all[..count].iter().map(|row| words(row)).collect());
    let parts = [1, 2, 4];
    let made = parts.map(|parts| make_in_parts(&text, 2, Some(parts)));
    for one in &made {
        for count in [1, 2] {
            let proof = one.prover.prove(&of(count)).unwrap();
            verify(&one.key.verifying, &proof).unwrap();
            assert_eq!(output_words(&proof), expected[..count].concat());
        }
        check_key(&one.key.verifying, &srs(), Some(&text)).unwrap();
        let (circuit, blinds) = published(&one.key).unwrap();
        check_published(&one.key.verifying, &srs(), circuit, blinds).unwrap();
    }
    // A proof is of its key alone, and every part is bound.
    let proof = made[2].prover.prove(&of(1)).unwrap();
    let mut container = Container::from_bytes(&proof).unwrap();
    for part in 0..4 {
        let mut other = made[2].key.verifying.clone();
        let at = other.table.len() - 4 + part;
        other.table[at] = other.table[(part + 1) % 4];
        container.digest = other.digest();
        assert!(verify(&other, &container.to_bytes()).is_err());
        let mut forged = made[2].key.clone();
        forged.verifying = other;
        let (circuit, blinds) = published(&forged).unwrap();
        assert!(check_published(&forged.verifying, &srs(), circuit, blinds).is_err());
    }
    container.digest = made[1].key.verifying.digest();
    assert!(verify(&made[1].key.verifying, &container.to_bytes()).is_err());
    let wrong = assay_prover::setup_in_parts(&text, &srs(), 2, Some(3));
    assert_eq!(wrong.unwrap_err().code(), "circuit/invalid");
}

#[test]
fn limbs_of_a_large_batch_are_committed_by_their_values() {
    let path = std::env::temp_dir().join(format!("assay-large-{}.srs", std::process::id()));
    assay_srs::generate(&path, (1 << 14) + 256).unwrap();
    for name in ["dense", "recurrent"] {
        let case = case(name);
        let key = setup(&case["circuit"].to_string(), &path, 512).unwrap();
        let prover = Prover::new(&key, &path).unwrap();
        let (all, expected) = (integers(&case["inputs"]), integers(&case["outputs"]));
        let rows = all.iter().cycle().take(512);
        let proof = prover.prove(&inputs(rows.map(|row| words(row)).collect()));
        let proof = proof.unwrap();
        verify(&key.verifying, &proof).unwrap();
        let outputs: Vec<i64> = expected
            .iter()
            .cycle()
            .take(512)
            .flatten()
            .copied()
            .collect();
        assert_eq!(output_words(&proof), outputs, "{name}");
    }
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn another_statement_is_refused() {
    let case = case("recurrent");
    let made = make(&case["circuit"].to_string(), 2);
    let all = integers(&case["inputs"]);
    let request = inputs(all[..2].iter().map(|row| words(row)).collect());
    let proof = made.prover.prove(&request).unwrap();
    let container = Container::from_bytes(&proof).unwrap();
    for word in 0..container.words.len() {
        let mut other = container.clone();
        other.words[word][31] ^= 1;
        assert!(
            verify(&made.key.verifying, &other.to_bytes()).is_err(),
            "word {word}"
        );
    }
    let mut swapped = container.clone();
    swapped.words.swap(0, 1);
    assert!(verify(&made.key.verifying, &swapped.to_bytes()).is_err());
}

#[test]
fn rows_out_of_range_are_refused_by_name() {
    let made = make(&case("dense")["circuit"].to_string(), 2);
    let refused = |rows: Vec<Vec<Word>>| made.prover.prove(&inputs(rows)).unwrap_err();
    let row = |last| vec![Some(1), Some(2), last];
    let problem = refused(vec![row(Some(3)), row(Some(64))]);
    assert_eq!(problem.code(), "rows/out-of-range");
    assert!(
        problem.to_string().contains("row 1: feature x2 is 4.375"),
        "{problem}"
    );
    assert_eq!(refused(vec![row(None)]).code(), "rows/out-of-range");
    assert_eq!(refused(vec![row(Some(0)); 3]).code(), "rows/count");
    assert_eq!(refused(Vec::new()).code(), "rows/count");
    let opening = Inputs {
        opening: Some([7; 32]),
        ..inputs(vec![row(Some(0))])
    };
    assert!(matches!(made.prover.prove(&opening), Err(Error::Opening)));
}
