//! `circuit.json`, schema `assay-circuit/1`.

use crate::{Error, NetworkFile};
use serde::{Deserialize, Deserializer};

/// An integer written as a decimal string or a JSON number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Int(pub i128);

impl<'de> Deserialize<'de> for Int {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Raw {
            Number(i64),
            Text(String),
        }
        match Raw::deserialize(deserializer)? {
            Raw::Number(value) => Ok(Self(i128::from(value))),
            Raw::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct CircuitFile {
    pub schema: String,
    pub kind: String,
    pub inputs: String,
    pub features: Vec<Feature>,
    #[serde(default)]
    pub views: Vec<ViewEntry>,
    pub outputs: Vec<String>,
    pub scale_bits: u32,
    #[serde(default)]
    pub trees: Vec<Tree>,
    #[serde(default)]
    pub weights: Vec<Vec<Int>>,
    pub base: Vec<Int>,
    #[serde(default)]
    pub network: Option<NetworkFile>,
}

/// A feature's type.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Feature {
    Float32,
    Float64,
    Integer {
        min: Int,
        max: Int,
    },
    Fixed {
        min: Int,
        max: Int,
        #[serde(default)]
        name: String,
        #[serde(default)]
        bits: i32,
    },
}

/// A view of a feature.
#[derive(Clone, Debug, Deserialize)]
#[allow(missing_docs)]
pub struct ViewEntry {
    pub feature: u32,
    pub missing: String,
    #[serde(default)]
    pub zero_missing: bool,
}

/// A tree: children come after their parents, node 0 is the root.
#[derive(Clone, Debug, Deserialize)]
pub struct Tree {
    /// Its nodes.
    pub nodes: Vec<TreeNode>,
}

/// An inner node or a leaf.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum TreeNode {
    Inner {
        view: usize,
        key: Int,
        left: usize,
        right: usize,
    },
    Leaf {
        leaf: Vec<Int>,
    },
}

impl CircuitFile {
    /// Parses and checks what holds for every kind.
    pub fn parse(json: &str) -> Result<Self, Error> {
        let file: Self = serde_json::from_str(json).map_err(|e| Error::Json(e.to_string()))?;
        if file.schema != "assay-circuit/1" {
            return Err(Error::Schema(file.schema));
        }
        if file.features.is_empty() || file.outputs.is_empty() {
            return Err(Error::Inconsistent(
                "it has no features or no outputs".into(),
            ));
        }
        if file.base.len() != file.outputs.len() {
            return Err(Error::Inconsistent(
                "base and outputs differ in length".into(),
            ));
        }
        Ok(file)
    }

    /// Whether inputs are private.
    pub fn private(&self) -> Result<bool, Error> {
        match self.inputs.as_str() {
            "public" => Ok(false),
            "private" => Ok(true),
            other => Err(Error::Inconsistent(format!(
                "inputs is {other:?}, not public or private"
            ))),
        }
    }
}
