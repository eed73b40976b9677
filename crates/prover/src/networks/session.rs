//! One network proof as it comes into being (4).

use super::fixed::Fixed;
use super::gather::on_roots;
use super::matrix::Folded;
use super::sums::{points, Inverses, Rows};
use super::NetworkRelation;
use crate::bases::{Bases, Scalars};
use crate::column::{blinds, Column, Counted, Packed, ONCE, TWICE, TWICE_IN_PACK};
use crate::prove::opening_scalar;
use crate::relation::Witness;
use crate::{Error, Inputs};
use ark_bn254::{G1Affine, G1Projective};
use ark_ec::CurveGroup;
use ark_ff::{Field, Zero};
use assay_algebra::{evaluate, signed, word, Fr, WORD};
use assay_circuit::{NetworkModel, NetworkWitness};
use assay_msm::{ByValue, FixedBase};
use assay_verifier::networks::{
    self, lane_factor, names, offset, Challenges, Fold, LANES, PER_HELPER,
};
use assay_verifier::relation::{Name, INPUT};
use assay_verifier::{Network, Shape, Statement};
use rayon::prelude::*;
use std::borrow::Cow;
use std::sync::Arc;

/// One proof.
pub(super) struct Session<'a> {
    pub relation: &'a NetworkRelation,
    pub bases: &'a Bases,
    pub log_rows: u32,
    pub log_domain: u32,
    pub witness: NetworkWitness,
    pub fixed: Arc<Fixed>,
    /// `ω^i`.
    pub points: Vec<Fr>,
    /// Per row: the packed outputs.
    outputs: Vec<Vec<Fr>>,
    powers: Arc<FixedBase>,
    /// `I`, for private inputs.
    pub input: Option<Column>,
    /// The Lagrange points of the rows that have a limb's value, summed, for each limb and the low part: of large
    /// batches only.
    groups: Vec<ByValue>,
    /// The columns' coefficients, as rounds make them.
    pub columns: Vec<(Name, Vec<Fr>)>,
    pub second: Option<Second>,
    pub third: Option<Third<'a>>,
    pub fourth: Option<Fourth>,
}

/// What later rounds need of round 2.
pub(super) struct Second {
    /// The values of `x̃` on `U`.
    pub gathered: Vec<Fr>,
    over_positions: Vec<Fr>,
    pub inverses: Inverses,
}

/// Of round 3.
pub(super) struct Third<'a> {
    /// The values of `h_1 … h_Hn, h_lin` on `H`.
    pub sums: Vec<Vec<Fr>>,
    /// `(w - w̃)/(X^K - p)`.
    pub quotient: Vec<Fr>,
    /// `w`: the parts' sum.
    whole: Cow<'a, [Fr]>,
}

/// Of round 4.
pub(super) struct Fourth {
    /// `T_pub`.
    pub public: Fr,
}

/// Columns with their names.
type Named = Vec<(Name, Vec<Fr>)>;

/// Blinding coefficients of columns in packs: one more than alone, for what a pack shows of its columns together.
const PACKED: usize = ONCE + 1;

/// A round was asked for before the one that it follows.
pub(super) const ORDER: Error = Error::Damaged("rounds");

/// Up to so many points a basis of their own, with a table for its length, is faster than that of all powers.
const OWN: usize = 1 << 11;

/// Logarithm of the rows from which on limbs and their helpers are committed by the limbs' values.
const LOG_GROUPED: u32 = 14;

/// Masks of `w̃`: it is seen at `τ`, `1/τ`, `ζ` and `1/ζ`.
const MASKS: usize = 4;

