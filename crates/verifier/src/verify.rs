//! The verifier: words, transcript, constraints at `ζ`, opening (spec 6).

use crate::lagrange::{pow2, Lagrange};
use crate::opening::{check, Claim, Inverses, Opening, PointSet};
use crate::proof::Proof;
use crate::{trees, Container, Error, Kind, ProofLayout, Shape, Statement, VerifyingKey};
use ark_bn254::G1Affine;
use ark_ff::{Field, One, Zero};
use assay_algebra::{root_of_unity, Fr, Transcript, WORD};

/// Verifies a proof file against a key; `Ok` means that the proof is valid.
pub fn verify(key: &VerifyingKey, proof: &[u8]) -> Result<Container, Error> {
    let container = Container::from_bytes(proof)?;
    if !container.is_of(key) {
        return Err(Error::OtherModel {
            expected: hex(key.digest()),
            found: hex(container.digest),
        });
    }
    let statement = Statement::new(&key.shape, container.rows, &container.words)?;
    verify_body(key, &statement, &container.body)?;
    Ok(container)
}

fn hex(digest: [u8; 32]) -> String {
    digest
        .iter()
        .take(8)
        .fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}

/// Verifies the bytes that go on chain.
pub fn verify_body(key: &VerifyingKey, statement: &Statement, body: &[u8]) -> Result<(), Error> {
    let log_rows = statement.log_rows;
    let proof = Proof::read(&ProofLayout::new(&key.shape, log_rows), body)?;
    let fixed_index = usize::try_from(log_rows).map_err(|_| Error::Shape("rows"))?;
    let view = View {
        shape: &key.shape,
        table: &key.table,
        fixed: key.fixed.get(fixed_index).ok_or(Error::Shape("rows"))?,
        statement,
        log_rows,
        log_domain: key.shape.log_block().saturating_add(log_rows),
    };
    let mut transcript = start(key, statement);
    let [one, two, three] = proof.round_bytes;
    transcript.absorb(one);
    let alpha = transcript.challenge();
    let beta = transcript.challenge();
    transcript.absorb(two);
    let y = transcript.challenge();
    transcript.absorb(three);
    let zeta = transcript.challenge();
    transcript.absorb(proof.evaluation_bytes);
    let gamma = transcript.challenge();
    transcript.absorb(proof.w_bytes);
    let z = transcript.challenge();

    let claims = match key.shape.kind {
        Kind::Trees => view.tree_claims(&proof, &trees::Challenges::new(alpha, beta, y), zeta)?,
        Kind::Linear => view.linear_claims(&proof, alpha, y, zeta)?,
    };
    let next = zeta * root(view.log_domain)?;
    let next_of_table = match key.shape.kind {
        Kind::Trees => zeta * root(key.shape.log_table())?,
        Kind::Linear => next,
    };
    let inverses = Inverses::new(z, zeta, next, next_of_table)?;
    let opening = Opening {
        gamma,
        z,
        w: proof.w,
        w_prime: proof.w_prime,
    };
    check(&claims, &inverses, &opening, key.tau)
}

/// The transcript after the statement (spec 2).
fn start(key: &VerifyingKey, statement: &Statement) -> Transcript {
    let mut rows = [0; WORD];
    for (to, from) in rows.iter_mut().rev().zip(statement.rows.to_le_bytes()) {
        *to = from;
    }
    Transcript::new(&[&key.digest(), &rows, &statement.words.concat()])
}

pub(crate) fn root(log: u32) -> Result<Fr, Error> {
    root_of_unity(log).ok_or(Error::Shape("domain"))
}

/// A key seen with one statement.
pub(crate) struct View<'a> {
    pub(crate) shape: &'a Shape,
    pub(crate) table: &'a [G1Affine],
    pub(crate) fixed: &'a [G1Affine],
    pub(crate) statement: &'a Statement,
    pub(crate) log_rows: u32,
    pub(crate) log_domain: u32,
}

/// Takes values in order; a layout that does not match is a truncated proof.
pub(crate) struct Feed<'a, T>(pub(crate) std::slice::Iter<'a, T>);

impl<T: Copy> Feed<'_, T> {
    pub(crate) fn one(&mut self) -> Result<T, Error> {
        self.0.next().copied().ok_or(Error::Truncated)
    }

    pub(crate) fn many(&mut self, count: usize) -> Result<Vec<T>, Error> {
        (0..count).map(|_| self.one()).collect()
    }
}

/// Polynomials opened at `ζ` alone.
pub(crate) fn here(point: G1Affine, value: Fr) -> Claim {
    opened(point, PointSet::Here, value, Fr::zero())
}

pub(crate) fn opened(point: G1Affine, set: PointSet, here: Fr, next: Fr) -> Claim {
    Claim {
        terms: vec![(Fr::one(), point)],
        constant: Fr::zero(),
        set,
        here,
        next,
    }
}

impl View<'_> {
    /// The terms of `- Σ ζ^(i Ck) Quot_i`.
    pub(crate) fn quotient_terms(&self, chunks: &[G1Affine], zeta: Fr) -> Vec<(Fr, G1Affine)> {
        let chunk = u64::try_from(self.shape.chunk(self.log_rows)).unwrap_or(u64::MAX);
        let step = zeta.pow([chunk]);
        let mut power = -Fr::one();
        chunks
            .iter()
            .map(|point| {
                let term = (power, *point);
                power *= step;
                term
            })
            .collect()
    }

    /// The Lagrange polynomials of the slots at `ζ`.
    pub(crate) fn slot(&self, zeta: Fr) -> Result<Lagrange, Error> {
        let log_stride = self.shape.stride.trailing_zeros();
        Lagrange::new(
            log_stride,
            pow2(zeta, self.log_domain.saturating_sub(log_stride)),
        )
    }

    pub(crate) fn last_slot(&self) -> usize {
        usize::try_from(self.shape.stride)
            .unwrap_or(usize::MAX)
            .saturating_sub(1)
    }
}

pub(crate) fn divisors(h: Fr, v: Fr, one: Fr) -> Result<[Fr; 3], Error> {
    let inverted = assay_algebra::inverses(vec![h, v, one]).ok_or(Error::Denominator)?;
    inverted.try_into().map_err(|_| Error::Denominator)
}
