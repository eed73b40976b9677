//! A development reference string: τ is drawn, used and forgotten on this machine.

use crate::file::{write, write_lagrange_of};
use crate::{random_scalar, Error, Info};
use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup, ScalarMul};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use assay_verifier::Srs as Kind;
use std::path::Path;

/// Makes `degree + 1` powers and all Lagrange bases that fit, and writes them at `path` and beside.
pub fn generate(path: &Path, degree: usize) -> Result<Info, Error> {
    let tau = random_scalar();
    let mut power = Fr::from(1u64);
    let powers: Vec<Fr> = (0..=degree)
        .map(|_| {
            let now = power;
            power *= tau;
            now
        })
        .collect();
    let generator = G1Projective::generator();
    let tau_g2 = (G2Projective::generator() * tau).into_affine();
    let info = write(
        path,
        Kind::Development,
        &generator.batch_mul(&powers),
        &tau_g2,
    )?;
    for log in 4..=(degree + 1).ilog2() {
        // Knowing τ, the Lagrange basis costs one multiplication a point instead of an FFT in the group.
        let domain = Radix2EvaluationDomain::<Fr>::new(1 << log).expect("below 2^28");
        let values = domain.evaluate_all_lagrange_coefficients(tau);
        write_lagrange_of(path, &info, log, &generator.batch_mul(&values))?;
    }
    Ok(info)
}
