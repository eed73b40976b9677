//! What each constraint is for: a prover that cheats on one constraint only is refused, and accepted once that
//! constraint is removed from prover and verifier.
//!
//! Constraint 2 (`b = 1` at the first step) has no attack of its own: with `b = 0` the visited id would be a root
//! key plus one, which no row of the public column `Pub` holds. It is kept as a second lock.
#![allow(missing_docs)]

mod common;
#[path = "constraints/networks.rs"]
mod networks;

use ark_ff::{Field, Zero};
use assay_algebra::Fr;
use assay_circuit::{walk, TreeModel, TreeWitness};
use assay_prover::attack::{Entries, Hide};
use assay_prover::{Error, Inputs};
use assay_verifier::{attack, verify, Shape};
use common::{circuit, inputs, make, Made, Spec, BASE};
use std::sync::Mutex;

/// The switch that removes a constraint is global.
static ALONE: Mutex<()> = Mutex::new(());

/// Refused as it stands, accepted without constraint `index`, refused without any other one.
fn bites(
    made: &Made,
    request: &Inputs,
    index: u64,
    alter: impl Fn(&mut TreeWitness, &TreeModel),
    hide: Hide,
) {
    stops_at(made, request, index, || {
        made.prover.cheat(request, &alter, hide, Entries::Stated)
    });
}

/// The same for a prover that commits to the entries of its false witness.
fn bites_committed(
    made: &Made,
    request: &Inputs,
    index: u64,
    alter: impl Fn(&mut TreeWitness, &TreeModel),
) {
    stops_at(made, request, index, || {
        made.prover
            .cheat(request, &alter, Hide::Nowhere, Entries::OfWitness)
    });
}

fn stops_at(made: &Made, request: &Inputs, index: u64, cheat: impl Fn() -> Result<Vec<u8>, Error>) {
    let shape = &made.key.verifying.shape;
    let rows = u32::try_from(request.rows.len()).unwrap();
    only(made, index, count(shape, shape.log_blocks(rows)), cheat);
}

/// Of `count` constraints, `index` alone refuses the cheat.
fn only(made: &Made, index: u64, count: u64, cheat: impl Fn() -> Result<Vec<u8>, Error>) {
    let _alone = ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let key = &made.key.verifying;
    let accepted = |removed: Option<u64>| {
        attack::remove(removed);
        let proof = cheat().unwrap();
        let verdict = verify(key, &proof).is_ok();
        attack::remove(None);
        verdict
    };
    assert!(
        !accepted(None),
        "the cheat on constraint {index} is not refused"
    );
    assert!(
        accepted(Some(index)),
        "the cheat does not stop at constraint {index}"
    );
    for other in (0..count).filter(|other| *other != index) {
        assert!(
            !accepted(Some(other)),
            "the cheat on {index} also passes without {other}"
        );
    }
}

/// The number of the first constraint that is not on `H`, for `2^log_rows` blocks.
fn tail(shape: &Shape, log_rows: u32) -> u64 {
    6 + shape.helpers(log_rows) as u64
        + u64::from(shape.accumulates(log_rows))
        + if shape.private() { 2 } else { 0 }
        + if shape.pairs() { 3 } else { 0 }
}

fn count(shape: &Shape, log_rows: u32) -> u64 {
    tail(shape, log_rows) + if shape.accumulates(log_rows) { 6 } else { 4 }
}

/// So many trees that the rows are a quarter of the table: too many for a pack of their columns.
const MANY_TREES: Spec = Spec { trees: 70, ..BASE };

/// Of one row: columns that share commitments, and columns that do not.
fn layouts() -> [(Made, Inputs); 2] {
    [(BASE, true), (MANY_TREES, false)].map(|(spec, packs)| {
        let made = make(&circuit(&spec), 1);
        assert_eq!(made.key.verifying.shape.packs(0), packs);
        (made, inputs(common::rows(&spec, 1)))
    })
}

/// Another output, with nothing else changed.
fn other_output(witness: &mut TreeWitness, _: &TreeModel) {
    witness.outputs[0][0] += Fr::from(1u64);
}

