//! `CoreError(code, message)`: every Rust error with its stable code.

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::PyErr;

create_exception!(_core, CoreError, PyException);

pub fn core_error(code: &'static str, message: String) -> PyErr {
    CoreError::new_err((code, message))
}

/// Translations of the crates' errors.
pub struct Fail;

impl Fail {
    pub fn from_srs(error: assay_srs::Error) -> PyErr {
        core_error(error.code(), error.to_string())
    }

    pub fn from_prover(error: assay_prover::Error) -> PyErr {
        core_error(error.code(), error.to_string())
    }

    /// What is wrong with a key is not the proof's fault.
    pub fn from_key(error: assay_verifier::Error) -> PyErr {
        let code = if error.code() == "key/version" {
            "key/version"
        } else {
            "key/malformed"
        };
        core_error(code, format!("the verifying key cannot be read: {error}"))
    }

    pub fn from_verifier(error: assay_verifier::Error) -> PyErr {
        core_error(error.code(), error.to_string())
    }
}
