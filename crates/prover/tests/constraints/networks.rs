//! What each constraint of networks is for.

use super::common::make_in_parts;
use super::common::networks::{case, integers, words};
use super::{inputs, only, Made};
use assay_circuit::{network_witness, NetworkModel, NetworkWitness};
use assay_prover::network_attack::Hide;
use assay_prover::Inputs;
use serde_json::json;

/// Of `recurrent`, in their order; with private inputs one more stands before `TABLE`.
const LIMBS: u64 = 0;
const READS: u64 = 1;
const PRODUCTS: u64 = 2;
const STEP: u64 = 3;
const TABLE: u64 = 4;
const START: u64 = 5;
const START_OF_TABLE: u64 = 6;
const TIE: u64 = 7;
const FOLD: u64 = 8;
const DEGREE: u64 = 9;
const COUNT: u64 = 10;
const INPUTS: u64 = 4;

fn made(private: bool, rows: usize) -> (Made, Inputs) {
    made_in_parts(private, rows, None)
}

fn made_in_parts(private: bool, rows: usize, parts: Option<u32>) -> (Made, Inputs) {
    let mut case = case("recurrent");
    if private {
        case["circuit"]["inputs"] = json!("private");
    }
    let made = make_in_parts(&case["circuit"].to_string(), 2, parts);
    let all = integers(&case["inputs"]);
    let request = inputs(all[..rows].iter().map(|row| words(row)).collect());
    (made, request)
}

fn bites(rows: usize, index: u64, alter: impl Fn(&mut NetworkWitness, &NetworkModel), hide: Hide) {
    bites_in_parts(None, rows, index, alter, hide);
}

fn bites_in_parts(
    parts: Option<u32>,
    rows: usize,
    index: u64,
    alter: impl Fn(&mut NetworkWitness, &NetworkModel),
    hide: Hide,
) {
    let (made, request) = made_in_parts(false, rows, parts);
    only(&made, index, COUNT, || {
        made.prover.cheat_network(&request, &alter, hide)
    });
}

/// The output row reads what nobody wrote.
fn other_read(witness: &mut NetworkWitness, model: &NetworkModel) {
    read_other(witness, model, 0, 5);
}

fn read_other(witness: &mut NetworkWitness, model: &NetworkModel, block: usize, more: i64) {
    let row = model.network().output_rows[0] + block * model.network().rows;
    witness.a[row] += more;
    witness.outputs[block][0] += more;
}

/// The row that the output reads has another sum, and all that follows from it.
fn other_sum(witness: &mut NetworkWitness, model: &NetworkModel) {
    sum_other(witness, model, 0, 5);
    witness.count_uses(model);
}

fn sum_other(witness: &mut NetworkWitness, model: &NetworkModel, block: usize, more: i64) {
    let network = model.network();
    let output = network.output_rows[0];
    let start = block * network.rows;
    let row = start + usize::try_from(network.cells.a[output]).unwrap();
    let low_bits = network.low_bits;
    let argument = (witness.k[row] << low_bits) + i64::from(witness.l[row]) + more;
    let segment = i64::from(witness.segment[row]) + (argument >> low_bits) - witness.k[row];
    let place = usize::try_from(segment).unwrap();
    let (id, slope, offset) = model.evaluator.segments().nth(place).unwrap();
    assert_eq!(id, argument >> low_bits);
    let low = argument & ((1 << low_bits) - 1);
    witness.segment[row] = u32::try_from(segment).unwrap();
    witness.k[row] = id;
    witness.l[row] = u32::try_from(low).unwrap();
    witness.slope[row] = slope;
    witness.y[row] = offset + slope * low;
    witness.a[start + output] = witness.y[row];
    witness.outputs[block][0] = witness.y[row];
}

#[test]
fn reads_are_what_was_written() {
    bites(1, READS, other_read, Hide::Read);
}

#[test]
fn sums_follow_their_rows_and_meet() {
    for (index, hide) in [
        (STEP, Hide::Step),
        (TABLE, Hide::Table),
        (START, Hide::Start),
        (START_OF_TABLE, Hide::StartOfTable),
        (TIE, Hide::Nowhere),
    ] {
        bites(1, index, other_read, hide);
        bites(1, index, other_sum, hide);
    }
}

#[test]
fn a_row_adds_its_own_sum() {
    bites(1, PRODUCTS, other_sum, Hide::Product);
}

#[test]
fn the_folded_matrix_is_that_of_the_key() {
    bites(1, FOLD, other_sum, Hide::Fold);
}

#[test]
fn a_matrix_in_parts_is_bound_by_the_same_constraints() {
    for parts in [2, 4] {
        for (index, hide) in [
            (FOLD, Hide::Fold),
            (DEGREE, Hide::Degree),
            (PRODUCTS, Hide::Product),
        ] {
            bites_in_parts(Some(parts), 1, index, other_sum, hide);
        }
    }
}

#[test]
fn there_are_four_masks() {
    bites(1, DEGREE, other_sum, Hide::Degree);
}

#[test]
fn limbs_are_in_range() {
    let (made, request) = made(false, 1);
    // The first row whose second limb can pay for a first one beyond its range.
    let row = std::sync::atomic::AtomicUsize::new(0);
    let wide = |witness: &mut NetworkWitness, model: &NetworkModel| {
        let at = (1..witness.y.len())
            .find(|at| witness.r[1][*at] > 0)
            .unwrap();
        witness.r[0][at] += 1 << model.network().limb_bits;
        witness.r[1][at] -= 1;
        witness.count_uses(model);
        // Counted as the 0 that the helper has.
        witness.m[NetworkModel::range_row(witness.r[0][at])] -= 1;
        witness.m[NetworkModel::range_row(0)] += 1;
        row.store(at, std::sync::atomic::Ordering::SeqCst);
    };
    let _ = made.prover.cheat_network(&request, wide, Hide::Nowhere);
    let hide = Hide::Limb(row.load(std::sync::atomic::Ordering::SeqCst));
    only(&made, LIMBS, COUNT, || {
        made.prover.cheat_network(&request, wide, hide)
    });
}

#[test]
fn hidden_inputs_are_the_committed_ones() {
    let (made, request) = made(true, 1);
    let (_, others) = self::made(true, 2);
    let other = |witness: &mut NetworkWitness, model: &NetworkModel| {
        *witness = network_witness(model, &others.rows[1..]).unwrap();
    };
    only(&made, INPUTS, COUNT + 1, || {
        made.prover.cheat_network(&request, other, Hide::Nowhere)
    });
}

#[test]
fn stated_inputs_are_the_used_ones() {
    let other = |witness: &mut NetworkWitness, _: &NetworkModel| witness.inputs[0][0] += 1;
    bites(1, TIE, other, Hide::Nowhere);
}

#[test]
fn errors_of_two_blocks_do_not_cancel() {
    for (first, second) in [(5, -5), (1, -1), (-3, 3)] {
        let reads = |witness: &mut NetworkWitness, model: &NetworkModel| {
            read_other(witness, model, 0, first);
            read_other(witness, model, 1, second);
        };
        bites(2, TIE, reads, Hide::Nowhere);
        let sums = |witness: &mut NetworkWitness, model: &NetworkModel| {
            sum_other(witness, model, 0, first);
            sum_other(witness, model, 1, second);
            witness.count_uses(model);
        };
        bites(2, TIE, sums, Hide::Nowhere);
    }
}
