//! `Rz` of a network's proof (networks.md 5, 6), and the sum of its public words.

use super::messages::names::{
    A, B, COLUMN, COUNT, COUNT_CELL, FOLDED, GATHERED, HELPER, LANE, LIMB, LINEAR, LOW, M, MAX,
    PHI, PHI_TABLE, POSITION, PRODUCT, READ_A, READ_B, SEGMENT, SLOPE, SLOT, TABLE, USED, Y,
};
use super::messages::parts_of_matrix;
use super::shape::{own, public_slot, LOG_PUBLIC_SLOTS};
use super::{
    constraints, table_constraint, table_factors, Challenges, Constants, Fold, Row, TableRow,
    Weights,
};
use crate::lagrange::pow2;
use crate::opening::Point;
use crate::relation::{At, Combination, Name, INPUT};
use crate::shape::size;
use crate::{Error, Shape, Statement};
use ark_ff::{Field, One};
use assay_algebra::{inverses, root_of_unity, Fr};

/// The challenges of all rounds.
const DRAWN: usize = 9;

pub(super) fn remainder(at: &At<'_>) -> Result<Combination, Error> {
    let (shape, zeta) = (at.shape, at.zeta);
    let network = own(shape)?;
    // Whether all are there; `Challenges` takes 0 for those that are not.
    at.challenge(DRAWN.saturating_sub(1))?;
    let ch = Challenges::new(at.challenges);
    let numbered = |text: &'static str, count: usize| {
        let names = Name::numbered(text, count);
        let values = names.map(|name| at.value(name, Point::Here));
        values.collect::<Result<Vec<_>, _>>()
    };
    let limbs = numbered(LIMB, size(shape.limbs))?;
    let helpers = numbered(HELPER, network.helpers(shape))?;
    let constants = Constants::new(shape, network);
    let weights = Weights::new(&constants, &ch);
    let tail = weights.tail;
    let row = row(at, &limbs, &helpers)?;
    let linear = constraints(&constants, &ch, &weights, &row);
    let folded_point = pow2(zeta, network.slots.trailing_zeros());
    let divisors = inverses(vec![
        pow2(zeta, at.log_domain()) - Fr::one(),
        pow2(zeta, shape.log_table()) - Fr::one(),
        zeta - Fr::one(),
        folded_point - ch.p,
    ]);
    let [over_h, over_v, over_one, over_fold]: [Fr; 4] = divisors
        .and_then(|inverted| inverted.try_into().ok())
        .ok_or(Error::Denominator)?;

    let mut sum = Combination {
        constant: linear.constant * over_h,
        ..Combination::default()
    };
    if shape.private() {
        sum.add(INPUT, linear.input * over_h);
    }
    table_terms(&mut sum, at, &ch, tail.table * over_v)?;
    // The constraints at X = 1.
    let tie = tail.tie * over_one;
    let table = at.value(PHI_TABLE, Point::Here)?;
    let next_of_table = at.value(PHI_TABLE, Point::NextOfTable)?;
    sum.constant += (tail.start * row.next_phi + tail.start_of_table * next_of_table) * over_one;
    sum.constant -= tie * (table + ch.mu * public_sum(shape, at.statement, &ch)?);
    sum.add(PHI, linear.phi * over_h + tie);
    // The folded matrix, and its degree.
    let fold = tail.fold * over_fold;
    let step = ch.p.pow([u64::from(network.part_columns())]);
    let mut weight = fold;
    for name in parts_of_matrix(network) {
        sum.add(name, weight);
        weight *= step;
    }
    sum.constant -= fold * at.value(FOLDED, Point::Here)?;
    let raised = folded_point * zeta.square() * zeta;
    sum.constant += tail.degree * raised * at.value(FOLDED, Point::Inverse)?;
    Ok(sum)
}

/// The values that the constraints multiply.
fn row<'s>(at: &At<'_>, limbs: &'s [Fr], helpers: &'s [Fr]) -> Result<Row<'s>, Error> {
    let optional = |name: Name| at.find(name, Point::Here).unwrap_or_default();
    let here = |name: Name| at.value(name, Point::Here);
    Ok(Row {
        point: at.zeta,
        a: here(A)?,
        b: here(B)?,
        next_a: at.value(A, Point::Next)?,
        next_b: at.value(B, Point::Next)?,
        segment: here(SEGMENT)?,
        low: here(LOW)?,
        limbs,
        slope: here(SLOPE)?,
        y: here(Y)?,
        read_a: here(READ_A)?,
        read_b: here(READ_B)?,
        slot: here(SLOT)?,
        column: here(COLUMN)?,
        position: here(POSITION)?,
        max: optional(MAX),
        used: optional(USED),
        count: here(COUNT)?,
        count_cell: optional(COUNT_CELL),
        lane: at.find(LANE, Point::Here).unwrap_or(Fr::one()),
        product: here(PRODUCT)?,
        helpers,
        linear: here(LINEAR)?,
        next_phi: at.value(PHI, Point::Next)?,
    })
}

