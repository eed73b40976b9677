//! The model's table as polynomials (spec 4.2).

use crate::error::Error;
use ark_ff::{One, Zero};
use assay_algebra::{interpolate, inverses, root_of_unity, Fr};
use assay_circuit::{position, TreeModel};
use assay_verifier::trees::public_column;

/// The values of the table's rows, and the coefficients of `Pub, G, A, C`.
pub(crate) struct Table {
    /// `Pub` and, at node rows, `G, A, C`, by position.
    pub rows: Vec<[Fr; 4]>,
    /// `Pub`, then the hidden polynomials.
    pub polynomials: [Vec<Fr>; 4],
}

impl Table {
    /// Builds the polynomials; `blinds` hide `G, A, C`.
    pub fn new(model: &TreeModel, blinds: &[Fr]) -> Result<Self, Error> {
        let shape = &model.shape;
        let ratio = shape.ratio as usize;
        let mut rows: Vec<[Fr; 4]> = public_column(shape)
            .map(|id| [id, Fr::zero(), Fr::zero(), Fr::zero()])
            .collect();
        for (row, node) in model.nodes.iter().enumerate() {
            let [_, g, a, c] = &mut rows[position(row, ratio)];
            (*g, *a, *c) = (shape.entry(node.view, node.key), node.a, node.c);
        }
        let column = |index: usize| rows.iter().map(|row| row[index]).collect::<Vec<_>>();
        let public = interpolate(&column(0));
        let mut hidden = Vec::with_capacity(3);
        for (index, blind) in blinds.iter().enumerate() {
            hidden.push(quotient_column(&column(index + 1), ratio, *blind)?);
        }
        let [g, a, c] = hidden.try_into().map_err(|_| Error::Damaged("table"))?;
        Ok(Self {
            rows,
            polynomials: [public, g, a, c],
        })
    }
}

/// The polynomial `f` of degree at most `N - N/q` with `(X^(N/q) - 1) f(X)` equal to the column at every node row:
/// interpolated with zeros at the range rows, reduced modulo `Z_N / Z_(N/q)`, then blinded by a multiple of it.
fn quotient_column(values: &[Fr], ratio: usize, blind: Fr) -> Result<Vec<Fr>, Error> {
    let size = values.len();
    let step = size / ratio;
    // v^(p N/q) depends on p mod q only.
    let root = root_of_unity(ratio.trailing_zeros()).ok_or(Error::Damaged("ratio"))?;
    let mut powers = vec![Fr::one(); ratio];
    for index in 1..ratio {
        powers[index] = powers[index - 1] * root;
    }
    let factors = inverses(powers[1..].iter().map(|p| *p - Fr::one()).collect())
        .ok_or(Error::Damaged("ratio"))?;
    let scaled: Vec<Fr> = values
        .iter()
        .enumerate()
        .map(|(p, value)| {
            if p % ratio == 0 {
                Fr::zero()
            } else {
                *value * factors[p % ratio - 1]
            }
        })
        .collect();
    let full = interpolate(&scaled);
    let (low, top) = full.split_at(size - step);
    let mut reduced: Vec<Fr> = low
        .iter()
        .zip(top.iter().cycle())
        .map(|(l, t)| *l - t)
        .collect();
    reduced.push(Fr::zero());
    for index in 0..ratio {
        reduced[index * step] += blind;
    }
    Ok(reduced)
}
