//! The prover: holds a key, the model's polynomials and the reference string.

use crate::bases::Bases;
use crate::opening::{open, weave, Opened};
use crate::outputs::unpack;
use crate::quotient::blind_chunks;
use crate::registry::{Entry, Sizes};
use crate::relation::{Prepared, Witness};
use crate::{Error, ProvingKey};
use ark_bn254::{G1Affine, G1Projective, G2Affine};
use ark_ec::CurveGroup;
use ark_ff::{Field, One, PrimeField};
use assay_algebra::{add_scaled, keccak256, word, Fr, Transcript, WORD};
use assay_circuit::{CircuitFile, Word};
use assay_srs::{random_scalar, verify_file};
use assay_verifier::relation::{At, Evaluation};
use assay_verifier::{
    point2_bytes, point_bytes, Container, Point, ProofLayout, Roots, Shape, Statement, VerifyingKey,
};
use rayon::prelude::*;
use std::borrow::Cow;
use std::path::Path;

/// The rows of one proof.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// Row-major words, `None` for missing.
    pub rows: Vec<Vec<Word>>,
    /// The secret that blinds the input commitment of private inputs; fresh randomness if `None`.
    /// The same secret and inputs give the same commitment under keys of the same layout and reference string.
    pub opening: Option<[u8; 32]>,
    /// Whatever the caller binds the proof to: a consumer, a chain, a period; zero where there is nothing.
    pub context: [u8; WORD],
}

/// A proof, and what whoever makes it knows beside it.
#[derive(Clone, Debug)]
pub struct Proven {
    /// A proof file.
    pub proof: Vec<u8>,
    /// The rows whose values end within the model before its own do: their outputs may not be the model's.
    pub ended: Vec<usize>,
}

/// Everything that is the same for all proofs of one key.
pub struct Prover {
    pub(crate) verifying: VerifyingKey,
    pub(crate) bases: Bases,
    pub(crate) relation: Box<dyn Prepared>,
}

impl Prover {
    /// Prepares a key with the reference string it was made with.
    pub fn new(key: &ProvingKey, srs: &Path) -> Result<Self, Error> {
        // The content, not only what the header says of it.
        let found = verify_file(srs)?.digest;
        if found != key.srs {
            return Err(Error::OtherSrs {
                expected: hex(&key.srs),
                found: hex(&found),
            });
        }
        let file = CircuitFile::parse(&key.circuit)?;
        let entry = Entry::of_circuit(&file)?;
        let sizes = Sizes::of_key(&key.verifying.shape, key.max_rows);
        let shape = Shape {
            srs: key.verifying.shape.srs,
            ..(entry.shape)(&file, sizes)?
        };
        if shape != key.verifying.shape {
            return Err(Error::Damaged("its circuit is not the one that was set up"));
        }
        Ok(Self {
            verifying: key.verifying.clone(),
            bases: Bases::new(srs, key.verifying.tau),
            relation: (entry.prepare)(&file, sizes, &key.blinds)?,
        })
    }

    /// Proves all rows at once; the result is a proof file.
    pub fn prove(&self, inputs: &Inputs) -> Result<Vec<u8>, Error> {
        Ok(self.proven(inputs)?.proof)
    }

    /// The same, with what no proof says.
    pub fn proven(&self, inputs: &Inputs) -> Result<Proven, Error> {
        if inputs.opening.is_some() && !self.verifying.shape.private() {
            return Err(Error::Opening);
        }
        let mut witness = self.relation.start(&self.bases, inputs)?;
        let proof = self.finish(inputs, witness.as_mut())?;
        // What leaves is valid: a bad sector or a bit that flipped must not be found by the contract.
        assay_verifier::verify(&self.verifying, &proof).map_err(|_| Error::Unsound)?;
        let ended = witness.ended().to_vec();
        Ok(Proven { proof, ended })
    }

    /// All rounds for a witness.
    pub(crate) fn finish(
        &self,
        inputs: &Inputs,
        witness: &mut dyn Witness,
    ) -> Result<Vec<u8>, Error> {
        let words = self.words(inputs, witness);
        let rows = u32::try_from(inputs.rows.len()).unwrap_or(u32::MAX);
        let statement = Statement::new(&self.verifying.shape, rows, &words)?;
        let body = self.body(&statement, witness)?;
        Ok(self.container(rows, words, body))
    }

    /// The bytes that go on chain (spec 2).
    fn body(&self, statement: &Statement, witness: &mut dyn Witness) -> Result<Vec<u8>, Error> {
        let shape = &self.verifying.shape;
        let log_rows = statement.log_rows;
        let layout = ProofLayout::new(shape, log_rows);
        let mut transcript = self.transcript(statement);
        let mut body = Vec::new();
        let mut challenges = Vec::new();
        for round in &layout.rounds {
            let columns = witness.round(statement, &challenges)?;
            write(&columns, &mut transcript, &mut body);
            challenges.extend((0..round.challenges).map(|_| transcript.challenge()));
        }
        let powers = self.bases.powers(shape.chunk(log_rows))?;
        let quotient = witness.quotient(&challenges)?;
        let chunks = blind_chunks(&quotient, shape.chunk(log_rows), layout.chunks);
        let commitments: Vec<_> = chunks.par_iter().map(|c| powers.msm(c)).collect();
        write(&commitments, &mut transcript, &mut body);
        let zeta = transcript.challenge();

        let log_domain = shape.log_block() + log_rows;
        let point = |point: Point| point.of(zeta, log_domain, shape.log_table());
        let witness: &dyn Witness = witness;
        let evaluations = layout.evaluations.par_iter().map(|(name, at)| {
            Ok(Evaluation {
                name: *name,
                point: *at,
                value: witness.evaluate(*name, point(*at)?)?,
            })
        });
        let evaluations: Vec<Evaluation> = evaluations.collect::<Result<_, Error>>()?;
        let bytes: Vec<u8> = evaluations.iter().flat_map(|e| word(e.value)).collect();
        transcript.absorb(&bytes);
        body.extend(bytes);

        let at = At {
            shape,
            statement,
            challenges: &challenges,
            zeta,
            evaluations: &evaluations,
        };
        let batch = batch(&at, witness, &chunks)?;
        let proof = open(&batch, point, &mut transcript, &powers)?;
        body.extend(proof.iter().flat_map(point_bytes));
        Ok(body)
    }

