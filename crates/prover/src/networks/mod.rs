//! Proving the relation of networks (`docs/spec/networks.md`, whose sections are meant in this folder's comments).

#[cfg(feature = "attack")]
pub mod attack;
mod fixed;
mod gather;
mod matrix;
mod quotient;
mod session;
mod sums;

use crate::bases::Bases;
use crate::column::blinds;
use crate::relation::{Committed, Public, Relation, Witness};
use crate::{Error, Inputs};
use ark_bn254::G1Affine;
use assay_algebra::Fr;
use assay_circuit::{network_witness, Address, NetworkModel, Wiring};
use assay_verifier::Shape;
use fixed::{Fixed, Table};
use gather::Slots;
use matrix::Matrix;
use session::Session;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// A network with the polynomials of its key.
pub(crate) struct NetworkRelation {
    pub model: NetworkModel,
    pub matrix: Matrix,
    pub table: Table,
    pub slots: Slots,
    /// What each row of a block reads.
    pub addresses: Vec<[Address; 2]>,
    /// The slot that its first read is gathered in.
    pub gathered_slots: Vec<Option<usize>>,
    /// The wiring, for each `log2 nb` that a proof was asked for.
    wiring: Mutex<HashMap<u32, Arc<Fixed>>>,
}

impl NetworkRelation {
    /// The wiring for `2^log_rows` blocks.
    pub fn wiring(&self, log_rows: u32) -> Arc<Fixed> {
        let held = || self.wiring.lock().unwrap_or_else(PoisonError::into_inner);
        let found = held().get(&log_rows).cloned();
        // Made outside the lock, as bases are: making waits for the threads of the pool, which may wait for the lock.
        found.unwrap_or_else(|| {
            let made = Arc::new(Fixed::new(&self.model, log_rows));
            held().entry(log_rows).or_insert(made).clone()
        })
    }

    pub fn shape(&self) -> &Shape {
        &self.model.shape
    }
}

/// Slot 0 has a value for each column.
fn check_blinds(model: &NetworkModel, blinds: &[Fr]) -> Result<(), Error> {
    if blinds.len() == model.network().columns {
        return Ok(());
    }
    Err(Error::Damaged("blinding of the matrix"))
}

fn matrix_of(model: &NetworkModel, blinds: &[Fr]) -> Matrix {
    let network = model.shape.network.as_ref();
    let parts = network.map_or(1, |network| network.parts as usize);
    Matrix::new(model.network(), parts, blinds)
}

impl Relation for NetworkRelation {
    type Model = NetworkModel;

    fn commit(model: &NetworkModel, powers: &[G1Affine]) -> Result<Committed, Error> {
        let secret = blinds(model.network().columns);
        let matrix = matrix_of(model, &secret);
        let (mut public, parts) = rayon::join(
            || fixed::commit_all(model, powers),
            || matrix.commit(powers),
        );
        public.0.extend(parts);
        Ok(Committed {
            model: public.0,
            fixed: public.1,
            blinds: secret,
        })
    }

    fn public(model: &NetworkModel, powers: &[G1Affine]) -> Public {
        fixed::commit_all(model, powers)
    }

    fn hidden(
        model: &NetworkModel,
        powers: &[G1Affine],
        blinds: &[Fr],
    ) -> Option<Result<Vec<G1Affine>, Error>> {
        let found = check_blinds(model, blinds).map(|()| matrix_of(model, blinds).commit(powers));
        Some(found)
    }

    fn prepare(model: NetworkModel, blinds: &[Fr]) -> Result<Self, Error> {
        check_blinds(&model, blinds)?;
        let (matrix, table) = rayon::join(|| matrix_of(&model, blinds), || Table::new(&model));
        let wiring = Wiring::new(&model);
        Ok(Self {
            matrix,
            table,
            slots: Slots::new(model.network().slots),
            addresses: wiring.addresses(),
            gathered_slots: wiring.gathered_slots(),
            model,
            wiring: Mutex::default(),
        })
    }

    fn start<'a>(
        &'a self,
        bases: &'a Bases,
        inputs: &Inputs,
    ) -> Result<Box<dyn Witness + 'a>, Error> {
        let witness = network_witness(&self.model, &inputs.rows)?;
        Ok(Box::new(Session::new(self, bases, inputs, witness)?))
    }
}
