//! From a circuit to its keys.

use crate::registry::{Entry, Sizes};
use crate::{public, Error, ProvingKey};
use assay_circuit::CircuitFile;
use assay_srs::{verify_file, Srs};
use assay_verifier::{Shape, VerifyingKey};
use std::path::Path;

/// The highest power of τ that proofs of at most `rows` rows need.
fn degree_of(shape: &Shape, rows: u32) -> usize {
    shape.string_degree(shape.log_blocks(rows))
}

/// The highest power of τ that a setup of this circuit for `rows` rows needs.
pub fn required_degree(circuit: &str, rows: u32) -> Result<usize, Error> {
    let file = CircuitFile::parse(circuit)?;
    let sizes = Sizes {
        max_rows: rows,
        parts: None,
    };
    let shape = (Entry::of_circuit(&file)?.shape)(&file, sizes)?;
    Ok(degree_of(&shape, rows))
}

/// Commits to the model; the keys work for proofs of at most `max_rows` rows.
pub fn setup(circuit: &str, srs_path: &Path, max_rows: u32) -> Result<ProvingKey, Error> {
    setup_in_parts(circuit, srs_path, max_rows, None)
}

/// As [`setup`], with a network's matrix in so many parts, or as many as the protocol's rule says.
pub fn setup_in_parts(
    circuit: &str,
    srs_path: &Path,
    max_rows: u32,
    parts: Option<u32>,
) -> Result<ProvingKey, Error> {
    let file = CircuitFile::parse(circuit)?;
    let entry = Entry::of_circuit(&file)?;
    let sizes = Sizes { max_rows, parts };
    let shape = (entry.shape)(&file, sizes)?;
    verify_file(srs_path)?;
    let srs = Srs::load(srs_path, degree_of(&shape, max_rows))?;
    let committed = (entry.commit)(&file, sizes, &srs.powers)?;
    let mut verifying = VerifyingKey {
        shape: Shape {
            srs: srs.info.kind,
            ..shape
        },
        table: committed.model,
        fixed: committed.fixed,
        proof: None,
        tau: srs.info.tau,
    };
    verifying.proof = public::prove(&verifying, &srs.powers);
    Ok(ProvingKey {
        verifying,
        max_rows,
        srs: srs.info.digest,
        blinds: committed.blinds,
        circuit: circuit.to_owned(),
    })
}
