//! The verifier: words, transcript, constraints at `ζ`, opening (spec 6).

use crate::lagrange::{block_sum, periodic_sum, pow2, Lagrange};
use crate::opening::{check, Claim, Inverses, Opening, PointSet};
use crate::proof::Proof;
use crate::{
    linear, trees, Container, Error, Fixed, Kind, ProofLayout, Shape, Statement, VerifyingKey,
};
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
    let log_rows = statement.log_rows();
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
        Kind::Linear => view.linear_claims(&proof, y, zeta)?,
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

fn root(log: u32) -> Result<Fr, Error> {
    root_of_unity(log).ok_or(Error::Shape("domain"))
}

/// A key seen with one statement.
struct View<'a> {
    shape: &'a Shape,
    table: &'a [G1Affine],
    fixed: &'a [G1Affine],
    statement: &'a Statement,
    log_rows: u32,
    log_domain: u32,
}

/// Takes values in order; a layout that does not match is a truncated proof.
struct Feed<'a, T>(std::slice::Iter<'a, T>);

impl<T: Copy> Feed<'_, T> {
    fn one(&mut self) -> Result<T, Error> {
        self.0.next().copied().ok_or(Error::Truncated)
    }

    fn many(&mut self, count: usize) -> Result<Vec<T>, Error> {
        (0..count).map(|_| self.one()).collect()
    }
}

/// Polynomials opened at `ζ` alone.
fn here(point: G1Affine, value: Fr) -> Claim {
    opened(point, PointSet::Here, value, Fr::zero())
}

fn opened(point: G1Affine, set: PointSet, here: Fr, next: Fr) -> Claim {
    Claim {
        terms: vec![(Fr::one(), point)],
        constant: Fr::zero(),
        set,
        here,
        next,
    }
}

/// The points and values of a tree proof, by their names in the spec.
struct TreeParts {
    x: G1Affine,
    b: G1Affine,
    p: G1Affine,
    c: G1Affine,
    s: Vec<G1Affine>,
    m: G1Affine,
    helpers: Vec<G1Affine>,
    phi: G1Affine,
    phi_table: G1Affine,
    x_value: Fr,
    s_values: Vec<Fr>,
    fixed_values: Vec<Fr>,
    b_value: Fr,
    p_value: Fr,
    phi_table_value: Fr,
    next_b: Fr,
    next_p: Fr,
    next_c: Fr,
    next_phi: Fr,
    next_phi_table_value: Fr,
}

impl TreeParts {
    /// Takes them in the order of spec 4.3 and 4.5.
    fn read(shape: &Shape, fixed: usize, proof: &Proof<'_>) -> Result<Self, Error> {
        let limbs = usize::try_from(shape.limbs).map_err(|_| Error::Shape("limbs"))?;
        let [one, two, _] = &proof.rounds;
        let (mut one, mut two) = (Feed(one.iter()), Feed(two.iter()));
        let mut values = Feed(proof.evaluations.iter());
        Ok(Self {
            x: one.one()?,
            b: one.one()?,
            p: one.one()?,
            c: one.one()?,
            s: one.many(limbs)?,
            m: one.one()?,
            helpers: two.many(shape.helpers())?,
            phi: two.one()?,
            phi_table: two.one()?,
            x_value: values.one()?,
            s_values: values.many(limbs)?,
            fixed_values: values.many(fixed)?,
            b_value: values.one()?,
            p_value: values.one()?,
            phi_table_value: values.one()?,
            next_b: values.one()?,
            next_p: values.one()?,
            next_c: values.one()?,
            next_phi: values.one()?,
            next_phi_table_value: values.one()?,
        })
    }

