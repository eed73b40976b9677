//! The relations that there are: the only place in the prover that lists them.

use crate::relation::{Committed, Prepared, Public, Relation};
use crate::{linear, networks, trees, Error};
use ark_bn254::G1Affine;
use assay_algebra::Fr;
use assay_circuit::{CircuitFile, Model};
use assay_verifier::{Kind, Shape};

/// What decides a key's shape beside its circuit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// The most rows of a proof.
    pub max_rows: u32,
    /// The parts of a hidden matrix; by the protocol's rule if `None`.
    pub parts: Option<u32>,
}

impl Sizes {
    /// Those of a key, for proofs of at most so many rows.
    pub fn of_key(shape: &Shape, max_rows: u32) -> Self {
        Self {
            max_rows,
            parts: shape.network.as_ref().map(|network| network.parts),
        }
    }

    fn model<M: Model>(self, file: &CircuitFile) -> Result<M, Error> {
        let model = M::new(file, self.max_rows)?;
        Ok(match self.parts {
            Some(parts) => model.in_parts(parts)?,
            None => model,
        })
    }
}

type Hidden = fn(&CircuitFile, Sizes, &[G1Affine], &[Fr]) -> Option<Result<Vec<G1Affine>, Error>>;
type Prepare = fn(&CircuitFile, Sizes, &[Fr]) -> Result<Box<dyn Prepared>, Error>;

/// A relation's functions.
pub(crate) struct Entry {
    kind: Kind,
    /// The shape of a circuit.
    pub shape: fn(&CircuitFile, Sizes) -> Result<Shape, Error>,
    /// As [`Relation::commit`].
    pub commit: fn(&CircuitFile, Sizes, &[G1Affine]) -> Result<Committed, Error>,
    /// As [`Relation::public`].
    pub public: fn(&CircuitFile, Sizes, &[G1Affine]) -> Result<Public, Error>,
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
            shape: |file, sizes| Ok(sizes.model::<R::Model>(file)?.shape().clone()),
            commit: |file, sizes, powers| R::commit(&sizes.model(file)?, powers),
            public: |file, sizes, powers| Ok(R::public(&sizes.model(file)?, powers)),
            hidden: |file, sizes, powers, blinds| match sizes.model(file) {
                Ok(model) => R::hidden(&model, powers, blinds),
                Err(error) => Some(Err(error)),
            },
            prepare: |file, sizes, blinds| Ok(Box::new(R::prepare(sizes.model(file)?, blinds)?)),
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
