//! `x̃`: what is read, gathered by slot (4.1), and what it adds to the sum on `V`.

use ark_ff::{One, Zero};
use assay_algebra::{inverses, root_of_unity, Fr};
use assay_verifier::networks::{NULL_SLOT, RESERVED};

/// Constants of the slots: none depends on a challenge.
pub(crate) struct Slots {
    /// `u^j`.
    pub points: Vec<Fr>,
    /// `1/E(u^j)`; 0 for `j < 5`.
    over_reserved: Vec<Fr>,
    /// `E2(u^j)`.
    null: Vec<Fr>,
    /// The coefficients of the polynomials that are 1 at one reserved slot and 0 at the others.
    dual: [[Fr; 4]; 4],
    /// `1/E2(u^i)` of the reserved slots.
    over_null: [Fr; 4],
}

impl Slots {
    pub fn new(slots: usize) -> Self {
        let root = root_of_unity(slots.trailing_zeros()).unwrap_or_default();
        let points: Vec<Fr> = std::iter::successors(Some(Fr::one()), |p| Some(*p * root))
            .take(slots)
            .collect();
        let reserved: Vec<Fr> = RESERVED.map(|slot| points[slot as usize]).collect();
        let first = NULL_SLOT as usize;
        let products = points[first..].iter();
        let products = products.map(|x| reserved.iter().map(|v| *x - v).product::<Fr>());
        let mut over_reserved = vec![Fr::zero(); first];
        over_reserved.extend(inverses(products.collect()).unwrap_or_default());
        let null: Vec<Fr> = points.iter().map(|x| *x - points[first]).collect();
        let over_null = RESERVED.map(|slot| null[slot as usize]).collect();
        Self {
            dual: dual(&reserved),
            over_null: four(&inverses(over_null).unwrap_or_default()),
            points,
            over_reserved,
            null,
        }
    }

    /// `x̃` from the sums `Σ a/(u_c - cp)` by slot.
    pub fn gathered(&self, mut sums: Vec<Fr>) -> Vec<Fr> {
        for (sum, factor) in sums.iter_mut().zip(&self.over_reserved) {
            *sum *= factor;
        }
        self.balance(&mut sums);
        sums
    }

    /// Sets the reserved slots so that the masks of `w̃` meet nothing: `Σ_(j≠0) x̃_j E2(u^j) u^(jt) = 0`.
    pub fn balance(&self, gathered: &mut [Fr]) {
        let mut sums = [Fr::zero(); 4];
        let others = gathered.iter().zip(&self.null).zip(&self.points);
        for ((value, null), point) in others.skip(NULL_SLOT as usize) {
            let mut term = *value * null;
            for sum in &mut sums {
                *sum += term;
                term *= point;
            }
        }
        for ((slot, dual), over) in RESERVED.zip(self.dual).zip(self.over_null) {
            let sum: Fr = dual.iter().zip(sums).map(|(l, sum)| *l * sum).sum();
            gathered[slot as usize] = -sum * over;
        }
    }
}

/// Lagrange's polynomials of four points.
fn dual(points: &[Fr]) -> [[Fr; 4]; 4] {
    // A polynomial's coefficients are its values' inverse Vandermonde: solved by elimination of the other points.
    let of = |own: usize| {
        let mut product = vec![Fr::one()];
        let mut scale = Fr::one();
        for (other, point) in points.iter().enumerate() {
            if other != own {
                product.push(Fr::zero());
                for at in (0..product.len()).rev() {
                    let below = if at > 0 { product[at - 1] } else { Fr::zero() };
                    product[at] = below - product[at] * point;
                }
                scale *= points[own] - point;
            }
        }
        let scale = ark_ff::Field::inverse(&scale).unwrap_or_default();
        four(&product.iter().map(|c| *c * scale).collect::<Vec<_>>())
    };
    [of(0), of(1), of(2), of(3)]
}

fn four(values: &[Fr]) -> [Fr; 4] {
    let mut out = [Fr::zero(); 4];
    out.copy_from_slice(&values[..4]);
    out
}

/// The values of a polynomial of low degree on the `count` roots of unity.
pub(crate) fn on_roots(coefficients: &[Fr], count: usize) -> Vec<Fr> {
    assay_algebra::coset_evaluate(coefficients, count, Fr::one())
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::Field;
    use assay_algebra::interpolate;

    #[test]
    fn the_reserved_slots_balance_every_mask() {
        let slots = Slots::new(16);
        let sums: Vec<Fr> = (0..16u64).map(|j| Fr::from(j * j + 3)).collect();
        let gathered = slots.gathered(sums);
        assert_eq!(gathered[0], Fr::zero());
        for t in 0..4u64 {
            let sum: Fr = (1..16)
                .map(|j| gathered[j] * slots.null[j] * slots.points[j].pow([t]))
                .sum();
            assert_eq!(sum, Fr::zero());
        }
    }

    #[test]
    fn values_on_roots_are_those_of_the_interpolation() {
        let values: Vec<Fr> = (1..9u64).map(Fr::from).collect();
        assert_eq!(on_roots(&interpolate(&values), 8), values);
    }
}
