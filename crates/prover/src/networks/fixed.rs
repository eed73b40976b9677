//! The polynomials of a key that anyone with the public circuit recomputes (2.1, 2.2), as the prover needs them.

use crate::quotient::Coset;
use crate::relation::Public;
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use assay_algebra::{interpolate, Fr};
use assay_circuit::{Model, NetworkModel, Wiring};
use assay_verifier::networks::names;
use assay_verifier::relation::{Name, Pack};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Values of polynomials on one coset.
type Values = Arc<Vec<Vec<Fr>>>;

/// Values on cosets, which are the same in every proof.
#[derive(Default)]
struct OnCosets(Mutex<HashMap<usize, Values>>);

impl OnCosets {
    fn get(&self, coset: &Coset, make: impl Fn() -> Vec<Vec<Fr>>) -> Values {
        let held = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held().get(&coset.place()).cloned();
        found.unwrap_or_else(|| {
            let made = Arc::new(make());
            held().insert(coset.place(), made.clone());
            made
        })
    }
}

/// The wiring for one `nb`: `f(X^nb)`.
pub(crate) struct Fixed {
    pub names: Vec<Name>,
    /// `f` on the rows of a block.
    pub rows: Vec<Vec<Fr>>,
    /// The coefficients of `f`.
    pub coefficients: Vec<Vec<Fr>>,
    blocks: usize,
    cosets: OnCosets,
}

impl Fixed {
    pub fn new(model: &NetworkModel, log_rows: u32) -> Self {
        let shape = model.shape();
        let names = shape.kind.relation().fixed(shape, log_rows);
        let wiring = Wiring::new(model);
        let rows: Vec<Vec<Fr>> = names
            .par_iter()
            .map(|name| wiring.values(*name, log_rows))
            .collect();
        Self {
            coefficients: rows.par_iter().map(|rows| interpolate(rows)).collect(),
            rows,
            names,
            blocks: 1 << log_rows,
            cosets: OnCosets::default(),
        }
    }

    fn place(&self, name: Name) -> Option<usize> {
        self.names.iter().position(|own| *own == name)
    }

    /// The coefficients of `f` of a name.
    pub fn find(&self, name: Name) -> Option<&Vec<Fr>> {
        Some(&self.coefficients[self.place(name)?])
    }

    /// Its values on the rows of a block.
    pub fn on_rows(&self, name: Name) -> Option<&Vec<Fr>> {
        Some(&self.rows[self.place(name)?])
    }

    /// One period of every polynomial's values on a coset of `H`, in the order of the names.
    pub fn on_coset(&self, coset: &Coset) -> Values {
        self.cosets.get(coset, || {
            let all = self.coefficients.par_iter();
            all.map(|f| coset.evaluate_periodic(f, self.blocks))
                .collect()
        })
    }

    /// The values of a name among those of [`Self::on_coset`].
    pub fn of<'v>(&self, values: &'v [Vec<Fr>], name: Name) -> Option<&'v [Fr]> {
        Some(&values[self.place(name)?])
    }
}

/// The table on `V`.
pub(crate) struct Table {
    /// `ID, S_V, B_V` by row.
    pub rows: Vec<[Fr; 3]>,
    /// Their coefficients.
    pub polynomials: [Vec<Fr>; 3],
    cosets: OnCosets,
}

impl Table {
    pub fn new(model: &NetworkModel) -> Self {
        let rows = model.table_rows();
        let of = |index: usize| interpolate(&rows.iter().map(|row| row[index]).collect::<Vec<_>>());
        Self {
            polynomials: [of(0), of(1), of(2)],
            rows,
            cosets: OnCosets::default(),
        }
    }

    /// The coefficients of a name.
    pub fn find(&self, name: Name) -> Option<&Vec<Fr>> {
        let place = names::TABLE.iter().position(|own| *own == name)?;
        Some(&self.polynomials[place])
    }

    /// The polynomials' values on a coset of `V`.
    pub fn on_coset(&self, coset: &Coset) -> Values {
        self.cosets.get(coset, || {
            let all = self.polynomials.par_iter();
            all.map(|f| coset.evaluate(f)).collect()
        })
    }
}

/// The commitment to a pack of polynomials `f(X^blocks)` of as many coefficients each.
fn commit(pack: &[&Vec<Fr>], powers: &[G1Affine], blocks: usize) -> G1Projective {
    let step = blocks * pack.len();
    let (mut points, mut scalars) = (Vec::new(), Vec::new());
    for (place, f) in pack.iter().enumerate() {
        points.extend(powers.iter().skip(place).step_by(step).take(f.len()));
        scalars.extend_from_slice(f);
    }
    assay_msm::msm(&points, &scalars)
}

/// The commitments of the table's packs, and of those of the wiring for each `nb`.
pub(super) fn commit_all(model: &NetworkModel, powers: &[G1Affine]) -> Public {
    let shape = model.shape();
    let relation = shape.kind.relation();
    let table = Table::new(model);
    let of_table = commit_packs(
        &relation.model_packs(shape),
        |name| table.find(name),
        powers,
        1,
    );
    let wiring = (0..=shape.log_max_rows).map(|log_rows| {
        let fixed = Fixed::new(model, log_rows);
        let packs = relation.fixed_packs(shape, log_rows);
        commit_packs(&packs, |name| fixed.find(name), powers, 1 << log_rows)
    });
    (of_table, wiring.collect())
}

/// The commitments of those packs whose polynomials are all found.
fn commit_packs<'a>(
    packs: &[Pack],
    find: impl Fn(Name) -> Option<&'a Vec<Fr>> + Sync,
    powers: &[G1Affine],
    blocks: usize,
) -> Vec<G1Affine> {
    let of = |pack: &Pack| {
        let polynomials: Option<Vec<&Vec<Fr>>> = pack.iter().map(|name| find(*name)).collect();
        polynomials.map(|pack| commit(&pack, powers, blocks))
    };
    let points: Vec<G1Projective> = packs.par_iter().filter_map(of).collect();
    G1Projective::normalize_batch(&points)
}