    /// The batch in the order of spec 4.7.
    fn claims(&self, remainder: Claim, fixed: &[G1Affine]) -> Vec<Claim> {
        let singles = |points: &[G1Affine], values: &[Fr]| {
            points
                .iter()
                .zip(values)
                .map(|(point, value)| here(*point, *value))
                .collect::<Vec<_>>()
        };
        let mut claims = vec![remainder, here(self.x, self.x_value)];
        claims.extend(singles(&self.s, &self.s_values));
        claims.extend(singles(fixed, &self.fixed_values));
        claims.push(opened(
            self.b,
            PointSet::HereAndNext,
            self.b_value,
            self.next_b,
        ));
        claims.push(opened(
            self.p,
            PointSet::HereAndNext,
            self.p_value,
            self.next_p,
        ));
        claims.push(opened(self.c, PointSet::Next, Fr::zero(), self.next_c));
        claims.push(opened(self.phi, PointSet::Next, Fr::zero(), self.next_phi));
        let (now, next) = (self.phi_table_value, self.next_phi_table_value);
        claims.push(opened(
            self.phi_table,
            PointSet::HereAndNextOfTable,
            now,
            next,
        ));
        claims
    }
}

impl View<'_> {
    fn domain(&self) -> usize {
        1usize.checked_shl(self.log_domain).unwrap_or(usize::MAX)
    }

    /// The terms of `- Σ ζ^(i Ck) Quot_i`.
    fn quotient_terms(&self, chunks: &[G1Affine], zeta: Fr) -> Vec<(Fr, G1Affine)> {
        let chunk = u64::try_from(self.shape.chunk(self.domain())).unwrap_or(u64::MAX);
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

    fn tree_claims(
        &self,
        proof: &Proof<'_>,
        ch: &trees::Challenges,
        zeta: Fr,
    ) -> Result<Vec<Claim>, Error> {
        let parts = TreeParts::read(self.shape, self.fixed.len(), proof)?;
        let row = self.tree_row(&parts, zeta)?;
        let constants = trees::Constants::new(self.shape);
        let sum = trees::constraints(&constants, ch, &row);
        let vanish = pow2(zeta, self.log_domain) - Fr::one();
        let vanish_table = pow2(zeta, self.shape.log_table()) - Fr::one();
        let [over_h, over_v, over_one] = divisors(vanish, vanish_table, zeta - Fr::one())?;
        let mut remainder = Claim {
            constant: sum.constant * over_h,
            terms: vec![(sum.c * over_h, parts.c), (sum.phi * over_h, parts.phi)],
            set: PointSet::Here,
            here: Fr::zero(),
            next: Fr::zero(),
        };
        for (coefficient, point) in sum.helpers.iter().zip(&parts.helpers) {
            remainder.terms.push((*coefficient * over_h, *point));
        }
        if let Some(input) = self.statement.commitment {
            remainder.terms.push((sum.input * over_h, input));
        }
        let tail = trees::tail(&constants, ch);
        self.table_terms(&mut remainder, &parts, ch, tail.table * over_v, zeta)?;
        // The three constraints at X = 1.
        let tie = tail.tie * over_one;
        remainder.constant += (tail.start * parts.next_phi
            + tail.start_of_table * parts.next_phi_table_value)
            * over_one;
        remainder.constant -= tie * (parts.phi_table_value + self.output_sum(ch)?);
        remainder.terms.push((tie, parts.phi));
        let [_, _, chunks] = &proof.rounds;
        remainder.terms.extend(self.quotient_terms(chunks, zeta));
        Ok(parts.claims(remainder, self.fixed))
    }

    /// The values that the constraints multiply.
    fn tree_row<'p>(&self, parts: &'p TreeParts, zeta: Fr) -> Result<trees::Row<'p>, Error> {
        let shape = self.shape;
        let names = shape.fixed(self.log_rows);
        let fixed = |name: Fixed| {
            names
                .iter()
                .zip(&parts.fixed_values)
                .find(|(n, _)| **n == name)
                .map(|(_, value)| *value)
        };
        let inputs = &self.statement.inputs;
        Ok(trees::Row {
            point: zeta,
            block_point: pow2(zeta, self.log_rows),
            slots: self.tree_slots(zeta)?,
            x: parts.x_value,
            b: parts.b_value,
            p: parts.p_value,
            s: &parts.s_values,
            next_b: parts.next_b,
            next_p: parts.next_p,
            next_c: parts.next_c,
            next_phi: parts.next_phi,
            block_key: fixed(Fixed::Rho).map_or(Fr::one(), |rho| zeta * rho),
            output_group: fixed(Fixed::OutputGroup).unwrap_or_default(),
            used: fixed(Fixed::Used).unwrap_or_default(),
            offset: fixed(Fixed::Offset).unwrap_or_default(),
            public_inputs: periodic_sum(
                shape.log_block(),
                self.log_rows,
                zeta,
                &shape.input_rows(),
                inputs,
            )?,
        })
    }

    /// Adds constraint 7 times `weight`: `m`, and `t(X)` (spec 4.2).
    fn table_terms(
        &self,
        claim: &mut Claim,
        parts: &TreeParts,
        ch: &trees::Challenges,
        weight: Fr,
        zeta: Fr,
    ) -> Result<(), Error> {
        let (of_table, of_m) =
            trees::table_constraint(zeta, parts.phi_table_value, parts.next_phi_table_value);
        claim.terms.push((of_m * weight, parts.m));
        let weight = of_table * weight;
        let log_ratio = self.shape.ratio.trailing_zeros();
        let u = pow2(zeta, self.shape.log_table().saturating_sub(log_ratio));
        let tag = trees::table_tag(self.shape.ratio, u).ok_or(Error::Denominator)?;
        let [a1, a2, a3, a4] = ch.alpha;
        claim.constant += weight * (ch.beta + a4 * tag);
        let hidden = weight * (u - Fr::one());
        let factors = [weight, hidden * a1, hidden * a2, hidden * a3];
        claim
            .terms
            .extend(factors.into_iter().zip(self.table.iter().copied()));
        Ok(())
    }

    /// `Osum`.
    fn output_sum(&self, ch: &trees::Challenges) -> Result<Fr, Error> {
        let [_, a2, _, a4] = ch.alpha;
        let Some((first, rest)) = self.statement.outputs.split_first() else {
            return Err(Error::Truncated);
        };
        let root = root(self.log_rows)?;
        let mut sum = Fr::zero();
        let mut k = ch.beta + a4 + a4;
        let keys: Vec<Fr> = first
            .iter()
            .map(|_| {
                k += a2;
                k
            })
            .collect();
        for (value, key) in first.iter().zip(&keys) {
            sum += *value * block_sum(*key, self.log_rows)?;
        }
        let mut denominators = Vec::new();
        let mut numerators = Vec::new();
        let mut block = Fr::one();
        for row in rest {
            block *= root;
            for ((value, original), key) in row.iter().zip(first).zip(&keys) {
                numerators.push(*value - original);
                denominators.push(*key + block);
            }
        }
        let inverted = assay_algebra::inverses(denominators).ok_or(Error::Denominator)?;
        Ok(sum
            + numerators
                .iter()
                .zip(inverted)
                .map(|(n, i)| *n * i)
                .sum::<Fr>())
    }

    /// The Lagrange polynomials of the slots at `ζ`.
    fn slot(&self, zeta: Fr) -> Result<Lagrange, Error> {
        let log_stride = self.shape.stride.trailing_zeros();
        Lagrange::new(
            log_stride,
            pow2(zeta, self.log_domain.saturating_sub(log_stride)),
        )
    }

    fn tree_slots(&self, zeta: Fr) -> Result<trees::Slots, Error> {
        let slots = self.slot(zeta)?;
        let input_slots =
            usize::try_from(self.shape.input_slots()).map_err(|_| Error::Shape("stride"))?;
        let every = |from: usize, step: usize| {
            let terms: Vec<_> = (from..input_slots)
                .step_by(step)
                .map(|j| (j, Fr::one()))
                .collect();
            slots.sum(&terms)
        };
        Ok(trees::Slots {
            input: every(0, 1)?,
            output: slots.one(self.last_slot())?,
            first: slots.one(input_slots)?,
            even: every(0, 2)?,
            odd: every(1, 2)?,
        })
    }

    fn last_slot(&self) -> usize {
        usize::try_from(self.shape.stride)
            .unwrap_or(usize::MAX)
            .saturating_sub(1)
    }

    fn linear_claims(&self, proof: &Proof<'_>, y: Fr, zeta: Fr) -> Result<Vec<Claim>, Error> {
        let [one, two, chunks] = &proof.rounds;
        let private = self.shape.private();
        let mut values = Feed(proof.evaluations.iter());
        let hidden = if private {
            Some((Feed(one.iter()).one()?, values.one()?))
        } else {
            None
        };
        let phi = Feed(two.iter()).one()?;
        let next_phi = values.one()?;
        let weights = Feed(self.fixed.iter()).one()?;
        let features =
            usize::try_from(self.shape.features).map_err(|_| Error::Shape("features"))?;
        let slots = self.slot(zeta)?;
        let feature_slots: Vec<_> = (0..features).map(|slot| (slot, Fr::one())).collect();
        let row = linear::Row {
            slots: linear::Slots {
                start: slots.one(0)?,
                last: slots.one(self.last_slot())?,
                features: slots.sum(&feature_slots)?,
                one: slots.one(features)?,
            },
            x: match hidden {
                Some((_, value)) => value,
                None => self.linear_inputs(zeta)?,
            },
            next_phi,
            public_outputs: self.linear_outputs(zeta)?,
        };
        let sum = linear::constraints(private, y, &row);
        let [over, _, _] = divisors(
            pow2(zeta, self.log_domain) - Fr::one(),
            Fr::one(),
            Fr::one(),
        )?;
        let mut terms = vec![(sum.phi * over, phi), (sum.weights * over, weights)];
        if let Some(input) = self.statement.commitment {
            terms.push((sum.input * over, input));
        }
        terms.extend(self.quotient_terms(chunks, zeta));
        let constant = sum.constant * over;
        let mut claims = vec![Claim {
            terms,
            constant,
            set: PointSet::Here,
            here: Fr::zero(),
            next: Fr::zero(),
        }];
        claims.extend(hidden.map(|(point, value)| here(point, value)));
        claims.push(opened(phi, PointSet::Next, Fr::zero(), next_phi));
        Ok(claims)
    }

    /// The rows of slot `slot` in every output group's segment.
    fn segment_rows(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        let stride = usize::try_from(self.shape.stride).unwrap_or(usize::MAX);
        let groups = usize::try_from(self.shape.output_groups()).unwrap_or(0);
        (0..groups).map(move |group| group.saturating_mul(stride).saturating_add(slot))
    }

    fn linear_inputs(&self, zeta: Fr) -> Result<Fr, Error> {
        let features =
            usize::try_from(self.shape.features).map_err(|_| Error::Shape("features"))?;
        let rows: Vec<usize> = (0..=features)
            .flat_map(|slot| self.segment_rows(slot))
            .collect();
        let groups = self.segment_rows(0).count();
        let values: Vec<Vec<Fr>> = self
            .statement
            .inputs
            .iter()
            .map(|row| {
                let with_one = row.iter().copied().chain(std::iter::once(Fr::one()));
                with_one
                    .flat_map(|value| std::iter::repeat_n(value, groups))
                    .collect()
            })
            .collect();
        periodic_sum(self.shape.log_block(), self.log_rows, zeta, &rows, &values)
    }

    fn linear_outputs(&self, zeta: Fr) -> Result<Fr, Error> {
        let rows: Vec<usize> = self.segment_rows(self.last_slot()).collect();
        periodic_sum(
            self.shape.log_block(),
            self.log_rows,
            zeta,
            &rows,
            &self.statement.outputs,
        )
    }
}

fn divisors(h: Fr, v: Fr, one: Fr) -> Result<[Fr; 3], Error> {
    let inverted = assay_algebra::inverses(vec![h, v, one]).ok_or(Error::Denominator)?;
    inverted.try_into().map_err(|_| Error::Denominator)
}
