//! The claims of a linear proof (spec 5).

use crate::lagrange::{pow2, Lagrange};
use crate::opening::{Claim, PointSet};
use crate::proof::Proof;
use crate::verify::{divisors, opened, Feed, View};
use crate::{linear, Error};
use ark_ff::{One, Zero};
use assay_algebra::Fr;

impl View<'_> {
    pub(crate) fn linear_claims(
        &self,
        proof: &Proof<'_>,
        alpha: Fr,
        y: Fr,
        zeta: Fr,
    ) -> Result<Vec<Claim>, Error> {
        let [_, two, chunks] = &proof.rounds;
        let phi = Feed(two.iter()).one()?;
        let next_phi = Feed(proof.evaluations.iter()).one()?;
        let weights = Feed(self.fixed.iter()).one()?;
        let slots = self.slot(zeta)?;
        let row = linear::Row {
            slots: linear::Slots {
                start: slots.one(0)?,
                last: slots.one(self.last_slot())?,
            },
            x: self.linear_inputs(alpha, zeta)?,
            next_phi,
            public_outputs: self.linear_outputs(alpha, zeta)?,
        };
        let sum = linear::constraints(y, &row);
        let [over, _, _] = divisors(
            pow2(zeta, self.log_domain) - Fr::one(),
            Fr::one(),
            Fr::one(),
        )?;
        let mut terms = vec![(sum.phi * over, phi), (sum.weights * over, weights)];
        terms.extend(self.quotient_terms(chunks, zeta));
        let remainder = Claim {
            terms,
            constant: sum.constant * over,
            set: PointSet::Here,
            here: Fr::zero(),
            next: Fr::zero(),
        };
        Ok(vec![
            remainder,
            opened(phi, PointSet::Next, Fr::zero(), next_phi),
        ])
    }

    /// The rows of slot `slot` in every output group's segment.
    fn segment_rows(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        let stride = usize::try_from(self.shape.stride).unwrap_or(usize::MAX);
        let groups = usize::try_from(self.shape.output_groups()).unwrap_or(0);
        (0..groups).map(move |group| group.saturating_mul(stride).saturating_add(slot))
    }

    /// `x(ζ)`: the combined input words, and the combined 1 behind them.
    fn linear_inputs(&self, alpha: Fr, zeta: Fr) -> Result<Fr, Error> {
        let rows: Vec<Vec<Fr>> = self
            .statement
            .inputs
            .iter()
            .map(|row| row.iter().copied().chain([Fr::one()]).collect())
            .collect();
        let terms: Vec<_> = linear::combine(alpha, &rows)
            .into_iter()
            .enumerate()
            .flat_map(|(slot, value)| self.segment_rows(slot).map(move |row| (row, value)))
            .collect();
        Lagrange::new(self.shape.log_block(), zeta)?.sum(&terms)
    }

    /// `OPI(ζ)`.
    fn linear_outputs(&self, alpha: Fr, zeta: Fr) -> Result<Fr, Error> {
        let outputs = linear::combine(alpha, &self.statement.outputs);
        let terms: Vec<_> = self.segment_rows(self.last_slot()).zip(outputs).collect();
        Lagrange::new(self.shape.log_block(), zeta)?.sum(&terms)
    }
}
