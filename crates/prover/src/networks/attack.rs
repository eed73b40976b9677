//! A prover of networks that cheats, for the tests that show what each constraint is for. Only built with the feature
//! `attack`.

use super::gather::on_roots;
use super::session::{Session, ORDER};
use super::NetworkRelation;
use crate::opening::weave;
use crate::relation::Witness;
use crate::{Error, Inputs, Prover};
use ark_bn254::{G1Affine, G1Projective};
use ark_ff::{Field, One, Zero};
use assay_algebra::{add_scaled, evaluate, interpolate, signed, Fr, WORD};
use assay_circuit::{network_witness, NetworkModel, NetworkWitness};
use assay_verifier::networks::{names, public_sum, Challenges, Fold, NULL_SLOT, PER_HELPER};
use assay_verifier::relation::Name;
use assay_verifier::Statement;
use std::any::Any;
use std::borrow::Cow;

/// Where the prover hides what its false witness leaves in the sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hide {
    /// Nowhere: constraint 7 fails.
    Nowhere,
    /// In the first helper at this row, as if its first limb were 0 (constraint 0 of that helper).
    Limb(usize),
    /// In the helpers of the outputs' reads, as if they were true (constraint 0 of that helper).
    Read,
    /// In `h_lin` (constraint 1).
    Product,
    /// In a step of `φ` that does not follow from its row (constraint 2).
    Step,
    /// In a step of `φ_V` (constraint 4).
    Table,
    /// In a start of `φ` that is not zero (constraint 5).
    Start,
    /// In a start of `φ_V` that is not zero (constraint 6).
    StartOfTable,
    /// In a `w̃` that is not the folded matrix (constraint 8).
    Fold,
    /// In a fifth mask (constraint 9).
    Degree,
}

/// A row that is neither reserved nor the last.
const ROW: usize = 9;

/// An honest session whose columns are changed after each round.
struct Cheat<'a> {
    session: Session<'a>,
    hide: Hide,
}

impl Cheat<'_> {
    fn after_third(&mut self, statement: &Statement, ch: &Challenges) -> Result<(), Error> {
        match self.hide {
            Hide::Read => return Ok(()),
            Hide::Limb(row) => {
                let witness = &self.session.witness;
                let second = self.session.second.as_ref().ok_or(ORDER)?;
                let of = |limb: u32| second.inverses.table[NetworkModel::range_row(limb)];
                let term = of(0) - of(witness.r[0][row]);
                self.raise(0, row, term)?;
            }
            _ => self.told_reads(ch)?,
        }
        match self.hide {
            Hide::Product => {
                let missing = self.missing(statement, ch)?;
                let last = self.session.third.as_ref().ok_or(ORDER)?.sums.len() - 1;
                self.raise(last, ROW, -missing)?;
            }
            Hide::Fold => {
                let power = NULL_SLOT as usize;
                let more = self.missing(statement, ch)? / (self.kappa(ch)? * self.reach(power)?);
                self.column(names::FOLDED)?[power] += more;
            }
            Hide::Degree => {
                let on_slots = self.kappa(ch)? * (Fr::one() - ch.p) * self.reach(4)?;
                let mask = self.missing(statement, ch)? / on_slots;
                let folded = self.column(names::FOLDED)?;
                folded[4] -= ch.p * mask;
                folded.push(mask);
                self.session.third.as_mut().ok_or(ORDER)?.quotient[4] -= mask;
            }
            _ => {}
        }
        Ok(())
    }

    fn after_fourth(&mut self, ch: &Challenges) -> Result<(), Error> {
        let public = self.session.fourth.as_ref().ok_or(ORDER)?.public;
        let end = |column: &[Fr]| evaluate(column, Fr::one());
        let (phi, table) = (
            end(self.session.column(names::PHI)?),
            end(self.session.column(names::PHI_TABLE)?),
        );
        let gap = phi - table - ch.mu * public;
        let step = |size: usize, by: Fr| {
            let at = |row: usize| {
                if row == 0 || row >= ROW {
                    by
                } else {
                    Fr::zero()
                }
            };
            interpolate(&(0..size).map(at).collect::<Vec<_>>())
        };
        let (name, more) = match self.hide {
            Hide::Step => (names::PHI, step(1 << self.session.log_domain, -gap)),
            Hide::Start => (names::PHI, vec![-gap]),
            Hide::Table => {
                let size = 1 << self.session.shape().log_table();
                (names::PHI_TABLE, step(size, gap))
            }
            Hide::StartOfTable => (names::PHI_TABLE, vec![gap]),
            _ => return Ok(()),
        };
        add_scaled(self.column(name)?, &more, Fr::one());
        Ok(())
    }

    /// The helpers have the fractions of what the outputs' rows say that they read.
    fn told_reads(&mut self, ch: &Challenges) -> Result<(), Error> {
        let network = self.session.relation.model.network();
        let which = (network.limbs as usize + 1) / PER_HELPER;
        let (block, outputs) = (network.rows, network.output_rows.clone());
        for start in (0..self.session.witness.a.len()).step_by(block) {
            for output in &outputs {
                let row = start + output;
                let target = start + self.session.relation.addresses[*output][0].row;
                let witness = &self.session.witness;
                let (told, written) = (witness.a[row], witness.y[target]);
                if told != written {
                    let [a1, _, a3] = ch.alpha;
                    let at = ch.beta + a3 + a1 * self.session.points[target];
                    let over = |value: i64| (at + signed(i128::from(value))).inverse();
                    let (told, written) = over(told).zip(over(written)).ok_or(ORDER)?;
                    self.raise(which, row, told - written)?;
                }
            }
        }
        Ok(())
    }

    /// Adds to one of `h_1 … h_Hn, h_lin` at a row.
    fn raise(&mut self, which: usize, row: usize, by: Fr) -> Result<(), Error> {
        let third = self.session.third.as_mut().ok_or(ORDER)?;
        third.sums[which][row] += by;
        let helpers = third.sums.len() - 1;
        let mut name = Name::numbered(names::HELPER, helpers).chain([names::LINEAR]);
        let mut values = vec![Fr::zero(); 1 << self.session.log_domain];
        values[row] = by;
        let name = name.nth(which).ok_or(ORDER)?;
        add_scaled(self.column(name)?, &interpolate(&values), Fr::one());
        Ok(())
    }

    fn column(&mut self, name: Name) -> Result<&mut Vec<Fr>, Error> {
        let found = self.session.columns.iter_mut();
        let mut found = found.filter(|(own, _)| *own == name);
        found.next().map(|(_, f)| f).ok_or(ORDER)
    }

    /// What the sum of products lacks with the folded matrix as it is.
    fn missing(&self, statement: &Statement, ch: &Challenges) -> Result<Fr, Error> {
        let session = &self.session;
        let second = session.second.as_ref().ok_or(ORDER)?;
        let third = session.third.as_ref().ok_or(ORDER)?;
        let linear: Fr = third.sums.last().ok_or(ORDER)?.iter().skip(1).sum();
        let fold = Fold::new(session.network()?, ch)?;
        let points = &session.relation.slots.points;
        let folded = on_roots(session.column(names::FOLDED)?, points.len());
        let mut matrix = Fr::zero();
        for (slot, point) in points.iter().enumerate().skip(1) {
            let factor = fold.factor(ch, *point, folded[slot]) / (ch.s - point);
            matrix += second.gathered[slot] * factor;
        }
        Ok(linear - public_sum(session.shape(), statement, ch)? - matrix)
    }

    /// `κ0`.
    fn kappa(&self, ch: &Challenges) -> Result<Fr, Error> {
        let columns = u64::from(self.session.network()?.columns);
        Ok(Fr::from(columns) / (ch.p.pow([columns]) - Fr::one()))
    }

    /// What `X^power` in `w̃` adds to the sum on `V`, over `κ0`.
    fn reach(&self, power: usize) -> Result<Fr, Error> {
        let gathered = &self.session.second.as_ref().ok_or(ORDER)?.gathered;
        let points = &self.session.relation.slots.points;
        let terms = gathered.iter().zip(points).skip(1);
        let null = points[NULL_SLOT as usize];
        Ok(terms
            .map(|(x, point)| *x * (*point - null) * point.pow([power as u64]))
            .sum())
    }

    /// The commitments of a round, as its columns are now.
    fn commit(&self, round: usize) -> Result<Vec<G1Projective>, Error> {
        let (shape, log_rows) = (self.session.shape(), self.session.log_rows);
        let powers = self.session.bases.powers(shape.chunk(log_rows))?;
        let rounds = shape.kind.relation().rounds(shape, log_rows);
        let packs = &rounds.get(round).ok_or(ORDER)?.packs;
        let commit = |pack: &assay_verifier::relation::Pack| {
            let columns = pack.iter().map(|name| {
                let column = self.session.column(*name)?;
                Ok(Cow::Borrowed(column.as_slice()))
            });
            let columns = columns.collect::<Result<Vec<_>, Error>>()?;
            Ok(powers.msm(&weave(&columns)))
        };
        packs.iter().map(commit).collect()
    }
}

