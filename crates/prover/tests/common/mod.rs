//! Small random models and a development reference string shared by the tests.
#![allow(dead_code, missing_docs)]

pub mod networks;

use assay_circuit::Word;
use assay_prover::{setup_in_parts, Inputs, Prover, ProvingKey};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A tiny deterministic generator (splitmix64): tests must repeat.
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }
}

/// What to build.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub private: bool,
    pub missing: bool,
    pub integers: bool,
    pub features: usize,
    pub outputs: usize,
    pub trees: usize,
    pub depth: usize,
    pub seed: u64,
}

pub const BASE: Spec = Spec {
    private: false,
    missing: true,
    integers: false,
    features: 3,
    outputs: 1,
    trees: 5,
    depth: 3,
    seed: 1,
};

pub fn srs() -> PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("assay-test-{}.srs", std::process::id()));
        assay_srs::generate(&path, (1 << 14) + 64).expect("a reference string");
        path
    })
    .clone()
}

fn key_bound(spec: &Spec) -> u64 {
    if spec.integers {
        u64::MAX
    } else {
        u64::from(u32::MAX)
    }
}

pub fn circuit(spec: &Spec) -> String {
    let mut dice = Dice(spec.seed);
    let feature = if spec.integers {
        r#"{"name":"f","kind":"integer","min":"0","max":"18446744073709551615"}"#
    } else {
        r#"{"name":"f","kind":"float32"}"#
    };
    let features = vec![feature; spec.features].join(",");
    let views: Vec<String> = (0..spec.features)
        .flat_map(|f| {
            let rules: &[&str] = if spec.missing {
                &["low", "high"]
            } else {
                &["refuse"]
            };
            rules
                .iter()
                .map(move |rule| format!(r#"{{"feature":{f},"missing":"{rule}"}}"#))
                .collect::<Vec<_>>()
        })
        .collect();
    let trees: Vec<String> = (0..spec.trees)
        .map(|index| tree(spec, views.len(), index, &mut dice))
        .collect();
    let outputs = vec![r#""o""#; spec.outputs].join(",");
    let base: Vec<String> = (0..spec.outputs)
        .map(|k| format!("\"{}\"", 100 - 300 * i128::try_from(k).unwrap_or_default()))
        .collect();
    format!(
        r#"{{"schema":"assay-circuit/1","kind":"trees","inputs":"{}","features":[{features}],"views":[{}],"outputs":[{outputs}],"scale_bits":20,"trees":[{}],"base":[{}]}}"#,
        if spec.private { "private" } else { "public" },
        views.join(","),
        trees.join(","),
        base.join(",")
    )
}

fn tree(spec: &Spec, views: usize, index: usize, dice: &mut Dice) -> String {
    let mut nodes: Vec<String> = vec![String::new()];
    let mut open = vec![(0usize, 0usize)];
    while let Some((at, depth)) = open.pop() {
        // The first tree is complete, others stop early at times; the second is one leaf.
        let stop = depth == spec.depth || index == 1 || (index > 1 && dice.below(4) == 0);
        if stop {
            let leaves: Vec<String> = (0..spec.outputs)
                .map(|k| {
                    let speaks = index.is_multiple_of(3) || k == index % spec.outputs;
                    let value = i128::from(dice.below(2_000_001)) - 1_000_000;
                    format!("\"{}\"", if speaks { value } else { 0 })
                })
                .collect();
            nodes[at] = format!(r#"{{"leaf":[{}]}}"#, leaves.join(","));
            continue;
        }
        let (left, right) = (nodes.len(), nodes.len() + 1);
        let key = match dice.below(8) {
            0 => 0,
            1 => key_bound(spec),
            _ => dice.roll() & key_bound(spec),
        };
        let view = dice.below(views as u64);
        nodes[at] = format!(r#"{{"view":{view},"key":"{key}","left":{left},"right":{right}}}"#);
        nodes.extend([String::new(), String::new()]);
        open.push((left, depth + 1));
        open.push((right, depth + 1));
    }
    format!(r#"{{"nodes":[{}]}}"#, nodes.join(","))
}

pub fn rows(spec: &Spec, count: usize) -> Vec<Vec<Word>> {
    let mut dice = Dice(spec.seed ^ 0xABCD);
    (0..count)
        .map(|_| {
            (0..spec.features)
                .map(|_| match dice.below(6) {
                    0 if spec.missing => None,
                    1 => Some(0),
                    2 => Some(key_bound(spec)),
                    _ => Some(dice.roll() & key_bound(spec)),
                })
                .collect()
        })
        .collect()
}

pub fn linear_circuit(private: bool, features: usize, outputs: usize, seed: u64) -> String {
    let mut dice = Dice(seed);
    let mut weights = String::new();
    for k in 0..outputs {
        let row: Vec<String> = (0..features)
            .map(|_| format!("\"{}\"", i128::from(dice.below(2_000_000)) - 1_000_000))
            .collect();
        let _ = write!(
            weights,
            "{}[{}]",
            if k == 0 { "" } else { "," },
            row.join(",")
        );
    }
    let feature = r#"{"name":"f","kind":"fixed","bits":8,"min":"-1000","max":"1000000"}"#;
    format!(
        r#"{{"schema":"assay-circuit/1","kind":"linear","inputs":"{}","features":[{}],"outputs":[{}],"scale_bits":20,"weights":[{weights}],"base":[{}]}}"#,
        if private { "private" } else { "public" },
        vec![feature; features].join(","),
        vec![r#""o""#; outputs].join(","),
        vec!["\"-77\""; outputs].join(",")
    )
}

pub fn linear_rows(features: usize, count: usize, seed: u64) -> Vec<Vec<Word>> {
    let mut dice = Dice(seed ^ 0x77);
    (0..count)
        .map(|_| (0..features).map(|_| Some(dice.below(1_001_001))).collect())
        .collect()
}

pub struct Made {
    pub key: ProvingKey,
    pub prover: Prover,
}

pub fn make(circuit: &str, max_rows: u32) -> Made {
    make_in_parts(circuit, max_rows, None)
}

/// With a network's matrix in so many parts.
pub fn make_in_parts(circuit: &str, max_rows: u32, parts: Option<u32>) -> Made {
    let key = setup_in_parts(circuit, &srs(), max_rows, parts).expect("setup");
    let key = ProvingKey::from_bytes(&key.to_bytes()).expect("the key reads back");
    let prover = Prover::new(&key, &srs()).expect("prover");
    Made { key, prover }
}

pub fn inputs(rows: Vec<Vec<Word>>) -> Inputs {
    Inputs {
        rows,
        opening: None,
        context: [0; 32],
    }
}
