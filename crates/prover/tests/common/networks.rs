//! The cases of the Python reference.

use assay_circuit::Word;
use serde_json::Value;
use std::path::Path;

pub fn case(name: &str) -> Value {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/unit/transpile/networks/cases");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

pub fn integers(value: &Value) -> Vec<Vec<i64>> {
    serde_json::from_value(value.clone()).unwrap()
}

/// The words of inputs `u`: a word is `u - min + centre`, with the cases' min of -29 and centre of 3.
pub fn words(inputs: &[i64]) -> Vec<Word> {
    let word = |u: &i64| u64::try_from(u + 32).unwrap();
    inputs.iter().map(|u| Some(word(u))).collect()
}