impl Witness for Cheat<'_> {
    fn outputs(&self) -> &[Vec<Fr>] {
        self.session.outputs()
    }

    fn input_words(&self) -> Option<Vec<[u8; WORD]>> {
        self.session.input_words()
    }

    fn commitment(&self) -> Option<G1Affine> {
        self.session.commitment()
    }

    fn round(
        &mut self,
        statement: &Statement,
        challenges: &[Fr],
    ) -> Result<Vec<G1Projective>, Error> {
        let points = self.session.round(statement, challenges)?;
        let ch = Challenges::new(challenges);
        match challenges.len() {
            6 => {
                self.after_third(statement, &ch)?;
                self.commit(2)
            }
            8 => {
                self.after_fourth(&ch)?;
                self.commit(3)
            }
            _ => Ok(points),
        }
    }

    fn quotient(&self, challenges: &[Fr]) -> Result<Vec<Fr>, Error> {
        self.session.quotient(challenges)
    }

    fn polynomial(&self, name: Name) -> Result<Cow<'_, [Fr]>, Error> {
        self.session.polynomial(name)
    }

    fn evaluate(&self, name: Name, point: Fr) -> Result<Fr, Error> {
        self.session.evaluate(name, point)
    }
}

impl Prover {
    /// A proof from a witness that `alter` made false. Private inputs are committed to as they are given.
    pub fn cheat_network(
        &self,
        inputs: &Inputs,
        alter: impl Fn(&mut NetworkWitness, &NetworkModel),
        hide: Hide,
    ) -> Result<Vec<u8>, Error> {
        let relation: &dyn Any = self.relation.as_ref();
        let Some(relation) = relation.downcast_ref::<NetworkRelation>() else {
            return Err(Error::Damaged("only networks are attacked here"));
        };
        let mut witness = network_witness(&relation.model, &inputs.rows)?;
        let honest = Session::new(relation, &self.bases, inputs, witness.clone())?;
        alter(&mut witness, &relation.model);
        let mut session = Session::new(relation, &self.bases, inputs, witness)?;
        session.input = honest.input;
        self.finish(inputs, &mut Cheat { session, hide })
    }
}
