//! What whoever pins a key should check once: that its public parts are those of its shape.

use crate::registry::{Entry, Sizes};
use crate::{public, Error, ProvingKey};
use assay_algebra::Fr;
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

/// What a maker publishes who does not hide the model: its circuit and the blinding of its commitments.
pub fn published(key: &ProvingKey) -> Result<(&str, &[Fr]), Error> {
    let shape = &key.verifying.shape;
    if !shape.kind.relation().needs_circuit() {
        return Err(Error::NotPublished(shape.kind.relation().name()));
    }
    Ok((&key.circuit, &key.blinds))
}

/// As [`check_key`], and that the key's hidden commitments are those of this circuit's weights: what a maker shows with
/// [`published`].
pub fn check_published(
    key: &VerifyingKey,
    srs_path: &Path,
    circuit: &str,
    blinds: &[Fr],
) -> Result<(), Error> {
    check_key(key, srs_path, Some(circuit))?;
    let shape = &key.shape;
    let srs = Srs::load(srs_path, shape.string_degree(shape.max_log_blocks()))?;
    let file = CircuitFile::parse(circuit)?;
    let entry = Entry::of_circuit(&file)?;
    let sizes = Sizes::of_key(shape, 1 << shape.log_max_rows);
    let hidden = (entry.hidden)(&file, sizes, &srs.powers, blinds)
        .ok_or(Error::NotPublished(shape.kind.relation().name()))??;
    if !key.table.ends_with(&hidden) {
        return Err(Error::Forged("its weights are not the published ones"));
    }
    Ok(())
}

/// Compares a key with the public part of a circuit.
fn of_circuit(key: &VerifyingKey, file: &CircuitFile, srs: &Srs) -> Result<(), Error> {
    let entry = Entry::of_circuit(file)?;
    let sizes = Sizes::of_key(&key.shape, 1 << key.shape.log_max_rows);
    let shape = Shape {
        srs: key.shape.srs,
        ..(entry.shape)(file, sizes)?
    };
    if shape != key.shape {
        return Err(Error::Forged("its shape is not that of the circuit"));
    }
    let (once, fixed) = (entry.public)(file, sizes, &srs.powers)?;
    if !key.table.starts_with(&once) || key.fixed != fixed {
        return Err(Error::Forged(
            "a public polynomial is not that of the circuit",
        ));
    }
    Ok(())
}
