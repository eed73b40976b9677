//! The relations that there are: the only place in the prover that lists them.

use crate::relation::{Committed, Prepared, Relation};
use crate::{linear, trees, Error};
use ark_bn254::G1Affine;
use assay_algebra::Fr;
use assay_circuit::{CircuitFile, Model};
use assay_verifier::{Kind, Shape};

type Prepare = fn(&CircuitFile, u32, &[Fr]) -> Result<Box<dyn Prepared>, Error>;

/// A relation's functions.
pub(crate) struct Entry {
    kind: Kind,
    /// The shape of a circuit for so many rows.
    pub shape: fn(&CircuitFile, u32) -> Result<Shape, Error>,
    /// As [`Relation::commit`].
    pub commit: fn(&CircuitFile, u32, &[G1Affine]) -> Result<Committed, Error>,
    /// As [`Relation::prepare`].
    pub prepare: Prepare,
}

static ENTRIES: [Entry; 2] = [
    Entry::of::<trees::TreeRelation>(Kind::Trees),
    Entry::of::<linear::LinearRelation>(Kind::Linear),
];

impl Entry {
    const fn of<R: Relation>(kind: Kind) -> Self {
        Self {
            kind,
            shape: |file, rows| Ok(R::Model::new(file, rows)?.shape().clone()),
            commit: |file, rows, powers| R::commit(&R::Model::new(file, rows)?, powers),
            prepare: |file, rows, blinds| {
                Ok(Box::new(R::prepare(R::Model::new(file, rows)?, blinds)?))
            },
        }
    }

    /// That of a kind.
    pub fn of_kind(kind: Kind) -> Result<&'static Self, Error> {
        let found = ENTRIES.iter().find(|entry| entry.kind == kind);
        found.ok_or(Error::Damaged("a kind of model that this prover lacks"))
    }

    /// That of a circuit.
    pub fn of_circuit(file: &CircuitFile) -> Result<&'static Self, Error> {
        let kind = Kind::of_name(&file.kind).ok_or_else(|| {
            let known: Vec<_> = Kind::ALL.map(|kind| kind.relation().name()).into();
            assay_circuit::Error::Kind(file.kind.clone(), known.join(" and "))
        })?;
        Self::of_kind(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_proven() {
        for kind in Kind::ALL {
            assert!(Entry::of_kind(kind).is_ok());
        }
        assert_eq!(ENTRIES.len(), Kind::ALL.len());
    }
}
