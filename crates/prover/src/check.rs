//! What whoever pins a key should check once: that its public parts are those of its shape.

use crate::{public, Error};
use assay_srs::Srs;
use assay_verifier::{check_itself, VerifyingKey};
use std::path::Path;

/// Recomputes the public commitments and `[τ]_2` from the shape and the reference string, and checks the key's proof
/// of itself, which says the same to whoever has only `[τ]_2` ([`check_itself`]).
///
/// With them as they should be, a key fixes one function whatever else it commits to (docs/spec/security.md, 3).
pub fn check_key(key: &VerifyingKey, srs_path: &Path) -> Result<(), Error> {
    let shape = &key.shape;
    let srs = Srs::load(srs_path, shape.string_degree(shape.max_log_blocks()))?;
    if srs.info.tau != key.tau || srs.info.kind != shape.srs {
        return Err(Error::Forged("its reference string is not this one"));
    }
    public::check(key, &srs.powers)?;
    Ok(check_itself(key)?)
}
