//! Completeness: honest proofs of every kind of circuit verify, and their outputs are the model's.
#![allow(missing_docs)]

mod common;

use assay_verifier::{verify, Container, Error, VerifyingKey};
use common::{circuit, inputs, linear_circuit, linear_rows, make, rows, Spec, BASE};

/// The outputs that a plain walk over circuit.json gives.
fn walk(json: &str, row: &[Option<u64>], high: u64) -> Vec<i128> {
    let file: serde_json::Value = serde_json::from_str(json).unwrap();
    let int = |v: &serde_json::Value| v.as_str().unwrap().parse::<i128>().unwrap();
    let mut sums: Vec<i128> = file["base"].as_array().unwrap().iter().map(int).collect();
    for tree in file["trees"].as_array().unwrap() {
        let nodes = tree["nodes"].as_array().unwrap();
        let mut at = 0;
        while nodes[at].get("leaf").is_none() {
            let view = &file["views"][nodes[at]["view"].as_u64().unwrap() as usize];
            let word = row[view["feature"].as_u64().unwrap() as usize];
            let key = word.unwrap_or(if view["missing"] == "low" { 0 } else { high });
            let side = if i128::from(key) < int(&nodes[at]["key"]) {
                "left"
            } else {
                "right"
            };
            at = nodes[at][side].as_u64().unwrap() as usize;
        }
        for (sum, leaf) in sums.iter_mut().zip(nodes[at]["leaf"].as_array().unwrap()) {
            *sum += int(leaf);
        }
    }
    sums
}

fn signed(word: &[u8; 32]) -> i128 {
    i128::from_be_bytes(word[16..].try_into().unwrap())
}

/// The last words before the context.
fn values(container: &Container, count: usize) -> &[[u8; 32]] {
    let end = container.words.len() - 1;
    &container.words[end - count..end]
}

fn check_trees(spec: Spec, count: usize) {
    let json = circuit(&spec);
    let made = make(&json, 4);
    let rows = rows(&spec, count);
    let key = VerifyingKey::from_bytes(&made.key.verifying.to_bytes()).unwrap();
    let proof = made.prover.prove(&inputs(rows.clone())).unwrap();
    let container = verify(&key, &proof).unwrap_or_else(|e| panic!("{spec:?}: {e}"));
    let high = if spec.integers {
        u64::MAX
    } else {
        u64::from(u32::MAX)
    };
    let outputs = values(&container, count * spec.outputs);
    for (row, words) in rows.iter().zip(outputs.chunks(spec.outputs)) {
        assert_eq!(
            words.iter().map(signed).collect::<Vec<_>>(),
            walk(&json, row, high),
            "{spec:?}"
        );
    }
}

#[test]
fn one_row_with_public_inputs() {
    check_trees(BASE, 1);
}

#[test]
fn batches_of_every_size() {
    for count in 1..=4 {
        check_trees(BASE, count);
    }
}

#[test]
fn shapes() {
    for (index, depth) in (1..=7).enumerate() {
        for (trees, outputs) in [(1, 1), (6, 3), (11, 5), (9, 9)] {
            check_trees(
                Spec {
                    depth,
                    trees,
                    outputs,
                    seed: 100 + index as u64,
                    ..BASE
                },
                2,
            );
        }
    }
}

#[test]
fn integers_of_64_bits() {
    check_trees(
        Spec {
            integers: true,
            ..BASE
        },
        3,
    );
}

#[test]
fn many_features_for_few_trees() {
    check_trees(
        Spec {
            features: 90,
            trees: 2,
            ..BASE
        },
        1,
    );
}

#[test]
fn private_inputs() {
    for depth in 1..=6 {
        for missing in [false, true] {
            check_trees(
                Spec {
                    private: true,
                    missing,
                    depth,
                    ..BASE
                },
                1,
            );
            check_trees(
                Spec {
                    private: true,
                    missing,
                    depth,
                    outputs: 6,
                    integers: true,
                    ..BASE
                },
                3,
            );
        }
    }
}

#[test]
fn linear_models() {
    for outputs in [1, 2, 7] {
        let json = linear_circuit(false, 5, outputs, 3);
        let made = make(&json, 4);
        for count in 1..=4 {
            let rows = linear_rows(5, count, count as u64);
            let proof = made.prover.prove(&inputs(rows.clone())).unwrap();
            let container =
                verify(&made.key.verifying, &proof).unwrap_or_else(|e| panic!("{outputs}: {e}"));
            let file: serde_json::Value = serde_json::from_str(&json).unwrap();
            let int = |v: &serde_json::Value| v.as_str().unwrap().parse::<i128>().unwrap();
            let words = values(&container, count * outputs);
            for (row, words) in rows.iter().zip(words.chunks(outputs)) {
                for (k, word) in words.iter().enumerate() {
                    let weights = file["weights"][k].as_array().unwrap();
                    let sum: i128 = weights
                        .iter()
                        .zip(row)
                        .map(|(w, x)| int(w) * (i128::from(x.unwrap()) - 1000))
                        .sum();
                    assert_eq!(signed(word), sum - 77);
                }
            }
        }
    }
}

#[test]
fn private_inputs_of_linear_models_are_refused_by_name() {
    let refusal = assay_prover::setup(&linear_circuit(true, 5, 1, 3), &common::srs(), 1);
    let message = refusal.unwrap_err().to_string();
    assert!(
        message.contains("private inputs of a linear model"),
        "{message}"
    );
}

