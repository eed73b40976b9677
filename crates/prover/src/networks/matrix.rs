//! The hidden matrix `w`, and its fold by a challenge (2.3, 4.2).

use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{Field, Zero};
use assay_algebra::{interpolate, inverses, root_of_unity, signed, Fr};
use assay_circuit::{Network, FIRST_SLOT};
use assay_verifier::networks::{NULL_SLOT, RESERVED};
use rayon::prelude::*;
use std::borrow::Cow;

/// `w_1 … w_P`.
pub(crate) struct Matrix {
    /// `K`.
    slots: usize,
    /// `M_p`: powers of `X^K` in a part.
    powers: usize,
    held: Held,
}

/// A matrix of one part is folded as it is; of several, which are large, only the slots that are used take memory.
enum Held {
    /// The coefficients of `w`.
    Whole(Vec<Fr>),
    /// For slots with values `w_i(u^j)` of all powers `i`, part by part.
    Lines(Vec<Line>),
}

/// The values of polynomials at a slot.
type Line = (usize, Vec<Fr>);

/// What a challenge makes of the matrix.
pub(crate) struct Folded<'a> {
    /// `w`, the parts' sum.
    pub whole: Cow<'a, [Fr]>,
    /// `w̃` before its masks.
    pub remainder: Vec<Fr>,
    /// `(w - w̃)/(X^K - p)`.
    pub quotient: Vec<Fr>,
}

impl Matrix {
    /// Interpolates the weights; `blinds` are the values of slot 0, one a column.
    pub fn new(network: &Network, parts: usize, blinds: &[Fr]) -> Self {
        let (slots, columns) = (network.slots, network.columns);
        let factors = slot_factors(slots);
        let of_column = column_factors(columns);
        let line = |slot: usize| {
            // In powers of X^K: an inverse transform over the columns.
            if slot == 0 {
                return Some((slot, interpolate(blinds)));
            }
            let mut values = vec![Fr::zero(); columns];
            let mut any = false;
            for block in &network.weights {
                let line = slot.checked_sub(block.slot);
                let line = line.and_then(|at| block.values.chunks(block.width).nth(at));
                for (weight, column) in line.into_iter().flatten().zip(block.column..) {
                    let weight = signed(i128::from(*weight));
                    values[column] = weight * factors[slot] * of_column[column];
                    any = true;
                }
            }
            any.then(|| (slot, interpolate(&values)))
        };
        let lines: Vec<Line> = (0..slots).into_par_iter().filter_map(line).collect();
        let powers = columns / parts;
        let held = if parts == 1 {
            Held::Whole(coefficients(slots, powers, &lines))
        } else {
            Held::Lines(lines)
        };
        Self {
            slots,
            powers,
            held,
        }
    }

    /// `[w_1] … [w_P]`.
    pub fn commit(&self, string: &[G1Affine]) -> Vec<G1Affine> {
        let commit = |part: &[Fr]| assay_msm::msm(&string[..part.len()], part);
        let points: Vec<G1Projective> = match &self.held {
            Held::Whole(whole) => vec![commit(whole)],
            Held::Lines(lines) => {
                let columns = lines.first().map_or(0, |(_, line)| line.len());
                let part = |start: usize| {
                    let own = |(slot, line): &Line| (*slot, line[start..][..self.powers].to_vec());
                    let own: Vec<Line> = lines.iter().map(own).collect();
                    commit(&coefficients(self.slots, self.powers, &own))
                };
                (0..columns).step_by(self.powers).map(part).collect()
            }
        };
        G1Projective::normalize_batch(&points)
    }

    /// `w = Σ p^(M_p (c - 1)) w_c`.
    fn whole(&self, p: Fr) -> Cow<'_, [Fr]> {
        let lines = match &self.held {
            Held::Whole(whole) => return Cow::Borrowed(whole),
            Held::Lines(lines) => lines,
        };
        let step = p.pow([self.powers as u64]);
        let sum = |(slot, line): &Line| {
            let mut sum = vec![Fr::zero(); self.powers];
            for part in line.chunks(self.powers).rev() {
                for (sum, own) in sum.iter_mut().zip(part) {
                    *sum = *sum * step + own;
                }
            }
            (*slot, sum)
        };
        let sums: Vec<Line> = lines.par_iter().map(sum).collect();
        Cow::Owned(coefficients(self.slots, self.powers, &sums))
    }

    /// Sums the parts and divides by `X^K - p`.
    pub fn fold(&self, p: Fr) -> Folded<'_> {
        let slots = self.slots;
        let whole = self.whole(p);
        let mut quotient = vec![Fr::zero(); whole.len() - slots];
        let mut rest = vec![Fr::zero(); slots];
        for (power, block) in whole.chunks(slots).enumerate().rev() {
            for (rest, own) in rest.iter_mut().zip(block) {
                *rest = *rest * p + own;
            }
            if power > 0 {
                quotient[(power - 1) * slots..power * slots].copy_from_slice(&rest);
            }
        }
        Folded {
            whole,
            remainder: rest,
            quotient,
        }
    }
}

/// `Σ_i X^(K i) f_i(X)`, where the lines hold the values of all `f_i` at their slots; elsewhere they are 0.
fn coefficients(slots: usize, powers: usize, lines: &[Line]) -> Vec<Fr> {
    let mut coefficients = vec![Fr::zero(); slots * powers];
    let blocks = coefficients.par_chunks_mut(slots).enumerate();
    blocks.for_each(|(power, block)| {
        for (slot, line) in lines {
            block[*slot] = line[power];
        }
        let made = interpolate(block);
        block.copy_from_slice(&made);
    });
    coefficients
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
    use assay_circuit::Weights;

    /// Of 16 slots and 8 columns.
    fn network() -> Network {
        let mut network = Network::default();
        (network.slots, network.columns) = (16, 8);
        network.weights = vec![
            Weights {
                slot: 6,
                column: 0,
                width: 8,
                values: (1..41).collect(),
            },
            Weights {
                slot: 12,
                column: 3,
                width: 2,
                values: vec![-9, 8, -7, 6],
            },
        ];
        network
    }

    #[test]
    fn the_fold_is_the_division_whatever_the_parts() {
        let blinds: Vec<Fr> = (90..98u64).map(Fr::from).collect();
        let of = |parts| Matrix::new(&network(), parts, &blinds);
        let (p, x) = (Fr::from(77u64), Fr::from(1234u64));
        let one = of(1);
        let Held::Whole(whole) = &one.held else {
            panic!("one part is held as it is")
        };
        for parts in [1, 2, 4] {
            let matrix = of(parts);
            let folded = matrix.fold(p);
            assert_eq!(folded.remainder, one.fold(p).remainder);
            let product = evaluate(&folded.quotient, x) * (x.pow([16u64]) - p);
            let value = evaluate(&folded.whole, x);
            assert_eq!(product + evaluate(&folded.remainder, x), value);
            // The parts are those of the whole, weighted.
            let length = whole.len() / parts;
            let step = p.pow([(8 / parts) as u64]);
            let part = |(c, part): (usize, &[Fr])| step.pow([c as u64]) * evaluate(part, x);
            assert_eq!(
                value,
                whole.chunks(length).enumerate().map(part).sum::<Fr>()
            );
        }
    }
}
