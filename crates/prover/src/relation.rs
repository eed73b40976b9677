//! What a relation gives the prover, beside what it is ([`assay_verifier::relation::Relation`]).

use crate::bases::Bases;
use crate::{Error, Inputs};
use ark_bn254::{G1Affine, G1Projective};
use assay_algebra::{evaluate, Fr, WORD};
use assay_circuit::Model;
use assay_verifier::relation::Name;
use assay_verifier::Statement;
use std::any::Any;
use std::borrow::Cow;

/// A model's commitments and what hides them.
pub(crate) struct Committed {
    /// Those that a key has once.
    pub model: Vec<G1Affine>,
    /// For each `log2 nb`, those of the fixed polynomials.
    pub fixed: Vec<Vec<G1Affine>>,
    /// The blinding coefficients, which the proving key keeps.
    pub blinds: Vec<Fr>,
}

/// Commitments that anyone with a circuit's public part can recompute: those that a key has once, and the fixed ones
/// for each `log2 nb`.
pub(crate) type Public = (Vec<G1Affine>, Vec<Vec<G1Affine>>);

/// The prover's side of a relation: a model whose polynomials are at hand.
pub(crate) trait Relation: Sized + Send + Sync + 'static {
    /// Its tables.
    type Model: Model;

    /// Commits to a model with fresh blinding.
    fn commit(model: &Self::Model, powers: &[G1Affine]) -> Result<Committed, Error>;

    /// What a checker recomputes of a key that needs its circuit, the first of the commitments that it has once.
    fn public(_model: &Self::Model, _powers: &[G1Affine]) -> Public {
        Public::default()
    }

    /// The commitments that hide the model, behind those of [`Self::public`], given their blinding; nothing where models
    /// are not published.
    fn hidden(
        _model: &Self::Model,
        _powers: &[G1Affine],
        _blinds: &[Fr],
    ) -> Option<Result<Vec<G1Affine>, Error>> {
        None
    }

    /// The model's polynomials, with the blinding of its key.
    fn prepare(model: Self::Model, blinds: &[Fr]) -> Result<Self, Error>;

    /// Checks the rows and evaluates the model on them.
    fn start<'a>(
        &'a self,
        bases: &'a Bases,
        inputs: &Inputs,
    ) -> Result<Box<dyn Witness + 'a>, Error>;
}

/// A relation whose type is forgotten.
pub(crate) trait Prepared: Any + Send + Sync {
    /// As [`Relation::start`].
    fn start<'a>(
        &'a self,
        bases: &'a Bases,
        inputs: &Inputs,
    ) -> Result<Box<dyn Witness + 'a>, Error>;
}

impl<R: Relation> Prepared for R {
    fn start<'a>(
        &'a self,
        bases: &'a Bases,
        inputs: &Inputs,
    ) -> Result<Box<dyn Witness + 'a>, Error> {
        Relation::start(self, bases, inputs)
    }
}

/// One statement's witness, as its columns come into being.
pub(crate) trait Witness: Sync {
    /// Per row: the packed output groups.
    fn outputs(&self) -> &[Vec<Fr>];

    /// The rows whose values end within the model before its own do (networks-circuit.md, section 8); nothing proves it.
    fn ended(&self) -> &[usize] {
        &[]
    }

    /// The public words of the rows' inputs, where they are not those that the rows came in.
    fn input_words(&self) -> Option<Vec<[u8; WORD]>> {
        None
    }

    /// `C_in`, for private inputs.
    fn commitment(&self) -> Option<G1Affine> {
        None
    }

    /// The commitments of the next round, pack by pack in the relation's order. `challenges` are all that were drawn.
    fn round(
        &mut self,
        statement: &Statement,
        challenges: &[Fr],
    ) -> Result<Vec<G1Projective>, Error>;

    /// The constraints over their vanishing polynomials, once all rounds are over; empty where there is no quotient.
    fn quotient(&self, challenges: &[Fr]) -> Result<Vec<Fr>, Error>;

    /// The coefficients of a polynomial of the relation: a column, or one of the key's.
    fn polynomial(&self, name: Name) -> Result<Cow<'_, [Fr]>, Error>;

    /// Its value at a point.
    fn evaluate(&self, name: Name, point: Fr) -> Result<Fr, Error> {
        Ok(evaluate(&self.polynomial(name)?, point))
    }
}