#[test]
fn sums_must_follow_their_rows() {
    for (made, request) in layouts() {
        let first = tail(&made.key.verifying.shape, 0);
        for (index, hide) in [
            (4, Hide::Bus),
            (5, Hide::Helper),
            (first, Hide::Table),
            (first + 1, Hide::Start),
            (first + 2, Hide::StartOfTable),
            (first + 3, Hide::Nowhere),
        ] {
            bites(&made, &request, index, other_output, hide);
        }
    }
}

#[test]
fn wrong_leaves_thresholds_and_children_are_hidden_nowhere_else_than_in_a_sum() {
    for (made, request) in layouts() {
        let shape = made.key.verifying.shape.clone();
        let step = shape.input_slots() as usize;
        let leaf = |witness: &mut TreeWitness, model: &TreeModel| {
            let end = model.shape.stride as usize - 1;
            // A leaf that the model does not have, and the output that follows from it.
            let side = if witness.b[end].is_zero() {
                &mut witness.c[end]
            } else {
                &mut witness.p[end]
            };
            *side += Fr::from(7u64);
            witness.c[end + 1] += Fr::from(7u64);
            witness.outputs[0][0] += Fr::from(7u64);
        };
        bites(&made, &request, 4, leaf, Hide::Bus);
        // An output that is not the leaf.
        let output = |witness: &mut TreeWitness, model: &TreeModel| {
            witness.c[model.shape.stride as usize] += Fr::from(7u64);
            witness.outputs[0][0] += Fr::from(7u64);
        };
        bites(&made, &request, tail(&shape, 0) - 1, output, Hide::Nowhere);
        // A child that is not one; the walk then ends elsewhere.
        let child =
            move |witness: &mut TreeWitness, _: &TreeModel| witness.p[step + 1] += Fr::from(2u64);
        bites(&made, &request, 4, child, Hide::Bus);
        // Counts: a read that is not provided, a table row used more often than looked up.
        let read = |witness: &mut TreeWitness, model: &TreeModel| {
            witness.p[model.shape.input_rows()[0]] += Fr::from(1u64);
        };
        bites(&made, &request, 4, read, Hide::Bus);
        let uses = |witness: &mut TreeWitness, model: &TreeModel| {
            witness.m[model.shape.ratio as usize] += 1;
        };
        bites(&made, &request, tail(&shape, 0), uses, Hide::Table);
    }
}

#[test]
fn the_compared_difference_must_be_in_range() {
    // 5000 is not below 1000; the other side with refitted limbs needs a top limb out of its range.
    let made = make(&stump("3"), 1);
    let flip = |witness: &mut TreeWitness, model: &TreeModel| {
        let shape = &model.shape;
        let row = shape.stride as usize - 2;
        let (ratio, base) = (shape.ratio as usize, u128::from(shape.limb_base()));
        let mut rest = 4000 + shape.bound();
        let last = witness.s.len() - 1;
        for (index, limbs) in witness.s.iter_mut().enumerate() {
            witness.m[(limbs[row] as usize + 1) * ratio] -= 1;
            if index == last {
                limbs[row] = u64::try_from(rest).unwrap();
            } else {
                limbs[row] = u64::try_from(rest % base).unwrap();
                witness.m[(limbs[row] as usize + 1) * ratio] += 1;
            }
            rest /= base;
        }
        witness.b[row + 1] = Fr::from(1u64);
        witness.c[row + 2] += Fr::from(3u64);
        witness.outputs[0][0] += Fr::from(3u64);
    };
    let helper = 4 + made.key.verifying.shape.helpers(0) as u64;
    bites(
        &made,
        &inputs(vec![vec![Some(5000)]]),
        helper,
        flip,
        Hide::HelperAt(helper_row(&made)),
    );
}

/// The row of the stump's comparison.
fn helper_row(made: &Made) -> usize {
    made.key.verifying.shape.stride as usize - 2
}

