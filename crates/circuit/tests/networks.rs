//! Networks: the cases of the Python reference, what each rule of the wiring refuses, and rows out of range.

use assay_circuit::{Block, CircuitFile, Error, Evaluator};
use serde_json::{json, Value};
use std::path::Path;

const CASES: [&str; 3] = ["dense", "pooled", "recurrent"];

fn case(name: &str) -> Value {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/unit/transpile/networks/cases");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn evaluator(circuit: &Value) -> Result<Evaluator, Error> {
    Evaluator::new(&CircuitFile::parse(&circuit.to_string())?)
}

fn integers(value: &Value) -> Vec<Vec<i64>> {
    serde_json::from_value(value.clone()).unwrap()
}

#[test]
fn outputs_are_the_references() {
    for name in CASES {
        let case = case(name);
        let evaluator = evaluator(&case["circuit"]).unwrap();
        let expected = integers(&case["outputs"]);
        for (inputs, expected) in integers(&case["inputs"]).iter().zip(&expected) {
            let block = evaluator.block(inputs).unwrap();
            assert_eq!(evaluator.outputs(&block), *expected, "{name}");
            is_whole(&evaluator, &block);
        }
    }
}

/// Every row's cells are those of one sum, decoded as the page says.
fn is_whole(evaluator: &Evaluator, block: &Block) {
    let network = evaluator.network();
    let segments: Vec<_> = evaluator.segments().collect();
    for row in 0..network.rows {
        let (id, slope, offset) = segments[block.segment[row] as usize];
        assert_eq!((block.k[row], block.slope[row]), (id, slope));
        let max = network.cells.max.get(row).is_some_and(|max| *max == 1);
        let added = if max { block.b[row] } else { 0 };
        let low = i64::from(block.l[row]);
        assert_eq!(block.y[row], offset + slope * low + added);
        assert!(low < 1 << network.low_bits);
        for limb in &block.r {
            assert!(limb[row] < 1 << network.limb_bits);
        }
        let pair = |row: usize| block.a[row] * block.b[row];
        let is_given = network.input_rows.contains(&row) || row == network.one_row;
        let product = match network.cells.product.get(row) {
            _ if is_given => 1 << network.shift(),
            Some(product) => *product,
            None => 0,
        };
        let has_column = network
            .cells
            .column
            .get(row)
            .is_some_and(|column| *column >= 0);
        if !has_column {
            let argument = (block.k[row] << network.low_bits) + low;
            let limbs = block.r.iter().rev().fold(0, |sum, limb| {
                (sum << network.limb_bits) + i64::from(limb[row])
            });
            let z = (argument << network.shift()) + limbs;
            let next = if product == 0 { 0 } else { pair(row + 1) };
            let maximum = if max {
                (block.a[row] - block.b[row]) << network.shift()
            } else {
                0
            };
            let own = if product == 0 {
                0
            } else {
                product * (pair(row) + next)
            };
            assert_eq!(z, own + maximum, "row {row}");
        }
    }
}

#[test]
fn rows_out_of_range_are_refused_by_name() {
    let circuit = &case("dense")["circuit"];
    let evaluator = evaluator(circuit).unwrap();
    let refused = |words: &[Option<u64>]| evaluator.inputs(4, words).unwrap_err().to_string();
    assert_eq!(
        evaluator.inputs(0, &[Some(0), Some(63), Some(1)]).unwrap(),
        [-32, 31, -31]
    );
    let problem = refused(&[Some(0), Some(64), Some(0)]);
    assert!(
        problem.contains("row 4: feature x1 is 4.375, outside of -3.625 to 4.25"),
        "{problem}"
    );
    assert!(refused(&[None, Some(0), Some(0)]).contains("feature x0 is missing"));
    assert!(evaluator.inputs(0, &[Some(0)]).is_err());
}

#[test]
fn an_input_without_a_proof_is_refused() {
    let evaluator = evaluator(&case("dense")["circuit"]).unwrap();
    let refused = evaluator.block(&[1 << 17, 0, 0]).unwrap_err();
    assert!(
        matches!(refused, Error::NoProof { row: 1, .. }),
        "{refused}"
    );
}

