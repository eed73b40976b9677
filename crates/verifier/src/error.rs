//! Why a proof or key was refused: every malformed shape is its own variant.

use thiserror::Error as ThisError;

/// A refusal, with the code that users see.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[allow(missing_docs)]
pub enum Error {
    #[error("the file is not {0}")]
    Magic(&'static str),
    #[error("the file is {0} of another format version")]
    Version(&'static str),
    #[error("the bytes end early")]
    Truncated,
    #[error("there are bytes after the end")]
    Trailing,
    #[error("the key's shape is impossible: {0}")]
    Shape(&'static str),
    #[error("the proof's header is impossible: {0}")]
    Header(&'static str),
    #[error("the proof has {found} bytes, {expected} are needed")]
    Length { expected: usize, found: usize },
    #[error("a proof covers 1 to {max} rows, not {found}")]
    Rows { max: u32, found: u32 },
    #[error("{found} public words were given, {expected} are needed")]
    WordCount { expected: usize, found: usize },
    #[error("public word {index} is not a value that the model's inputs can have")]
    InputWord { index: usize },
    #[error("public word {index} is not a value that the model's outputs can have")]
    OutputWord { index: usize },
    #[error("scalar {index} of the proof is not below the field's order")]
    Scalar { index: usize },
    #[error("point {index} is not a point of the curve in canonical form")]
    Point { index: usize },
    #[error("[tau]_2 of the key is not a point of its group in canonical form")]
    Tau,
    #[error("the proof is for another model: its key is {found}, this one is {expected}")]
    OtherModel { expected: String, found: String },
    #[error("a challenge hit a point that it must not (chance below 2^-200 for an honest proof)")]
    Denominator,
    #[error("the proof does not show what it claims")]
    Pairing,
    #[error("the key does not prove that its public parts are the protocol's")]
    Itself,
    #[error("the key does not hold its network's wiring: check it with the public circuit")]
    NeedsCircuit,
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Version(_) => "key/version",
            Self::Itself => "key/forged",
            Self::NeedsCircuit => "key/needs-circuit",
            Self::Shape(_) => "key/malformed",
            Self::OtherModel { .. } => "proof/other-model",
            Self::Denominator | Self::Pairing => "proof/invalid",
            _ => "proof/malformed",
        }
    }
}
