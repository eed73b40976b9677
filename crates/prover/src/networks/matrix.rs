//! The hidden matrix `w`, and its fold by a challenge (2.3, 4.2).

use ark_ff::{Field, Zero};
use assay_algebra::{interpolate, inverses, root_of_unity, signed, Fr};
use assay_circuit::{Network, FIRST_SLOT};
use assay_verifier::networks::{NULL_SLOT, RESERVED};
use rayon::prelude::*;

/// `w`.
pub(crate) struct Matrix {
    /// `K`.
    slots: usize,
    pub coefficients: Vec<Fr>,
}

/// `w̃` before its masks, and `(w - w̃)/(X^K - p)`.
pub(crate) struct Folded {
    pub remainder: Vec<Fr>,
    pub quotient: Vec<Fr>,
}

impl Matrix {
    /// Interpolates the weights; `blinds` are the values of slot 0, one a column.
    pub fn new(network: &Network, blinds: &[Fr]) -> Self {
        let (slots, columns) = (network.slots, network.columns);
        let factors = slot_factors(slots);
        let of_column = column_factors(columns);
        let place = |column: usize| -> Vec<Fr> {
            let mut values = vec![Fr::zero(); slots];
            values[0] = blinds[column];
            for block in &network.weights {
                let Some(at) = column.checked_sub(block.column) else {
                    continue;
                };
                if at < block.width {
                    let lines = block.values.chunks(block.width).zip(block.slot..);
                    for (line, slot) in lines {
                        let weight = signed(i128::from(line[at]));
                        values[slot] = weight * factors[slot] * of_column[column];
                    }
                }
            }
            interpolate(&values)
        };
        let polynomials: Vec<Vec<Fr>> = (0..columns).into_par_iter().map(place).collect();
        // In powers of X^K: for each coefficient an inverse transform over the columns.
        let transposed: Vec<Vec<Fr>> = (0..slots)
            .into_par_iter()
            .map(|j| interpolate(&polynomials.iter().map(|f| f[j]).collect::<Vec<_>>()))
            .collect();
        let mut coefficients = vec![Fr::zero(); slots * columns];
        coefficients
            .par_chunks_mut(slots)
            .enumerate()
            .for_each(|(power, block)| {
                for (to, from) in block.iter_mut().zip(&transposed) {
                    *to = from[power];
                }
            });
        Self {
            slots,
            coefficients,
        }
    }

    /// Divides by `X^K - p`.
    pub fn fold(&self, p: Fr) -> Folded {
        let slots = self.slots;
        let mut quotient = vec![Fr::zero(); self.coefficients.len() - slots];
        let mut rest = vec![Fr::zero(); slots];
        for (power, block) in self.coefficients.chunks(slots).enumerate().rev() {
            for (rest, own) in rest.iter_mut().zip(block) {
                *rest = *rest * p + own;
            }
            if power > 0 {
                quotient[(power - 1) * slots..power * slots].copy_from_slice(&rest);
            }
        }
        Folded {
            remainder: rest,
            quotient,
        }
    }
}

/// `E(u^j)/E2(u^j)`; 0 for slots without weights.
fn slot_factors(slots: usize) -> Vec<Fr> {
    let root = root_of_unity(slots.trailing_zeros()).unwrap_or_default();
    let points: Vec<Fr> = std::iter::successors(Some(Fr::from(1u64)), |p| Some(*p * root))
        .take(slots)
        .collect();
    let null = points[NULL_SLOT as usize];
    let used = &points[FIRST_SLOT..];
    let below = inverses(used.iter().map(|x| *x - null).collect()).unwrap_or_default();
    let mut factors = vec![Fr::zero(); FIRST_SLOT];
    factors.extend(used.iter().zip(below).map(|(x, below)| {
        let reserved = RESERVED.map(|slot| *x - points[slot as usize]);
        reserved.product::<Fr>() * below
    }));
    factors
}

/// `1/ω_M^m`.
fn column_factors(columns: usize) -> Vec<Fr> {
    let root = root_of_unity(columns.trailing_zeros()).unwrap_or_default();
    let inverse = root.inverse().unwrap_or_default();
    std::iter::successors(Some(Fr::from(1u64)), |p| Some(*p * inverse))
        .take(columns)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_algebra::evaluate;

    #[test]
    fn the_fold_is_the_division() {
        let matrix = Matrix {
            slots: 8,
            coefficients: (5..37u64).map(Fr::from).collect(),
        };
        let (p, x) = (Fr::from(77u64), Fr::from(1234u64));
        let folded = matrix.fold(p);
        assert_eq!(folded.remainder.len(), 8);
        let product = evaluate(&folded.quotient, x) * (x.pow([8u64]) - p);
        let whole = evaluate(&matrix.coefficients, x);
        assert_eq!(product + evaluate(&folded.remainder, x), whole);
    }
}
