//! The verifier: words, transcript, constraints at `ζ`, opening (spec 6).

use crate::opening::{check, Claim, Inverses, Opening, Point, Roots};
use crate::proof::Proof;
use crate::relation::{At, Evaluation, Name, Opened, Pack, INPUT};
use crate::{Container, Error, ProofLayout, Statement, VerifyingKey};
use ark_bn254::G1Affine;
use ark_ff::{Field, One, Zero};
use assay_algebra::{Fr, Transcript, WORD};

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
    let shape = &key.shape;
    let layout = ProofLayout::new(shape, statement.log_rows);
    let proof = Proof::read(&layout, body)?;
    let mut transcript = start(key, statement);
    let mut challenges = Vec::new();
    for (round, points) in layout.rounds.iter().zip(&proof.rounds) {
        transcript.absorb(points.bytes);
        challenges.extend((0..round.challenges).map(|_| transcript.challenge()));
    }
    transcript.absorb(proof.chunks.bytes);
    let zeta = transcript.challenge();
    transcript.absorb(proof.evaluation_bytes);
    let gamma = transcript.challenge();
    transcript.absorb(proof.w_bytes);
    let z = transcript.challenge();
    if zeta.is_zero() {
        return Err(Error::Denominator);
    }

    let claimed = layout.evaluations.iter().zip(&proof.evaluations);
    let evaluations: Vec<_> = claimed
        .map(|((name, point), value)| Evaluation {
            name: *name,
            point: *point,
            value: *value,
        })
        .collect();
    let at = At {
        shape,
        statement,
        challenges: &challenges,
        zeta,
        evaluations: &evaluations,
    };
    let points = named(key, statement, &layout, &proof)?;
    let claims = claims(&at, &points, &proof)?;
    let (domain, table) = (at.log_domain(), shape.log_table());
    let roots = claims.iter().map(|claim| claim.roots);
    let inverses = Inverses::new(z, roots, |point| point.of(zeta, domain, table))?;
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

/// All commitments by what is in them: the proof's, the key's, and that of the inputs.
fn named(
    key: &VerifyingKey,
    statement: &Statement,
    layout: &ProofLayout,
    proof: &Proof<'_>,
) -> Result<Vec<(Pack, G1Affine)>, Error> {
    let relation = key.shape.kind.relation();
    let log = statement.log_rows;
    let fixed = usize::try_from(log).ok().and_then(|log| key.fixed.get(log));
    let fixed = fixed.ok_or(Error::Shape("rows"))?.iter().copied();
    let mut points = Vec::new();
    for (round, of_round) in layout.rounds.iter().zip(&proof.rounds) {
        let packs = round.packs.iter().cloned();
        points.extend(packs.zip(of_round.list.iter().copied()));
    }
    let model = relation.model_packs(&key.shape).into_iter();
    points.extend(model.zip(key.table.iter().copied()));
    points.extend(relation.fixed_packs(&key.shape, log).into_iter().zip(fixed));
    points.extend(statement.commitment.map(|point| (vec![INPUT], point)));
    Ok(points)
}

/// `Rz`, then the opened polynomials in the relation's order (spec 4.7).
fn claims(
    at: &At<'_>,
    points: &[(Pack, G1Affine)],
    proof: &Proof<'_>,
) -> Result<Vec<Claim>, Error> {
    let relation = at.shape.kind.relation();
    let find = |pack: &[Name]| {
        let found = points.iter().find(|(own, _)| own == pack);
        found.map(|(_, point)| *point).ok_or(Error::Truncated)
    };
    let remainder = relation.remainder(at)?;
    let mut terms = remainder
        .terms
        .into_iter()
        .map(|(name, coefficient)| Ok((coefficient, find(&[name])?)))
        .collect::<Result<Vec<_>, Error>>()?;
    terms.extend(quotient_terms(at, &proof.chunks.list));
    let mut claims = vec![Claim {
        terms,
        constant: remainder.constant,
        roots: Roots::of(&[Point::Here]),
        values: vec![Fr::zero()],
    }];
    for Opened { pack, set } in relation.openings(at.shape, at.log_rows()) {
        let pack = pack.as_slice();
        let at_point = |point: Point| pack.iter().map(move |name| at.value(*name, point));
        claims.push(Claim {
            terms: vec![(Fr::one(), find(pack)?)],
            constant: Fr::zero(),
            roots: Roots {
                set,
                width: pack.len(),
            },
            values: set
                .iter()
                .copied()
                .flat_map(at_point)
                .collect::<Result<_, _>>()?,
        });
    }
    Ok(claims)
}

/// The terms of `- Σ ζ^(i Ck) Quot_i`.
fn quotient_terms(at: &At<'_>, chunks: &[G1Affine]) -> Vec<(Fr, G1Affine)> {
    let chunk = u64::try_from(at.shape.chunk(at.log_rows())).unwrap_or(u64::MAX);
    let step = at.zeta.pow([chunk]);
    let powers = std::iter::successors(Some(-Fr::one()), |power| Some(*power * step));
    powers.zip(chunks.iter().copied()).collect()
}
