//! What whoever pins a key should check once: that its public parts are those of its shape.

use crate::registry::Entry;
use crate::{public, Error};
use assay_circuit::CircuitFile;
use assay_srs::Srs;
use assay_verifier::{check_itself, Shape, VerifyingKey};
use std::path::Path;

/// Recomputes the public commitments and `[τ]_2` from the shape and the reference string, and checks the key's proof
/// of itself, which says the same to whoever has only `[τ]_2` ([`check_itself`]).
///
/// With them as they should be, a key fixes one function whatever else it commits to (docs/spec/security.md, 3).
/// Where a key does not hold what it commits to, `circuit` does: its `circuit.json`, of which the hidden weights may
/// be left out.
pub fn check_key(key: &VerifyingKey, srs_path: &Path, circuit: Option<&str>) -> Result<(), Error> {
    let shape = &key.shape;
    let srs = Srs::load(srs_path, shape.string_degree(shape.max_log_blocks()))?;
    if srs.info.tau != key.tau || srs.info.kind != shape.srs {
        return Err(Error::Forged("its reference string is not this one"));
    }
    if shape.kind.relation().needs_circuit() {
        let circuit = circuit.ok_or(assay_verifier::Error::NeedsCircuit)?;
        return of_circuit(key, &CircuitFile::parse(circuit)?, &srs);
    }
    public::check(key, &srs.powers)?;
    Ok(check_itself(key)?)
}

/// Compares a key with the public part of a circuit.
fn of_circuit(key: &VerifyingKey, file: &CircuitFile, srs: &Srs) -> Result<(), Error> {
    let entry = Entry::of_circuit(file)?;
    let rows = 1 << key.shape.log_max_rows;
    let shape = Shape {
        srs: key.shape.srs,
        ..(entry.shape)(file, rows)?
    };
    if shape != key.shape {
        return Err(Error::Forged("its shape is not that of the circuit"));
    }
    let (once, fixed) = (entry.public)(file, rows, &srs.powers)?;
    if !key.table.starts_with(&once) || key.fixed != fixed {
        return Err(Error::Forged(
            "a public polynomial is not that of the circuit",
        ));
    }
    Ok(())
}