impl<'a> Session<'a> {
    /// Starts from a witness.
    pub fn new(
        relation: &'a NetworkRelation,
        bases: &'a Bases,
        inputs: &Inputs,
        witness: NetworkWitness,
    ) -> Result<Self, Error> {
        let shape = relation.shape();
        let log_rows = inputs.rows.len().next_power_of_two().trailing_zeros();
        let log_domain = shape.log_block() + log_rows;
        let private = shape.private().then(|| -> Result<Column, Error> {
            let basis = bases.lagrange_for(log_domain, Scalars::Short)?;
            let values = input_rows(relation, &witness);
            let blind = [opening_scalar(inputs.opening, &bases.tau, &values)];
            Ok(Column::with_blinds(&values, &blind, &basis))
        });
        let input = private.transpose()?;
        let offset = Fr::from(1u64 << (shape.lane - 1));
        let packed = |row: &Vec<i64>| row.iter().map(|y| number(*y) + offset).collect();
        Ok(Self {
            relation,
            bases,
            log_rows,
            log_domain,
            outputs: witness.outputs.iter().map(packed).collect(),
            fixed: relation.wiring(log_rows),
            points: points(log_domain),
            powers: bases.powers(shape.chunk(log_rows))?,
            witness,
            input,
            groups: Vec::new(),
            columns: Vec::new(),
            second: None,
            third: None,
            fourth: None,
        })
    }

    pub fn shape(&self) -> &Shape {
        self.relation.shape()
    }

    /// The fields that only the shape of a network has.
    pub fn network(&self) -> Result<&Network, Error> {
        let network = self.shape().network.as_ref();
        network.ok_or(Error::Damaged("the shape of the network"))
    }

    pub fn input(&self) -> Option<&Column> {
        self.input.as_ref()
    }

