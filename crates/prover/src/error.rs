//! Why a setup or a proof could not be made.

use thiserror::Error as ThisError;

/// A refusal.
#[derive(Debug, ThisError)]
#[allow(missing_docs)]
pub enum Error {
    #[error(transparent)]
    Circuit(#[from] assay_circuit::Error),
    #[error(transparent)]
    Srs(#[from] assay_srs::Error),
    #[error(transparent)]
    Key(#[from] assay_verifier::Error),
    #[error("the proving key was made with another reference string (digest {expected}), this one has digest {found}")]
    OtherSrs { expected: String, found: String },
    #[error("the proving key is damaged: {0}")]
    Damaged(&'static str),
    #[error("the verifying key is not to be trusted: {0}")]
    Forged(&'static str),
    #[error("the proof that was made is not valid, and was not given out: memory or the files that are read are damaged")]
    Unsound,
    #[error("only networks are published with their key, and this is a model of the kind {0}")]
    NotPublished(&'static str),
    #[error("the input opening must have 32 bytes and belongs to a circuit with private inputs")]
    Opening,
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Circuit(error) => error.code(),
            Self::Srs(error) => error.code(),
            Self::Key(error) => error.code(),
            Self::OtherSrs { .. } => "srs/other",
            Self::Damaged(_) => "key/malformed",
            Self::Forged(_) => "key/forged",
            Self::Unsound => "prove/unsound",
            Self::NotPublished(_) => "model/not-published",
            Self::Opening => "proof/opening",
        }
    }
}