#[test]
fn one_row_of_a_large_block_of_four_limbs() {
    // One chain of eight steps and 899 stumps: 2^14 rows, and four limbs, which three share a helper.
    let node = |at: usize, left: usize, right: usize| {
        format!(
            r#"{{"view":0,"key":"{}","left":{left},"right":{right}}}"#,
            1000 * at + 7
        )
    };
    let mut chain: Vec<String> = Vec::new();
    for at in 0..8 {
        chain.push(node(at, 2 * at + 1, 2 * at + 2));
        chain.push(r#"{"leaf":["1"]}"#.into());
    }
    chain.push(r#"{"leaf":["2"]}"#.into());
    // A node's children come behind it: the right one is the next of the chain.
    let stump = format!(
        r#"{{"nodes":[{},{{"leaf":["3"]}},{{"leaf":["5"]}}]}}"#,
        node(3, 1, 2)
    );
    let mut trees = vec![format!(r#"{{"nodes":[{}]}}"#, chain.join(","))];
    trees.extend(vec![stump; 899]);
    let json = format!(
        r#"{{"schema":"assay-circuit/1","kind":"trees","inputs":"public","features":[{{"name":"f","kind":"float32"}}],"views":[{{"feature":0,"missing":"refuse"}}],"outputs":["o"],"scale_bits":20,"trees":[{}],"base":["0"]}}"#,
        trees.join(",")
    );
    // Its columns do not share commitments: a pack would have as many coefficients as all of them together.
    let made = make(&json, 1);
    let shape = &made.key.verifying.shape;
    assert_eq!((shape.limbs, shape.rows(0)), (4, 1 << 14));
    assert!(!shape.packs(0));
    assert_eq!(shape.string_degree(0), (1 << 14) + 16);
    let row = vec![Some(4_321)];
    let proof = made.prover.prove(&inputs(vec![row.clone()])).unwrap();
    let container = verify(&made.key.verifying, &proof).unwrap();
    assert_eq!(
        [signed(&container.words[1])].to_vec(),
        walk(&json, &row, u64::from(u32::MAX))
    );
}

#[test]
fn large_batches_commit_by_value() {
    // 2^14 rows of H and more: limbs and helpers go another way (see `GROUPED` in the prover).
    let spec = Spec {
        trees: 64,
        depth: 6,
        ..BASE
    };
    let json = circuit(&spec);
    let made = make(&json, 32);
    let rows = rows(&spec, 29);
    assert!(made.key.verifying.shape.rows(5) >= 1 << 14);
    let container = verify(
        &made.key.verifying,
        &made.prover.prove(&inputs(rows.clone())).unwrap(),
    )
    .unwrap();
    let outputs = values(&container, rows.len());
    for (row, word) in rows.iter().zip(outputs) {
        assert_eq!(
            [signed(word)].to_vec(),
            walk(&json, row, u64::from(u32::MAX))
        );
    }
}

#[test]
fn a_private_input_has_one_commitment_for_one_opening() {
    let spec = Spec {
        private: true,
        ..BASE
    };
    let made = make(&circuit(&spec), 1);
    let mut request = inputs(rows(&spec, 1));
    request.opening = Some([7; 32]);
    let words = |proof: Vec<u8>| verify(&made.key.verifying, &proof).unwrap().words;
    let first = words(made.prover.prove(&request).unwrap());
    assert_eq!(first, words(made.prover.prove(&request).unwrap()));
    request.opening = Some([8; 32]);
    let other = words(made.prover.prove(&request).unwrap());
    assert_ne!(first[..2], other[..2]);
    assert_eq!(first[2..], other[2..]);
}

#[test]
fn another_model_is_refused_by_name() {
    let a = make(&circuit(&BASE), 1);
    let b = make(&circuit(&Spec { seed: 9, ..BASE }), 1);
    let proof = a.prover.prove(&inputs(rows(&BASE, 1))).unwrap();
    assert!(matches!(
        verify(&b.key.verifying, &proof),
        Err(Error::OtherModel { .. })
    ));
}

#[test]
fn private_features_of_one_view_beside_pairs() {
    // Views: a pair, one that refuses, one that sorts high, one that reads zero.
    let views = [
        (0, "low"),
        (0, "high"),
        (1, "refuse"),
        (2, "high"),
        (3, "zero"),
    ];
    let spec = Spec {
        private: true,
        missing: false,
        features: 5,
        ..BASE
    };
    let mut json: serde_json::Value = serde_json::from_str(&circuit(&spec)).unwrap();
    json["features"] = vec![json["features"][0].clone(); 4].into();
    json["views"] = views
        .iter()
        .map(|(f, rule)| serde_json::json!({"feature": f, "missing": rule}))
        .collect();
    let made = make(&json.to_string(), 1);
    for row in [
        [None, Some(9), None, None],
        [Some(7), Some(1 << 30), Some(3), Some(4)],
        [Some(0), Some(0), None, Some(1)],
    ] {
        let proof = made.prover.prove(&inputs(vec![row.to_vec()])).unwrap();
        verify(&made.key.verifying, &proof).unwrap_or_else(|e| panic!("{row:?}: {e}"));
    }
}