    fn rows(&self) -> Rows<'_> {
        Rows {
            relation: self.relation,
            fixed: &self.fixed,
            witness: &self.witness,
            points: &self.points,
        }
    }

    /// The coefficients of a column.
    pub fn column(&self, name: Name) -> Result<&Vec<Fr>, Error> {
        let found = self.columns.iter().find(|(own, _)| *own == name);
        found.map(|(_, coefficients)| coefficients).ok_or(ORDER)
    }

    /// `(w - w̃)/(X^K - p)`.
    pub fn quotient_of_fold(&self) -> Result<&[Fr], Error> {
        Ok(&self.third.as_ref().ok_or(ORDER)?.quotient)
    }

    /// Sums the rows' points by the values of the limbs and the low part, where these are far fewer than the rows.
    fn group(&mut self) -> Result<(), Error> {
        if self.log_domain < LOG_GROUPED {
            return Ok(());
        }
        let basis = self.bases.lagrange_for(self.log_domain, Scalars::Short)?;
        let parts: Vec<&Vec<u32>> = self.witness.r.iter().chain([&self.witness.l]).collect();
        let groups = parts.par_iter().map(|values| {
            let wide: Vec<u64> = values.iter().map(|value| u64::from(*value)).collect();
            basis.by_value(&wide)
        });
        self.groups = groups.collect();
        Ok(())
    }

    /// The commitment to a limb or the low part, without its blinding, by the groups.
    fn grouped(&self, name: Name) -> Option<G1Projective> {
        let low = (names::LOW, self.witness.r.len());
        let mut limbs = Name::numbered(names::LIMB, low.1).zip(0..).chain([low]);
        let (_, place) = limbs.find(|(own, _)| *own == name)?;
        Some(self.groups.get(place)?.sum(Fr::from))
    }

    /// That to a helper all of whose fractions are of limbs and the low part.
    fn grouped_helper(&self, name: Name, table: &[Fr]) -> Option<G1Projective> {
        let limbs = self.witness.r.len();
        let all = Name::numbered(names::HELPER, limbs);
        let (_, place) = all.zip(0..).find(|(own, _)| *own == name)?;
        let first = place * PER_HELPER;
        let groups = self.groups.get(first..first + PER_HELPER)?;
        let model = &self.relation.model;
        let sums = groups.par_iter().enumerate().map(|(place, group)| {
            group.sum(|value| {
                let value = value as u32;
                let row = if first + place < limbs {
                    NetworkModel::range_row(value)
                } else {
                    model.low_row(value)
                };
                table[row]
            })
        });
        Some(sums.sum())
    }

    /// Commits to columns on `H` in the packs of a round: points in order, and columns. `known` are commitments
    /// without their blinding.
    fn commit(
        &self,
        round: usize,
        columns: &[(Name, Vec<Fr>)],
        scalars: Scalars,
        known: impl Fn(Name) -> Option<G1Projective> + Sync,
        count: impl Fn(Name) -> usize + Sync,
    ) -> Result<(Vec<G1Projective>, Named), Error> {
        let shape = self.shape();
        let rounds = shape.kind.relation().rounds(shape, self.log_rows);
        let packs = rounds.get(round).ok_or(ORDER)?.packs.par_iter();
        let values = |name: &Name| columns.iter().find(|(own, _)| own == name);
        let packs = packs.filter(|pack| pack.iter().all(|name| values(name).is_some()));
        let committed = packs.map(|pack| {
            let columns: Vec<&(Name, Vec<Fr>)> = pack.iter().filter_map(values).collect();
            if let [(name, values)] = columns[..] {
                let column = if let Some(plain) = known(*name) {
                    let basis = self.bases.lagrange_for(self.log_domain, Scalars::Short)?;
                    Column::with_commitment(values, count(*name), plain, &basis)
                } else {
                    self.alone(values, count(*name), scalars)?
                };
                return Ok((column.commitment, vec![(*name, column.coefficients)]));
            }
            let counted = columns.iter();
            let counted =
                counted.map(|(name, values)| (Cow::Borrowed(values.as_slice()), count(*name)));
            let packed = self.together(&counted.collect::<Vec<_>>(), scalars)?;
            let names = columns.iter().map(|(name, _)| *name);
            Ok((packed.commitment, names.zip(packed.columns).collect()))
        });
        let committed: Vec<(G1Projective, Named)> = committed.collect::<Result<_, Error>>()?;
        let (points, kept): (Vec<_>, Vec<_>) = committed.into_iter().unzip();
        Ok((points, kept.into_iter().flatten().collect()))
    }

    /// A column on `H` with a commitment of its own. The basis of long columns is the powers', whose table is there.
    fn alone(&self, values: &[Fr], count: usize, scalars: Scalars) -> Result<Column, Error> {
        if scalars == Scalars::Short {
            let basis = self.bases.lagrange_for(self.log_domain, scalars)?;
            // Short values are committed apart from the blinding, whose length they would share.
            let plain = basis.msm(values);
            return Ok(Column::with_commitment(values, count, plain, &basis));
        }
        if values.len() <= OWN {
            let basis = self.bases.lagrange(self.log_domain)?;
            return Ok(Column::new(values, count, &basis));
        }
        Ok(Column::by_powers(values, count, &self.powers))
    }

    /// Columns on `H` that share a commitment.
    fn together(&self, columns: &[Counted<'_>], scalars: Scalars) -> Result<Packed, Error> {
        let length = self.shape().chunk(self.log_rows);
        if scalars == Scalars::Short {
            Packed::short(columns, self.bases, length)
        } else if columns.len() << self.log_domain <= OWN {
            Packed::new(columns, self.bases, length)
        } else {
            Packed::woven(columns, self.bases, length)
        }
    }

    /// A column that is committed alone.
    fn keep(&mut self, name: Name, column: Column) -> G1Projective {
        self.columns.push((name, column.coefficients));
        column.commitment
    }

    fn commit_first(&mut self) -> Result<Vec<G1Projective>, Error> {
        self.group()?;
        let witness = &self.witness;
        let table = self
            .bases
            .lagrange_for(self.shape().log_table(), Scalars::Short)?;
        let signed = |values: &[i64]| values.iter().map(|v| number(*v)).collect::<Vec<_>>();
        let unsigned = |values: &[u32]| values.iter().map(|v| Fr::from(*v)).collect::<Vec<_>>();
        let limbs = witness.r.iter().map(|limb| unsigned(limb));
        let mut columns: Named = vec![
            (names::A, signed(&witness.a)),
            (names::B, signed(&witness.b)),
            (names::SEGMENT, signed(&witness.k)),
            (names::LOW, unsigned(&witness.l)),
            (names::SLOPE, signed(&witness.slope)),
            (names::Y, signed(&witness.y)),
        ];
        columns.extend(Name::numbered(names::LIMB, witness.r.len()).zip(limbs));
        let uses: Vec<Fr> = witness.m.iter().map(|count| Fr::from(*count)).collect();
        let twice = |name| [names::A, names::B].contains(&name);
        let count = |name| if twice(name) { TWICE_IN_PACK } else { PACKED };
        let (committed, m) = rayon::join(
            || {
                self.commit(
                    0,
                    &columns,
                    Scalars::Short,
                    |name| self.grouped(name),
                    count,
                )
            },
            || {
                let plain = table.msm_u64(&witness.m);
                Column::with_commitment(&uses, ONCE, plain, &table)
            },
        );
        let (mut points, kept) = committed?;
        self.columns.extend(kept);
        points.push(self.keep(names::M, m));
        Ok(points)
    }

    fn commit_second(&mut self, ch: &Challenges) -> Result<Vec<G1Projective>, Error> {
        let rows = self.rows();
        let (over_positions, inverses) =
            rayon::join(|| rows.over_positions(ch.u), || rows.inverses(ch));
        let gathered = rows.gathered(&over_positions);
        let basis = self
            .bases
            .lagrange(self.network()?.slots.trailing_zeros())?;
        let column = Column::new(&gathered, ONCE, &basis);
        self.second = Some(Second {
            gathered,
            over_positions,
            inverses,
        });
        Ok(vec![self.keep(names::GATHERED, column)])
    }

    fn commit_third(&mut self, ch: &Challenges) -> Result<Vec<G1Projective>, Error> {
        let second = self.second.as_ref().ok_or(ORDER)?;
        let rows = self.rows();
        let ((mut sums, linear), folded) = rayon::join(
            || {
                rayon::join(
                    || rows.helpers(&second.inverses),
                    || rows.linear(ch, &second.over_positions),
                )
            },
            || self.fold(ch.p),
        );
        let names = Name::numbered(names::HELPER, sums.len()).chain([names::LINEAR]);
        sums.push(linear);
        let columns: Named = names.zip(sums.iter().cloned()).collect();
        let known = |name| self.grouped_helper(name, &second.inverses.table);
        let (mut points, kept) = self.commit(2, &columns, Scalars::Full, known, |_| PACKED)?;
        let (folded, of_matrix) = folded?;
        self.columns.extend(kept);
        self.third = Some(Third {
            sums,
            quotient: of_matrix.quotient,
            whole: of_matrix.whole,
        });
        points.push(self.keep(names::FOLDED, folded));
        Ok(points)
    }

    /// `w̃` with fresh masks, and the fold that it hides: with the masks' share in the quotient.
    fn fold(&self, p: Fr) -> Result<(Column, Folded<'a>), Error> {
        let mut folded = self.relation.matrix.fold(p);
        let mut coefficients = std::mem::take(&mut folded.remainder);
        let slots = coefficients.len();
        let masks = blinds(MASKS);
        for (t, mask) in masks.iter().enumerate() {
            coefficients[t] -= p * mask;
            folded.quotient[t] -= mask;
        }
        // Beyond the values on U it is a multiple of X^K - 1, by the masks.
        coefficients.extend(masks);
        let mut scalars = on_roots(&coefficients, slots);
        scalars.extend_from_slice(&coefficients[slots..]);
        let basis = self.bases.lagrange(slots.trailing_zeros())?;
        let column = Column {
            commitment: basis.msm(&scalars),
            coefficients,
        };
        Ok((column, folded))
    }

    fn commit_fourth(
        &mut self,
        statement: &Statement,
        ch: &Challenges,
    ) -> Result<Vec<G1Projective>, Error> {
        let second = self.second.as_ref().ok_or(ORDER)?;
        let third = self.third.as_ref().ok_or(ORDER)?;
        let rows = self.rows();
        let fold = Fold::new(self.network()?, ch)?;
        let log_table = self.shape().log_table();
        let suffix = self.bases.suffix(log_table)?;
        let folded = self.column(names::FOLDED)?;
        let phi = || {
            let values = rows.running(ch, &second.inverses, &third.sums);
            self.alone(&values, TWICE, Scalars::Full)
        };
        let phi_table = || {
            let table = &second.inverses.table;
            let growth = rows.growth(ch, &fold, table, &second.gathered, folded);
            let values = total(&growth, 1 << log_table);
            Column::with_terms(&values, TWICE, growth, &suffix)
        };
        let (phi, phi_table) = rayon::join(phi, phi_table);
        let phi = phi?;
        let public = networks::public_sum(self.shape(), statement, ch)?;
        self.fourth = Some(Fourth { public });
        Ok(vec![
            self.keep(names::PHI, phi),
            self.keep(names::PHI_TABLE, phi_table),
        ])
    }
}

