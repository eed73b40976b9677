//! A key's proof of itself (spec 7.1): its public commitments are those of its shape, under its own `[τ]_2`.

use crate::lagrange::pow2;
use crate::relation::{Place, Public};
use crate::{Error, VerifyingKey};
use ark_bn254::{Bn254, G1Affine, G1Projective};
use ark_ec::{pairing::Pairing, AffineRepr, CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{Field, One, Zero};
use assay_algebra::{inverses, root_of_unity, Fr, Transcript};

/// Rows whose denominators are inverted together: memory does not grow with what a key claims.
const CHUNK: usize = 1 << 12;

/// The powers of `weight` combine the public polynomials, which are opened at `point`.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Its powers are the weights.
    pub weight: Fr,
    /// Where the sum is opened.
    pub point: Fr,
}

impl Drawn {
    /// Drawn from all of a key's bytes but the proof.
    pub fn new(key: &VerifyingKey) -> Self {
        let mut transcript = Transcript::new(&[b"assay key proof", &key.bytes_before_proof()]);
        let (weight, point) = (transcript.challenge(), transcript.challenge());
        Self { weight, point }
    }
}

/// Checks a key's proof of itself. It needs no reference string: that `[τ]_2` is the right one is not part of it.
pub fn check_itself(key: &VerifyingKey) -> Result<(), Error> {
    let relation = key.shape.kind.relation();
    if relation.needs_circuit() {
        return Err(Error::NeedsCircuit);
    }
    let public = relation.public(&key.shape);
    if public.is_empty() {
        return if key.proof.is_none() {
            Ok(())
        } else {
            Err(Error::Itself)
        };
    }
    let proof = key.proof.ok_or(Error::Itself)?;
    let Drawn { weight, point } = Drawn::new(key);
    let (mut points, mut scalars) = (vec![proof], vec![point]);
    let (mut value, mut power) = (Fr::zero(), Fr::one());
    for polynomial in public {
        points.push(commitment(key, &polynomial.place)?);
        scalars.push(power);
        value += power * evaluate(polynomial, point)?;
        power *= weight;
    }
    points.push(G1Affine::generator());
    scalars.push(-value);
    let sum = G1Projective::msm(&points, &scalars).map_err(|_| Error::Itself)?;
    let sides = [sum.into_affine(), (-proof.into_group()).into_affine()];
    let generator = ark_bn254::G2Projective::generator().into_affine();
    if Bn254::multi_pairing(sides, [generator, key.tau]).is_zero() {
        Ok(())
    } else {
        Err(Error::Itself)
    }
}

/// A public commitment of a key.
pub fn commitment(key: &VerifyingKey, place: &Place) -> Result<G1Affine, Error> {
    let found = match place {
        Place::Model(index) => key.table.get(*index),
        Place::Fixed { log_rows, index } => usize::try_from(*log_rows)
            .ok()
            .and_then(|log| key.fixed.get(log)?.get(*index)),
    };
    found.copied().ok_or(Error::Itself)
}

/// The value at `point`, by the barycentric formula.
fn evaluate(polynomial: Public<'_>, point: Fr) -> Result<Fr, Error> {
    let root = root_of_unity(polynomial.log_domain).ok_or(Error::Shape("domain"))?;
    let at = pow2(point, polynomial.log_rows);
    let order = Fr::from(2u64).pow([u64::from(polynomial.log_domain)]);
    let scale = (pow2(at, polynomial.log_domain) - Fr::one())
        * order.inverse().ok_or(Error::Denominator)?;
    let mut rows = polynomial.rows.peekable();
    let (mut row, mut power) = (0usize, Fr::one());
    let mut sum = Fr::zero();
    while rows.peek().is_some() {
        let (mut numerators, mut denominators) = (Vec::new(), Vec::new());
        for (next, value) in rows.by_ref().take(CHUNK) {
            let step = next.checked_sub(row).ok_or(Error::Shape("rows"))?;
            power *= match step {
                0 => Fr::one(),
                1 => root,
                _ => root.pow([u64::try_from(step).unwrap_or(u64::MAX)]),
            };
            row = next;
            numerators.push(value * power);
            denominators.push(at - power);
        }
        let inverted = inverses(denominators).ok_or(Error::Denominator)?;
        sum += numerators
            .iter()
            .zip(inverted)
            .map(|(n, i)| *n * i)
            .sum::<Fr>();
    }
    Ok(sum * scale)
}
