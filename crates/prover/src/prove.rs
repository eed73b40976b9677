//! The prover: holds a key, the model's polynomials and the reference string.

use crate::bases::Bases;
use crate::column::blinded;
use crate::fixed::{coefficients, values};
use crate::trees::Table;
use crate::{linear, outputs::unpack, setup::weight_rows, trees, Error, ProvingKey};
use ark_bn254::G1Affine;
use ark_ff::PrimeField;
use assay_algebra::{keccak256, Fr, Transcript, WORD};
use assay_circuit::{CircuitFile, LinearModel, Model, TreeModel, Word};
use assay_srs::{random_scalar, Info};
use assay_verifier::{point_bytes, Container, Fixed, Shape, VerifyingKey};
use std::path::Path;

/// The rows of one proof.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Row-major words, `None` for missing.
    pub rows: Vec<Vec<Word>>,
    /// The secret that blinds the input commitment of private inputs; fresh randomness if `None`.
    /// The same secret and inputs give the same commitment under keys of the same layout.
    pub opening: Option<[u8; 32]>,
}

/// Everything that is the same for all proofs of one key.
pub struct Prover {
    pub(crate) verifying: VerifyingKey,
    pub(crate) bases: Bases,
    pub(crate) relation: Relation,
}

pub(crate) enum Relation {
    Trees(Box<TreeRelation>),
    Linear(LinearRelation),
}

pub(crate) struct TreeRelation {
    pub model: TreeModel,
    pub table: Table,
}

pub(crate) struct LinearRelation {
    pub model: LinearModel,
    /// The coefficients of the blinded weights.
    pub weights: Vec<Fr>,
}

impl Prover {
    /// Prepares a key with the reference string it was made with.
    pub fn new(key: &ProvingKey, srs: &Path) -> Result<Self, Error> {
        let found = Info::read(srs)?.digest;
        if found != key.srs {
            return Err(Error::OtherSrs {
                expected: hex(&key.srs),
                found: hex(&found),
            });
        }
        let model = Model::new(&CircuitFile::parse(&key.circuit)?, key.max_rows)?;
        let shape = Shape {
            srs: key.verifying.shape.srs,
            ..model.shape().clone()
        };
        if shape != key.verifying.shape {
            return Err(Error::Damaged("its circuit is not the one that was set up"));
        }
        let relation = match model {
            Model::Trees(model) => {
                let blinds = key
                    .blinds
                    .as_slice()
                    .try_into()
                    .map_err(|_| Error::Damaged("blinds"))?;
                let table = Table::new(&model, blinds)?;
                Relation::Trees(Box::new(TreeRelation { model, table }))
            }
            Model::Linear(model) => Relation::Linear(LinearRelation {
                weights: blinded(&weight_rows(&model), &key.blinds),
                model,
            }),
        };
        Ok(Self {
            verifying: key.verifying.clone(),
            bases: Bases::new(srs),
            relation,
        })
    }

    /// Proves all rows at once; the result is a proof file.
    pub fn prove(&self, inputs: &Inputs) -> Result<Vec<u8>, Error> {
        let shape = &self.verifying.shape;
        if inputs.opening.is_some() && !shape.private() {
            return Err(Error::Opening);
        }
        let (words, body) = match &self.relation {
            Relation::Trees(relation) => trees::prove(self, relation, inputs)?,
            Relation::Linear(relation) => linear::prove(self, relation, inputs)?,
        };
        Ok(self.container(inputs, words, body))
    }

    /// The proof file of a statement and its proof.
    pub(crate) fn container(
        &self,
        inputs: &Inputs,
        words: Vec<[u8; WORD]>,
        body: Vec<u8>,
    ) -> Vec<u8> {
        let shape = &self.verifying.shape;
        let container = Container {
            digest: self.verifying.digest(),
            inputs: shape.inputs,
            srs: shape.srs,
            features: shape.features,
            outputs: shape.outputs,
            scale_bits: shape.scale_bits,
            rows: u32::try_from(inputs.rows.len()).unwrap_or(u32::MAX),
            words,
            body,
        };
        container.to_bytes()
    }

    /// The transcript after the statement.
    pub(crate) fn transcript(&self, rows: usize, words: &[[u8; WORD]]) -> Transcript {
        let rows = assay_algebra::word(Fr::from(rows as u64));
        Transcript::new(&[&self.verifying.digest(), &rows, &words.concat()])
    }

    /// The public words of a statement.
    pub(crate) fn words(
        &self,
        inputs: &Inputs,
        commitment: Option<G1Affine>,
        outputs: &[Vec<Fr>],
    ) -> Vec<[u8; WORD]> {
        let shape = &self.verifying.shape;
        let missing = if shape.bits == 64 {
            1u128 << 64
        } else {
            1 << 32
        };
        let mut words = Vec::new();
        if let Some(point) = commitment {
            words.extend(
                point_bytes(&point)
                    .chunks(WORD)
                    .map(|c| <[u8; WORD]>::try_from(c).unwrap_or_default()),
            );
        } else {
            let word = |w: &Word| assay_algebra::word(Fr::from(w.map_or(missing, u128::from)));
            words.extend(inputs.rows.iter().flatten().map(word));
        }
        words.extend(outputs.iter().flat_map(|row| unpack(shape, row)));
        words
    }
}

impl TreeRelation {
    /// The coefficients of a fixed polynomial on one block.
    pub fn fixed(&self, name: Fixed, log_rows: u32) -> Vec<Fr> {
        coefficients(&values(&self.model.shape, name, log_rows))
    }
}

/// The blinding coefficient of the input commitment: random, or derived from the opening secret *and* everything
/// committed, so that one secret never blinds two different inputs alike.
pub(crate) fn opening_scalar(opening: Option<[u8; 32]>, values: &[Fr]) -> Fr {
    opening.map_or_else(random_scalar, |secret| {
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| assay_algebra::word(*value))
            .collect();
        let seed = keccak256(&[b"assay input opening", &secret, &bytes]);
        let wide = [keccak256(&[&seed, &[0]]), keccak256(&[&seed, &[1]])].concat();
        Fr::from_be_bytes_mod_order(&wide)
    })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .take(8)
        .fold(String::from("0x"), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