/// A running sum from what it grows by: the sum before each row, the total in row 0.
fn total(growth: &[(usize, Fr)], size: usize) -> Vec<Fr> {
    let mut values = vec![Fr::zero(); size];
    for (at, term) in growth {
        values[*at] = *term;
    }
    super::sums::running_sum(values)
}

fn number(value: i64) -> Fr {
    signed(i128::from(value))
}

/// The inputs on their rows, and nothing else.
fn input_rows(relation: &NetworkRelation, witness: &NetworkWitness) -> Vec<Fr> {
    let mut values = vec![Fr::zero(); witness.y.len()];
    for block in (0..values.len()).step_by(relation.shape().block()) {
        for row in &relation.model.network().input_rows {
            values[block + row] = number(witness.y[block + row]);
        }
    }
    values
}

/// A row's public words: thirteen inputs in one.
fn packed(inputs: &[i64]) -> impl Iterator<Item = [u8; WORD]> + '_ {
    inputs.chunks(LANES as usize).map(|inputs| {
        let lanes = (0..).zip(inputs);
        let sum: Fr = lanes.map(|(lane, u)| lane_factor(lane) * number(*u)).sum();
        word(sum + offset(inputs.len() as u32))
    })
}

impl Witness for Session<'_> {
    fn outputs(&self) -> &[Vec<Fr>] {
        &self.outputs
    }

    fn ended(&self) -> &[usize] {
        &self.witness.ended
    }

    fn input_words(&self) -> Option<Vec<[u8; WORD]>> {
        Some(
            self.witness
                .inputs
                .iter()
                .flat_map(|row| packed(row))
                .collect(),
        )
    }

    fn commitment(&self) -> Option<G1Affine> {
        self.input.as_ref().map(|c| c.commitment.into_affine())
    }

    fn round(
        &mut self,
        statement: &Statement,
        challenges: &[Fr],
    ) -> Result<Vec<G1Projective>, Error> {
        let ch = Challenges::new(challenges);
        match challenges.len() {
            0 => self.commit_first(),
            3 => self.commit_second(&ch),
            6 => self.commit_third(&ch),
            8 => self.commit_fourth(statement, &ch),
            _ => Err(ORDER),
        }
    }

    fn quotient(&self, challenges: &[Fr]) -> Result<Vec<Fr>, Error> {
        self.quotient_of(&Challenges::new(challenges))
    }

    fn polynomial(&self, name: Name) -> Result<Cow<'_, [Fr]>, Error> {
        if let Ok(column) = self.column(name) {
            return Ok(Cow::Borrowed(column));
        }
        if let (INPUT, Some(input)) = (name, &self.input) {
            return Ok(Cow::Borrowed(&input.coefficients));
        }
        if name.0 == names::WEIGHTS {
            // `Rz` has the parts with weights whose sum `whole` is: it stands for the first, nothing for the others.
            let whole = &self.third.as_ref().ok_or(ORDER)?.whole;
            return Ok(Cow::Borrowed(if name.1 == 1 { whole } else { &[] }));
        }
        if let Some(table) = self.relation.table.find(name) {
            return Ok(Cow::Borrowed(table));
        }
        let block = self.fixed.find(name).ok_or(ORDER)?;
        Ok(if self.log_rows == 0 {
            Cow::Borrowed(block)
        } else {
            let blocks = 1usize << self.log_rows;
            let mut spread = vec![Fr::zero(); block.len() * blocks];
            for (to, from) in spread.iter_mut().step_by(blocks).zip(block) {
                *to = *from;
            }
            Cow::Owned(spread)
        })
    }

    fn evaluate(&self, name: Name, point: Fr) -> Result<Fr, Error> {
        if let Some(block) = self.fixed.find(name) {
            return Ok(evaluate(block, point.pow([1u64 << self.log_rows])));
        }
        Ok(evaluate(&self.polynomial(name)?, point))
    }
}
