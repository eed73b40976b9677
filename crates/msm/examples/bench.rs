//! Medians against `ark_ec`: `cargo run --release -p assay-msm --example bench`.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{Field, PrimeField};
use assay_msm::{msm, FixedBase};
use std::hint::black_box;
use std::time::Instant;

const RUNS: usize = 11;

/// The median time in milliseconds, after a run to warm up.
fn median<T>(mut run: impl FnMut() -> T) -> f64 {
    black_box(run());
    let mut times: Vec<f64> = (0..RUNS).map(|_| time(&mut run)).collect();
    times.sort_by(f64::total_cmp);
    times[RUNS / 2]
}

fn time<T>(run: impl FnOnce() -> T) -> f64 {
    let start = Instant::now();
    black_box(run());
    start.elapsed().as_secs_f64() * 1e3
}

fn points(count: usize) -> Vec<G1Affine> {
    let first = G1Projective::generator();
    let step = first * Fr::from(0x9e37_79b9_7f4a_7c15u64);
    let all = std::iter::successors(Some(first), |p| Some(*p + step));
    G1Projective::normalize_batch(&all.take(count).collect::<Vec<_>>())
}

fn scalars(count: usize) -> Vec<Fr> {
    let mut state = Fr::from(0x2545_f491_4f6c_dd1du64).pow([99]);
    let next = || {
        state = state.square() + Fr::from(5u64);
        state
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// The lowest bits of each.
fn cut(scalars: &[Fr], bits: u32) -> Vec<Fr> {
    let low = |s: &Fr| Fr::from(s.into_bigint().0[0] >> (64 - bits));
    scalars.iter().map(low).collect()
}

fn main() {
    let points = points(1 << 17);
    let full = scalars(1 << 17);
    println!(
        "{} threads, milliseconds, median of {RUNS}",
        rayon::current_num_threads()
    );
    println!("size  scalars      ark    plain    table    ark/plain  ark/table");
    for log in [10, 13, 14, 17] {
        let points = &points[..1 << log];
        let build = time(|| FixedBase::with_table(points.to_vec()));
        let fixed = FixedBase::with_table(points.to_vec());
        let kinds = [
            ("full", full[..1 << log].to_vec()),
            ("40 bit", cut(&full[..1 << log], 40)),
            ("11 bit", cut(&full[..1 << log], 11)),
            ("bits", cut(&full[..1 << log], 1)),
        ];
        for (name, scalars) in kinds {
            let ark = median(|| G1Projective::msm(points, &scalars));
            let plain = median(|| msm(points, &scalars));
            let table = median(|| fixed.msm(&scalars));
            let (by_plain, by_table) = (ark / plain, ark / table);
            println!("2^{log}  {name:7} {ark:8.2} {plain:8.2} {table:8.2}    {by_plain:9.2}  {by_table:9.2}");
        }
        println!("2^{log}  building the table: {build:.0}");
    }
}
