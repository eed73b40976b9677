//! Why a circuit or its inputs were refused.

use thiserror::Error as ThisError;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[allow(missing_docs)]
pub enum Error {
    #[error("circuit.json cannot be read: {0}")]
    Json(String),
    #[error("circuit.json is of schema {0}, this version reads assay-circuit/1")]
    Schema(String),
    #[error("circuit.json has kind {0}, only {1} are supported")]
    Kind(String, String),
    #[error("circuit.json is inconsistent: {0}")]
    Inconsistent(String),
    #[error("the circuit is too large: {0}")]
    TooLarge(&'static str),
    #[error("row {row} has a value for feature {feature} that the circuit does not allow")]
    Input { row: usize, feature: usize },
    #[error("row {row}: feature {feature} is {value}, outside of {range}; the model was not made for it")]
    Range {
        row: usize,
        feature: String,
        value: String,
        range: String,
    },
    #[error("row {row} of the network needs the segment {segment}, which no table has: this input has no proof")]
    NoProof { row: usize, segment: i128 },
    #[error("{0}")]
    Unsupported(&'static str),
    #[error("{found} rows were given, this key proves 1 to {max} at once")]
    Rows { max: u32, found: usize },
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json(_) | Self::Inconsistent(_) => "circuit/invalid",
            Self::Schema(_) => "circuit/version",
            Self::Kind(..) | Self::Unsupported(_) => "circuit/unsupported",
            Self::TooLarge(_) => "circuit/too-large",
            Self::Input { .. } | Self::Range { .. } | Self::NoProof { .. } => "rows/out-of-range",
            Self::Rows { .. } => "rows/count",
        }
    }
}
