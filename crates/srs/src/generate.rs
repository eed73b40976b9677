//! A development reference string: τ is drawn, used and forgotten on this machine.

use crate::file::{write, write_lagrange_of};
use crate::squares::square_places;
use crate::{random_scalar, Error, Info};
use ark_bn254::{Fr, G1Projective, G2Projective};
use ark_ec::{CurveGroup, PrimeGroup, ScalarMul};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use assay_verifier::Srs as Kind;
use std::path::Path;
use zeroize::Zeroizing;

/// Makes `degree + 1` powers and all Lagrange bases that fit, and writes them at `path` and beside.
pub fn generate(path: &Path, degree: usize) -> Result<Info, Error> {
    // Whoever reads τ in memory, or any power or Lagrange value of it, forges proofs: all are wiped when they are
    // dropped. What the libraries copy while they compute, on their stacks, is out of reach.
    let tau = Zeroizing::new(random_scalar());
    let mut power = Zeroizing::new(Fr::from(1u64));
    // Of the right size at once: a vector that grows leaves copies behind.
    let mut powers = Zeroizing::new(Vec::with_capacity(degree + 1));
    for _ in 0..=degree {
        powers.push(*power);
        *power *= *tau;
    }
    let generator = G1Projective::generator();
    let in_g2 = |scalar: &Fr| (G2Projective::generator() * scalar).into_affine();
    let squares: Vec<_> = square_places(degree)
        .map(|place| in_g2(&powers[place]))
        .collect();
    let info = write(
        path,
        Kind::Development,
        &generator.batch_mul(&powers),
        &in_g2(&tau),
        &squares,
    )?;
    for log in 4..=(degree + 1).ilog2() {
        // Knowing τ, the Lagrange basis costs one multiplication a point instead of an FFT in the group.
        let domain = Radix2EvaluationDomain::<Fr>::new(1 << log).expect("below 2^28");
        let values = Zeroizing::new(domain.evaluate_all_lagrange_coefficients(*tau));
        write_lagrange_of(path, &info, log, &generator.batch_mul(&values))?;
    }
    Ok(info)
}