/// One comparison of one feature with 1000: `left` or 0.
fn stump(left: &str) -> String {
    let tree = |left: &str, right: &str, key: u64| {
        format!(
            r#"{{"nodes":[{{"view":0,"key":"{key}","left":1,"right":2}},{{"leaf":["{left}"]}},{{"leaf":["{right}"]}}]}}"#
        )
    };
    format!(
        r#"{{"schema":"assay-circuit/1","kind":"trees","inputs":"public","features":[{{"name":"f","kind":"float32"}}],"views":[{{"feature":0,"missing":"refuse"}}],"outputs":["o"],"scale_bits":20,"trees":[{},{}],"base":["0"]}}"#,
        tree(left, "0", 1000),
        tree("70", "90", 2000)
    )
}

#[test]
fn the_bit_must_be_a_bit() {
    // With leaves that differ by Bnd, a fraction of a bit moves the output by an integer.
    let shape = make(&stump("1"), 1).key.verifying.shape;
    let made = make(&stump(&shape.bound().to_string()), 1);
    assert_eq!(made.key.verifying.shape.bound(), shape.bound());
    let alter = |witness: &mut TreeWitness, model: &TreeModel| {
        let row = model.shape.stride as usize - 2;
        // s becomes s + 5: the lowest limb, whose count moves with it.
        let limb = witness.s[0][row];
        let ratio = model.shape.ratio as usize;
        witness.m[(limb as usize + 1) * ratio] -= 1;
        witness.m[(limb as usize + 6) * ratio] += 1;
        witness.s[0][row] = limb + 5;
        let fraction = Fr::from(5u64) * Fr::from(model.shape.bound()).inverse().unwrap();
        witness.b[row + 1] += fraction;
        witness.c[row + 2] += Fr::from(5u64);
        witness.outputs[0][0] += Fr::from(5u64);
    };
    bites(
        &made,
        &inputs(vec![vec![Some(5000)]]),
        0,
        alter,
        Hide::Nowhere,
    );
}

#[test]
fn every_tree_is_walked_from_its_own_root() {
    let made = make(&stump("3"), 1);
    let alter = |witness: &mut TreeWitness, model: &TreeModel| {
        // A padding tree (value zero) is walked from the second tree's root: its value counts twice.
        let mut twice = model.clone();
        twice.nodes[2] = twice.nodes[1];
        let mut altered = walk(&twice, &[vec![5000]]);
        let stride = model.shape.stride as usize;
        let first = model.shape.input_slots() as usize;
        let position = |row| assay_circuit::position(row, model.shape.ratio as usize);
        altered.p[2 * stride + first] = altered.p[stride + first];
        let uses = altered.m[position(2)];
        altered.m[position(1)] += uses;
        altered.m[position(2)] = 0;
        altered.outputs[0][0] += Fr::from(90u64);
        *witness = altered;
    };
    bites(
        &made,
        &inputs(vec![vec![Some(5000)]]),
        1,
        alter,
        Hide::Nowhere,
    );
}

#[test]
fn the_entries_are_the_public_inputs() {
    for (made, request) in layouts() {
        let other = |witness: &mut TreeWitness, model: &TreeModel| {
            let keys = vec![1u64 << 30; model.shape.views.len()];
            *witness = walk(model, &[keys]);
        };
        bites(&made, &request, 3, other, Hide::Nowhere);
    }
}

#[test]
fn the_entries_of_a_batch_are_the_public_inputs() {
    let made = make(&circuit(&BASE), 4);
    let request = inputs(common::rows(&BASE, 3));
    let first = tail(&made.key.verifying.shape, 2);
    // The third row's inputs are others than stated.
    let other = |witness: &mut TreeWitness, model: &TreeModel| {
        let stated = witness.outputs.clone();
        let shape = &model.shape;
        let words = &common::rows(&BASE, 3);
        let keys = |row: &Vec<Option<u64>>| -> Vec<u64> {
            let views = shape.views.iter();
            views
                .map(|view| shape.key(view, row[view.feature as usize]).unwrap())
                .collect()
        };
        let mut all: Vec<Vec<u64>> = [&words[0], &words[1], &words[2], &words[0]]
            .into_iter()
            .map(keys)
            .collect();
        all[2] = vec![1 << 30; shape.views.len()];
        *witness = walk(model, &all);
        witness.outputs.truncate(stated.len());
    };
    bites(&made, &request, first + 5, other, Hide::Nowhere);
    bites(&made, &request, first - 2, other, Hide::Accumulator);
    bites(&made, &request, first + 4, other, Hide::StartOfInputs);
    // An input slot that is not in use must hold nothing: it would offer any entry to read.
    let unused = |witness: &mut TreeWitness, model: &TreeModel| {
        let free = (1..model.shape.block())
            .find(|row| {
                row % (model.shape.stride as usize) < model.shape.input_slots() as usize
                    && !model.shape.input_rows().contains(row)
            })
            .unwrap();
        witness.x[free] = Fr::from(5u64);
    };
    bites(&made, &request, first + 5, unused, Hide::Nowhere);
}

