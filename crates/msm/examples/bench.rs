//! Medians against `ark_ec`.
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::UniformRand;
use assay_msm::{msm, FixedBase};
use std::time::Instant;

fn median(mut f: impl FnMut()) -> f64 {
    f();
    let mut times: Vec<f64> = (0..9)
        .map(|_| {
            let start = Instant::now();
            f();
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[4]
}

fn main() {
    let mut rng = rand::thread_rng();
    let n = 1 << 17;
    let step = G1Affine::generator() * Fr::rand(&mut rng);
    let mut p = step;
    let points: Vec<G1Projective> = (0..n)
        .map(|_| {
            p += step;
            p
        })
        .collect();
    let points = G1Projective::normalize_batch(&points);
    let full: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
    for log in [10, 13, 14, 17] {
        let n = 1 << log;
        let points = &points[..n];
        let scalars = &full[..n];
        let start = Instant::now();
        let table = FixedBase::with_table(points.to_vec());
        let build = start.elapsed().as_secs_f64() * 1e3;
        let ark = median(|| drop(G1Projective::msm(points, scalars)));
        let plain = median(|| drop(std::hint::black_box(msm(points, scalars))));
        let fixed = median(|| drop(std::hint::black_box(table.msm(scalars))));
        println!("2^{log} ark {ark:.2} plain {plain:.2} table {fixed:.2} build {build:.1}");
    }
}