    /// The proof file of a statement and its proof.
    fn container(&self, rows: u32, words: Vec<[u8; WORD]>, body: Vec<u8>) -> Vec<u8> {
        let shape = &self.verifying.shape;
        let container = Container {
            digest: self.verifying.digest(),
            inputs: shape.inputs,
            srs: shape.srs,
            features: shape.features,
            outputs: shape.outputs,
            scale_bits: shape.scale_bits,
            rows,
            words,
            body,
        };
        container.to_bytes()
    }

    /// The transcript after the statement.
    fn transcript(&self, statement: &Statement) -> Transcript {
        let rows = word(Fr::from(statement.rows));
        Transcript::new(&[&self.verifying.digest(), &rows, &statement.words.concat()])
    }

    /// The public words of a statement.
    fn words(&self, inputs: &Inputs, witness: &dyn Witness) -> Vec<[u8; WORD]> {
        let shape = &self.verifying.shape;
        let missing = if shape.bits == 64 {
            1u128 << 64
        } else {
            1 << 32
        };
        let mut words = Vec::new();
        if let Some(point) = witness.commitment() {
            words.extend(
                point_bytes(&point)
                    .chunks(WORD)
                    .map(|c| <[u8; WORD]>::try_from(c).unwrap_or_default()),
            );
        } else if let Some(own) = witness.input_words() {
            words.extend(own);
        } else {
            let word = |w: &Word| word(Fr::from(w.map_or(missing, u128::from)));
            words.extend(inputs.rows.iter().flatten().map(word));
        }
        words.extend(witness.outputs().iter().flat_map(|row| unpack(shape, row)));
        words.push(inputs.context);
        words
    }
}

/// Absorbs points and puts them behind the body.
fn write(points: &[G1Projective], transcript: &mut Transcript, body: &mut Vec<u8>) {
    let points: Vec<G1Affine> = G1Projective::normalize_batch(points);
    let bytes: Vec<u8> = points.iter().flat_map(point_bytes).collect();
    transcript.absorb(&bytes);
    body.extend(bytes);
}

/// `Rz` and the opened polynomials in the order of spec 4.7.
fn batch<'w>(
    at: &At<'_>,
    witness: &'w dyn Witness,
    chunks: &[Vec<Fr>],
) -> Result<Vec<Opened<'w>>, Error> {
    let relation = at.shape.kind.relation();
    let remainder = relation.remainder(at)?;
    let mut sum = vec![remainder.constant];
    for (name, factor) in remainder.terms {
        add_scaled(&mut sum, &witness.polynomial(name)?, factor);
    }
    let step = at.zeta.pow([at.shape.chunk(at.log_rows()) as u64]);
    let mut power = -Fr::one();
    for chunk in chunks {
        add_scaled(&mut sum, chunk, power);
        power *= step;
    }
    let mut batch = vec![Opened {
        polynomial: Cow::Owned(sum),
        roots: Roots::of(&[Point::Here]),
    }];
    for opened in relation.openings(at.shape, at.log_rows()) {
        let polynomials = opened.pack.iter().map(|name| witness.polynomial(*name));
        let mut polynomials = polynomials.collect::<Result<Vec<_>, _>>()?;
        batch.push(Opened {
            roots: Roots {
                set: opened.set,
                width: polynomials.len(),
            },
            polynomial: match polynomials.pop() {
                Some(alone) if polynomials.is_empty() => alone,
                last => {
                    polynomials.extend(last);
                    Cow::Owned(weave(&polynomials))
                }
            },
        });
    }
    Ok(batch)
}

/// The blinding coefficient of the input commitment: random, or derived from the opening secret, the reference string
/// *and* everything committed. So one secret never blinds two different inputs alike, nor one input under two strings,
/// where the difference of two commitments would let anyone test guesses of the input.
pub(crate) fn opening_scalar(opening: Option<[u8; 32]>, tau: &G2Affine, values: &[Fr]) -> Fr {
    opening.map_or_else(random_scalar, |secret| {
        let bytes: Vec<u8> = values.iter().flat_map(|value| word(*value)).collect();
        let string = point2_bytes(tau);
        let seed = keccak256(&[b"assay input opening", &secret, &string, &bytes]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ec::AffineRepr;

    #[test]
    fn the_blinding_of_an_opening_is_of_one_string_and_one_input() {
        let string = |k: u64| (G2Affine::generator() * Fr::from(k)).into_affine();
        let values = [Fr::from(3u64), Fr::from(4u64)];
        let of = |secret, tau: u64, values: &[Fr]| opening_scalar(secret, &string(tau), values);
        let first = of(Some([7; 32]), 1, &values);
        assert_eq!(first, of(Some([7; 32]), 1, &values));
        assert_ne!(first, of(Some([7; 32]), 2, &values));
        assert_ne!(first, of(Some([8; 32]), 1, &values));
        assert_ne!(first, of(Some([7; 32]), 1, &values[..1]));
        assert_ne!(of(None, 1, &values), of(None, 1, &values));
    }
}
