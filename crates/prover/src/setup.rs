//! From a circuit to its keys.

use crate::column::blinds;
use crate::fixed;
use crate::trees::Table;
use crate::{Error, ProvingKey};
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use assay_algebra::Fr;
use assay_circuit::{CircuitFile, LinearModel, Model, TreeModel};
use assay_srs::Srs;
use assay_verifier::{Shape, VerifyingKey};
use std::path::Path;

/// Commits to the model; the keys work for proofs of at most `max_rows` rows.
pub fn setup(circuit: &str, srs_path: &Path, max_rows: u32) -> Result<ProvingKey, Error> {
    let file = CircuitFile::parse(circuit)?;
    let model = Model::new(&file, max_rows)?;
    let srs = Srs::load(srs_path, model.degree(max_rows))?;
    let (table, fixed, blinds) = match &model {
        Model::Trees(model) => trees(model, &srs.powers)?,
        Model::Linear(model) => linear(model, &srs.powers),
    };
    let shape = Shape {
        srs: srs.info.kind,
        ..model.shape().clone()
    };
    let verifying = VerifyingKey {
        shape,
        table,
        fixed,
        tau: srs.info.tau,
    };
    Ok(ProvingKey {
        verifying,
        max_rows,
        srs: srs.info.digest,
        blinds,
        circuit: circuit.to_owned(),
    })
}

type Parts = (Vec<G1Affine>, Vec<Vec<G1Affine>>, Vec<Fr>);

fn trees(model: &TreeModel, powers: &[G1Affine]) -> Result<Parts, Error> {
    let secret = blinds(3);
    let [g, a, c] = secret[..] else {
        return Err(Error::Damaged("blinds"));
    };
    let table = Table::new(model, &[g, a, c])?;
    let commitments: Vec<G1Projective> = table
        .polynomials
        .iter()
        .map(|p| assay_msm::msm(&powers[..p.len()], p))
        .collect();
    Ok((
        G1Projective::normalize_batch(&commitments),
        fixed::commitments(model, powers),
        secret,
    ))
}

fn linear(model: &LinearModel, powers: &[G1Affine]) -> Parts {
    let coefficients = fixed::coefficients(&weight_rows(model));
    let blind = blinds(1);
    let mask = (powers[model.shape.block()] - powers[0]) * blind[0];
    let commitment = fixed::commit(&coefficients, powers, 1) + mask;
    let mut fixed = vec![Vec::new(); model.shape.log_max_rows as usize + 1];
    fixed[0].push(commitment.into_affine());
    (Vec::new(), fixed, blind)
}

/// The packed weights on the rows of a block.
pub(crate) fn weight_rows(model: &LinearModel) -> Vec<Fr> {
    let mut rows = vec![Fr::from(0u64); model.shape.block()];
    for (group, weights) in model.weights.iter().enumerate() {
        let start = group * model.shape.stride as usize;
        rows[start..start + weights.len()].copy_from_slice(weights);
    }
    rows
}