/// Adds constraint 4 times `weight`: `m`, and `t`.
fn table_terms(
    sum: &mut Combination,
    at: &At<'_>,
    ch: &Challenges,
    weight: Fr,
) -> Result<(), Error> {
    let fold = Fold::new(own(at.shape)?, ch)?;
    let indicator = fold.indicator(at.zeta, at.shape.log_table())?;
    let row = TableRow {
        point: at.zeta,
        gathered: indicator * at.value(GATHERED, Point::Here)?,
        folded: at.value(FOLDED, Point::Here)?,
        phi: at.value(PHI_TABLE, Point::Here)?,
        next_phi: at.value(PHI_TABLE, Point::NextOfTable)?,
    };
    let (of_table, of_m) = table_constraint(&fold, ch, &row);
    sum.add(M, weight * of_m);
    let mut table = ch.beta;
    for (name, factor) in TABLE.into_iter().zip(table_factors(ch)) {
        table += factor * at.value(name, Point::Here)?;
    }
    sum.constant += weight * of_table * table;
    Ok(())
}

/// `T_pub` (networks.md 5): what all public words of a proof add to the sum of products.
pub fn public_sum(shape: &Shape, statement: &Statement, ch: &Challenges) -> Result<Fr, Error> {
    let slots = public_slots(shape);
    let differences = slots.iter().map(|slot| ch.s - slot).collect();
    let inverted = inverses(differences).ok_or(Error::Denominator)?;
    let (one, others) = inverted.split_first().ok_or(Error::Denominator)?;
    let offset = Fr::from(2u64).pow([u64::from(shape.lane.saturating_sub(1))]);
    // What the words of block `b` add, without ONE.
    let words = |block: usize| -> Fr {
        let inputs = statement.inputs.get(block).into_iter().flatten().copied();
        let outputs = statement.outputs.get(block).into_iter().flatten();
        let outputs = outputs.map(|packed| *packed - offset);
        inputs
            .chain(outputs)
            .zip(others)
            .map(|(word, inverse)| word * inverse)
            .sum()
    };
    let log_blocks = statement.log_rows;
    let block_root = root_of_unity(log_blocks).ok_or(Error::Shape("domain"))?;
    let log_twice = shape
        .log_block()
        .saturating_add(log_blocks)
        .saturating_add(1);
    let first = root_of_unity(log_twice).ok_or(Error::Shape("domain"))?;
    let all = block_poles(shape, ch.u, log_blocks)?;

    let original = words(0);
    let later = 1..size(statement.rows);
    let places = std::iter::successors(Some(first * block_root), |place| Some(*place * block_root));
    let denominators = places.take(later.len()).map(|place| ch.u - place).collect();
    let inverted = inverses(denominators).ok_or(Error::Denominator)?;
    let rest: Fr = later
        .zip(inverted)
        .map(|(block, inverse)| (words(block) - original) * inverse)
        .sum();
    Ok(ch.nu * ((original + one) * all + rest))
}

/// The public slots in use: that of ONE, those of the input words, those of the outputs.
fn public_slots(shape: &Shape) -> Vec<Fr> {
    let count = size(shape.input_groups())
        .saturating_add(size(shape.outputs))
        .saturating_add(1);
    let root = root_of_unity(LOG_PUBLIC_SLOTS).unwrap_or_default();
    let slots = std::iter::successors(Some(public_slot(0)), |slot| Some(*slot * root));
    slots.take(count).collect()
}

/// `Σ_b 1/(u_c - ω_2n·ω_nb^b)`.
fn block_poles(shape: &Shape, u: Fr, log_blocks: u32) -> Result<Fr, Error> {
    let last = root_of_unity(shape.log_block().saturating_add(1)).ok_or(Error::Shape("domain"))?;
    let blocks = Fr::from(2u64).pow([u64::from(log_blocks)]);
    let below = (1u64.checked_shl(log_blocks).ok_or(Error::Shape("rows"))?).saturating_sub(1);
    let denominator = pow2(u, log_blocks) - last;
    let inverse = denominator.inverse().ok_or(Error::Denominator)?;
    Ok(blocks * u.pow([below]) * inverse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::networks::tests::shape;

    #[test]
    fn the_poles_of_all_blocks_by_the_definition() {
        let shape = shape();
        let u = Fr::from(12_345u64);
        for log_blocks in 0..4 {
            let first = root_of_unity(shape.log_block() + log_blocks + 1).unwrap();
            let block = root_of_unity(log_blocks).unwrap();
            let direct: Fr = (0..1u64 << log_blocks)
                .map(|b| (u - first * block.pow([b])).inverse().unwrap())
                .sum();
            assert_eq!(block_poles(&shape, u, log_blocks).unwrap(), direct);
        }
    }
}
