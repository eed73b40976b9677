//! The relations that there are: the only place in the prover that lists them.

use crate::relation::{Committed, Prepared, Public, Relation};
use crate::{linear, networks, trees, Error};
use ark_bn254::G1Affine;
use assay_algebra::Fr;
use assay_circuit::{CircuitFile, Model};
use assay_verifier::{Kind, Shape};

type Hidden = fn(&CircuitFile, u32, &[G1Affine], &[Fr]) -> Option<Result<Vec<G1Affine>, Error>>;
type Prepare = fn(&CircuitFile, u32, &[Fr]) -> Result<Box<dyn Prepared>, Error>;

/// A relation's functions.
pub(crate) struct Entry {
    kind: Kind,
    /// The shape of a circuit for so many rows.
    pub shape: fn(&CircuitFile, u32) -> Result<Shape, Error>,
    /// As [`Relation::commit`].
    pub commit: fn(&CircuitFile, u32, &[G1Affine]) -> Result<Committed, Error>,
    /// As [`Relation::public`].
    pub public: fn(&CircuitFile, u32, &[G1Affine]) -> Result<Public, Error>,
    /// As [`Relation::hidden`].
    pub hidden: Hidden,
    /// As [`Relation::prepare`].
    pub prepare: Prepare,
}

static ENTRIES: [Entry; 3] = [
    Entry::of::<trees::TreeRelation>(Kind::Trees),
    Entry::of::<linear::LinearRelation>(Kind::Linear),
    Entry::of::<networks::NetworkRelation>(Kind::Networks),
];

impl Entry {
    const fn of<R: Relation>(kind: Kind) -> Self {
        Self {
            kind,
            shape: |file, rows| Ok(R::Model::new(file, rows)?.shape().clone()),
            commit: |file, rows, powers| R::commit(&R::Model::new(file, rows)?, powers),
            public: |file, rows, powers| Ok(R::public(&R::Model::new(file, rows)?, powers)),
            hidden: |file, rows, powers, blinds| match R::Model::new(file, rows) {
                Ok(model) => R::hidden(&model, powers, blinds),
                Err(error) => Some(Err(error.into())),
            },
            prepare: |file, rows, blinds| {
                Ok(Box::new(R::prepare(R::Model::new(file, rows)?, blinds)?))
            },
        }
    }

    /// That of a circuit.
    pub fn of_circuit(file: &CircuitFile) -> Result<&'static Self, Error> {
        let name = |entry: &Self| entry.kind.relation().name();
        let found = ENTRIES.iter().find(|entry| name(entry) == file.kind);
        Ok(found.ok_or_else(|| {
            let known: Vec<_> = ENTRIES.iter().map(name).collect();
            assay_circuit::Error::Kind(file.kind.clone(), known.join(" and "))
        })?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_can_be_proven() {
        for kind in Kind::ALL {
            assert!(ENTRIES.iter().any(|entry| entry.kind == kind));
        }
        assert_eq!(ENTRIES.len(), Kind::ALL.len());
    }
}
