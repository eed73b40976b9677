//! What a batch is combined to (spec 5).

use ark_ff::Zero;
use assay_algebra::Fr;

/// `Σ_b α^b v^b`, entry by entry.
pub fn combine(alpha: Fr, rows: &[Vec<Fr>]) -> Vec<Fr> {
    let mut sum = vec![Fr::zero(); rows.first().map_or(0, Vec::len)];
    for row in rows.iter().rev() {
        for (total, value) in sum.iter_mut().zip(row) {
            *total = *total * alpha + value;
        }
    }
    sum
}
