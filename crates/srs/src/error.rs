//! Why a reference string was refused.

use thiserror::Error as ThisError;

/// A refusal.
#[derive(Debug, ThisError)]
#[allow(missing_docs)]
pub enum Error {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("the file is not a reference string that can be read (a .ptau file or an arkworks UniversalParams file on BN254)")]
    Format,
    #[error("the reference string is of another format version")]
    Version,
    #[error("the reference string is malformed: {0}")]
    Malformed(&'static str),
    #[error("the reference string is not what it claims: {0}")]
    Invalid(&'static str),
    #[error("the reference string has {found} powers, {needed} are needed")]
    TooSmall { needed: usize, found: usize },
}

impl Error {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io(_) => "io",
            Self::Format | Self::Malformed(_) => "srs/malformed",
            Self::Version => "srs/version",
            Self::Invalid(_) => "srs/invalid",
            Self::TooSmall { .. } => "srs/too-small",
        }
    }
}