fn network(case: &str, change: impl Fn(&mut Value)) -> String {
    let mut circuit = self::case(case)["circuit"].clone();
    change(&mut circuit["network"]);
    evaluator(&circuit).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn blocks_that_reached_an_end_are_the_references() {
    let case = case("dense");
    let of = |ends: Value| {
        let mut circuit = case["circuit"].clone();
        circuit["network"]["tables"][1]["ends"] = ends;
        evaluator(&circuit)
    };
    let ended = |evaluator: &Evaluator| -> Vec<usize> {
        let inputs = integers(&case["inputs"]);
        let reached = |row: &usize| evaluator.ended(&evaluator.block(&inputs[*row]).unwrap());
        (0..inputs.len()).filter(reached).collect()
    };
    // As `test_machine.py` has it from the formula.
    assert_eq!(ended(&of(json!([[7, 64]])).unwrap()), [2, 4, 5]);
    let runs = json!([[-64, 0], [7, 11], [12, 13]]);
    assert_eq!(ended(&of(runs).unwrap()), [0, 2, 4, 7, 8]);
    assert!(ended(&of(json!([])).unwrap()).is_empty());
    assert!(ended(&evaluator(&case["circuit"]).unwrap()).is_empty());
    for wrong in [
        json!(null),
        json!(7),
        json!([7]),
        json!([[7]]),
        json!([[7, 7]]),
        json!([[9, 7]]),
        json!([[7, 65]]),
        json!([[-65, 7]]),
        json!([[7, 9], [9, 11]]),
        json!([[9, 11], [5, 7]]),
        json!([[7.5, 9]]),
    ] {
        assert!(of(wrong.clone()).is_err(), "{wrong}");
    }
    let identity = network("dense", |n| n["tables"][0]["ends"] = json!([[7, 64]]));
    assert!(identity.contains("rule 2"), "{identity}");
}

/// A change of one cell.
fn cell(case: &str, field: &str, row: usize, value: i64) -> String {
    network(case, |network| network["cells"][field][row] = json!(value))
}

#[test]
fn each_rule_of_the_wiring_refuses() {
    let rule = |number: u32, problem: &str| {
        assert!(
            problem.contains(&format!("rule {number} ")),
            "{number}: {problem}"
        );
    };
    for (field, value) in [
        ("limb_bits", 17),
        ("limbs", 0),
        ("limbs", 5),
        ("low_bits", 13),
        ("output_bits", 61),
        ("q_shift", 64),
        ("rows", 48),
        ("rows", 8),
        ("slots", 4),
        ("columns", 1),
        ("q_table", 9),
    ] {
        rule(
            1,
            &network("dense", |network| network[field] = json!(value)),
        );
    }
    rule(1, &network("dense", |n| n["input_rows"] = json!([1, 3])));
    rule(1, &cell("dense", "slot", 9, 5));
    rule(1, &cell("dense", "slot", 9, 32));
    rule(1, &cell("dense", "column", 9, 8));
    rule(1, &network("dense", |n| n["weights"][0]["slot"] = json!(5)));
    rule(1, &network("dense", |n| n["weights"][1]["slot"] = json!(9)));
    rule(
        2,
        &network("dense", |n| n["tables"][0]["slope"][3] = json!(2)),
    );
    rule(
        2,
        &network("dense", |n| n["tables"][0]["offset"][3] = json!(2)),
    );
    rule(2, &network("dense", |n| n["tables"][1]["base"] = json!(0)));
    rule(
        2,
        &network("dense", |n| n["tables"][1]["base"] = json!(1i64 << 41)),
    );
    rule(
        3,
        &network("dense", |n| {
            // A line along the ids far away.
            let base = 1i64 << 20;
            let low = n["tables"][1]["low"].as_i64().unwrap();
            n["tables"][1]["base"] = json!(base);
            n["tables"][1]["slope"][0] = json!(1);
            n["tables"][1]["offset"][0] = json!((base + low) << 2);
        }),
    );
    rule(4, &cell("dense", "a", 9, 40));
    rule(4, &cell("dense", "a", 9, 16));
    rule(5, &cell("dense", "position", 9, -1));
    rule(5, &cell("dense", "position", 9, 0));
    rule(5, &cell("dense", "slot", 9, 7));
    rule(5, &cell("dense", "column", 9, 1));
    rule(5, &cell("dense", "position", 11, 77));
    rule(6, &cell("dense", "a", 14, 11));
    rule(7, &cell("dense", "max", 9, 2));
    rule(
        7,
        &network("recurrent", |n| n["cells"]["max"][8] = json!(1)),
    );
    rule(8, &network("dense", |n| n["one_row"] = json!(5)));
    rule(8, &network("dense", |n| n["one_row"] = json!(6)));
    rule(8, &cell("dense", "b", 2, 1));
    rule(8, &cell("dense", "slot", 1, 6));
    rule(8, &cell("dense", "a", 0, 1));
    rule(10, &cell("dense", "a", 9, 10));
}

#[test]
fn what_is_no_network_is_refused() {
    for (change, named) in [
        (json!({"limbs": "two"}), "circuit.json cannot be read"),
        (json!({"cells": {}}), "circuit.json cannot be read"),
        (json!({"tables": []}), "rule 1"),
        (
            json!({"weights": [{"slot": 6, "column": 0, "values": ["1 2", "3"]}]}),
            "lines of different lengths",
        ),
        (
            json!({"weights": [{"slot": 6, "column": 0, "values": ["1  2"]}]}),
            "no integer",
        ),
        (
            json!({"weights": [{"slot": 6, "column": 0, "values": ["+1"]}]}),
            "no integer",
        ),
        (
            json!({"weights": [{"slot": 6, "column": 0, "values": []}]}),
            "is empty",
        ),
        (
            json!({"weights": [{"slot": 6, "column": 0, "values": ["4611686018427387904"]}]}),
            "no integer",
        ),
        (
            json!({"input_centres": [4_503_599_627_370_496i64, 0, 0]}),
            "more than 52 bits",
        ),
        (json!({"input_centres": [400_000, 0, 0]}), "19 bits"),
    ] {
        let problem = network("dense", |network| {
            for (field, value) in change.as_object().unwrap() {
                network[field] = value.clone();
            }
        });
        assert!(problem.contains(named), "{change}: {problem}");
    }
    let mut circuit = case("dense")["circuit"].clone();
    circuit["features"][0] = json!({"name": "x", "kind": "float32"});
    assert!(evaluator(&circuit)
        .unwrap_err()
        .to_string()
        .contains("fixed features"));
    circuit["network"] = Value::Null;
    assert!(evaluator(&circuit)
        .unwrap_err()
        .to_string()
        .contains("no network"));
}