fn private(missing: bool) -> (Made, Inputs) {
    let spec = Spec {
        private: true,
        missing,
        ..BASE
    };
    let words = vec![vec![Some(1u64 << 20); spec.features]];
    (make(&circuit(&spec), 1), inputs(words))
}

#[test]
fn hidden_inputs_are_the_committed_ones() {
    let (made, request) = private(false);
    let shape = made.key.verifying.shape.clone();
    let other = |witness: &mut TreeWitness, model: &TreeModel| {
        *witness = walk(model, &[vec![1u64 << 31; model.shape.views.len()]]);
    };
    bites(
        &made,
        &request,
        6 + shape.helpers(0) as u64,
        other,
        Hide::Nowhere,
    );
}

#[test]
fn a_hidden_entry_belongs_to_its_feature() {
    // Reads of view 0 come from the row of view 1, which holds a second value of view 0.
    let spec = Spec {
        private: true,
        missing: false,
        features: 2,
        ..BASE
    };
    let json = circuit(&spec).replace(r#""view":1"#, r#""view":0"#);
    let made = make(&json, 1);
    let shape = made.key.verifying.shape.clone();
    let alter = |witness: &mut TreeWitness, model: &TreeModel| {
        let shape = &model.shape;
        let (first, second) = (shape.input_rows()[0], shape.input_rows()[1]);
        *witness = walk(model, &[vec![1 << 31, 1 << 20]]);
        let reads = witness.p[first];
        witness.x[second] = witness.x[first];
        witness.p[second] = reads;
        witness.p[first] = Fr::zero();
        // Row 0 shows the key that row 1's limbs hold; the statement's commitment is of these entries.
        witness.x[first] = shape.entry(0, 1 << 20);
        for limb in 0..witness.s.len() {
            witness.s[limb].swap(first, second);
        }
    };
    let index = 5 + shape.helpers(0) as u64;
    bites_committed(&made, &inputs(vec![vec![Some(1 << 20); 2]]), index, alter);
}

#[test]
fn a_missing_value_is_missing_in_both_views() {
    let (made, _) = private(true);
    let shape = made.key.verifying.shape.clone();
    let first = 7 + shape.helpers(0) as u64;
    let high = u64::from(u32::MAX);
    let pair = |low: u64, high: u64, carried: u64, missing: u64| {
        move |witness: &mut TreeWitness, model: &TreeModel| {
            let keys: Vec<u64> = (0..model.shape.views.len())
                .map(|view| if view % 2 == 0 { low } else { high })
                .collect();
            *witness = walk(model, &[keys]);
            for view in (1..model.shape.views.len()).step_by(2) {
                let row = model.shape.input_rows()[view];
                witness.c[row] = Fr::from(carried);
                witness.b[row - 1] = Fr::from(missing);
            }
        }
    };
    let (a, b) = (1u64 << 20, 1u64 << 31);
    let request = inputs(vec![vec![Some(a); 3]]);
    // Two different values, neither missing.
    bites_committed(&made, &request, first, pair(a, b, b, 0));
    // Missing with a value: both keys move up together.
    bites_committed(&made, &request, first + 1, pair(a, a + high, a + high, 1));
    // The carried key is not the second view's.
    bites_committed(&made, &request, first + 2, pair(a, b, a, 0));
}
