//! What whoever pins a key should check once: that its public parts are those of its shape.

use crate::fixed::{coefficients, commit, values};
use crate::trees::public_column;
use crate::Error;
use ark_ec::CurveGroup;
use assay_algebra::interpolate;
use assay_srs::Srs;
use assay_verifier::{Kind, VerifyingKey};
use std::path::Path;

/// Recomputes `Pub`, `ρ`, `Γ`, `E`, `Ψ` and `[τ]_2` from the shape and the reference string.
///
/// With them as they should be, a tree model's key fixes one function whatever else it commits to
/// (docs/spec/security.md, 3). A linear model's one commitment is hidden: there is nothing to recompute.
pub fn check_key(key: &VerifyingKey, srs_path: &Path) -> Result<(), Error> {
    let shape = &key.shape;
    let degree = shape.chunk(shape.max_log_blocks());
    let srs = Srs::load(srs_path, degree)?;
    if srs.info.tau != key.tau || srs.info.kind != shape.srs {
        return Err(Error::Forged("its reference string is not this one"));
    }
    if shape.kind == Kind::Linear {
        return Ok(());
    }
    let public = interpolate(&public_column(shape));
    if key.table.first()
        != Some(&assay_msm::msm(&srs.powers[..public.len()], &public).into_affine())
    {
        return Err(Error::Forged(
            "its table's positions are not the protocol's",
        ));
    }
    for (log, points) in (0u32..).zip(&key.fixed) {
        for (name, point) in shape.fixed(log).into_iter().zip(points) {
            let expected = || {
                let block = coefficients(&values(shape, name, log));
                commit(&block, &srs.powers, 1 << log).into_affine()
            };
            if *point != expected() {
                return Err(Error::Forged("a fixed polynomial is not the protocol's"));
            }
        }
    }
    Ok(())
}
