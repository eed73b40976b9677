//! Shapes and words from strangers.

use super::*;
use crate::{Inputs, Kind, Srs, Statement, VerifyingKey, KEY_MAGIC};

/// A small shape with everything.
pub(super) fn shape() -> Shape {
    Shape {
        kind: Kind::Networks,
        inputs: Inputs::Public,
        srs: Srs::Development,
        bits: 4,
        features: 15,
        outputs: 2,
        scale_bits: 4,
        lane: 13,
        trees: 0,
        depth: 0,
        stride: 32,
        groups: 1,
        table: 512,
        ratio: 0,
        limbs: 2,
        log_max_rows: 1,
        views: Vec::new(),
        network: Some(Network {
            low_bits: 2,
            max: true,
            cell: true,
            q_shift: 1,
            cell_base: -7,
            slots: 16,
            columns: 8,
            parts: 1,
        }),
    }
}

fn bytes(shape: &Shape) -> Vec<u8> {
    let key = VerifyingKey {
        shape: shape.clone(),
        table: Vec::new(),
        fixed: Vec::new(),
        proof: None,
        tau: ark_bn254::G2Affine::identity(),
    };
    key.to_bytes()
}

use ark_ec::AffineRepr;

/// A key of this shape whose points are all the generator.
fn key(shape: &Shape) -> VerifyingKey {
    let points = |count: usize| vec![ark_bn254::G1Affine::generator(); count];
    let relation = shape.kind.relation();
    VerifyingKey {
        shape: shape.clone(),
        table: points(relation.model_packs(shape).len()),
        fixed: (0..=shape.log_max_rows)
            .map(|log| points(relation.fixed_packs(shape, log).len()))
            .collect(),
        proof: None,
        tau: ark_bn254::G2Affine::generator(),
    }
}

#[test]
fn a_key_reads_back_and_says_that_it_needs_its_circuit() {
    let mut shape = shape();
    for inputs in [Inputs::Public, Inputs::Private] {
        shape.inputs = inputs;
        let key = key(&shape);
        let bytes = key.to_bytes();
        assert_eq!(VerifyingKey::from_bytes(&bytes).unwrap(), key);
        assert_eq!(crate::check_itself(&key), Err(Error::NeedsCircuit));
        let (before, _) = bytes.split_at(bytes.len() - 4 * WORD);
        let no_point = [before, &[0; 4 * WORD]].concat();
        assert_eq!(VerifyingKey::from_bytes(&no_point), Err(Error::Tau));
        for cut in 0..bytes.len() {
            assert!(VerifyingKey::from_bytes(&bytes[..cut]).is_err());
        }
        assert!(VerifyingKey::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}

#[test]
fn pairing_mode_and_unknown_flags_are_refused_by_name() {
    let own = KEY_MAGIC.len() + 4 + 13 * 4;
    let refused = |at: usize, value: u8| {
        let mut bytes = bytes(&shape());
        bytes[own + at] = value;
        match VerifyingKey::from_bytes(&bytes) {
            Err(Error::Shape(what)) => what,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(1, 4), "flags");
    assert_eq!(refused(3, 1), "pairing mode, which is reserved");
    assert_eq!(refused(3, 14), "mode");
    assert_eq!(refused(3, 40), "mode");
    assert_eq!(refused(3, 255), "mode");
    // Of eight columns.
    assert_eq!(refused(3, 4), "parts of the matrix");
}

#[test]
fn a_matrix_in_parts_has_a_point_and_a_term_for_each() {
    let mut shape = shape();
    let whole = (key(&shape).to_bytes(), shape.chunk(0), shape.chunks(0));
    for parts in [2, 4] {
        shape.network.as_mut().unwrap().parts = parts;
        let key = key(&shape);
        let bytes = key.to_bytes();
        assert_eq!(VerifyingKey::from_bytes(&bytes).unwrap(), key);
        assert_eq!(shape.check(), Ok(()));
        let own = shape.kind.relation().model_packs(&shape);
        let of_matrix = own.iter().filter(|pack| pack[0].0 == names::WEIGHTS);
        assert_eq!(of_matrix.count(), parts as usize);
        // A proof's statement begins with the key's digest, so with the number of parts.
        assert_ne!(bytes[..80], whole.0[..80]);
    }
    // The table is longer than this matrix: nothing else follows from its parts.
    assert_eq!((shape.chunk(0), shape.chunks(0)), (whole.1, whole.2));
    let network = shape.network.as_mut().unwrap();
    (network.columns, network.parts) = (1 << 10, 1 << 3);
    assert_eq!(shape.chunk(0), (16 << 7) + 16 + 16);
}

#[test]
fn every_limit_of_the_shape_is_held() {
    assert_eq!(shape().check(), Ok(()));
    let refused = |change: &dyn Fn(&mut Shape, &mut Network), what: &str| {
        let mut shape = shape();
        let mut network = shape.network.clone().unwrap();
        change(&mut shape, &mut network);
        shape.network = Some(network);
        match shape.check() {
            Err(Error::Shape(found)) => assert_eq!(found, what),
            other => panic!("{what}: {other:?}"),
        }
    };
    refused(&|s, _| s.bits = 3, "limb bits");
    refused(&|s, _| s.bits = 17, "limb bits");
    refused(&|s, _| s.limbs = 0, "limbs");
    refused(&|s, _| s.limbs = 5, "limbs");
    refused(&|s, _| (s.bits, s.limbs) = (14, 3), "shift");
    refused(&|_, n| n.low_bits = 0, "low bits");
    refused(&|_, n| n.low_bits = 13, "low bits");
    refused(&|s, _| s.trees = 1, "fields of another kind");
    refused(&|s, _| s.depth = 1, "fields of another kind");
    refused(&|s, _| s.ratio = 1, "fields of another kind");
    refused(&|s, _| s.groups = 2, "groups");
    refused(&|s, _| s.lane = 62, "lane");
    refused(&|_, n| n.slots = 4, "slots");
    refused(&|_, n| n.slots = 24, "slots");
    refused(&|_, n| n.columns = 1, "columns");
    refused(&|_, n| n.columns = 6, "columns");
    refused(&|_, n| (n.slots, n.columns) = (1 << 20, 1 << 10), "matrix");
    for parts in [0, 3, 8, 1 << 13] {
        refused(&|_, n| n.parts = parts, "parts of the matrix");
    }
    refused(
        &|_, n| (n.columns, n.parts) = (1 << 14, 1 << 13),
        "parts of the matrix",
    );
    refused(&|_, n| n.slots = 1024, "table");
    refused(&|s, n| (s.table, n.slots) = (16, 16), "table");
    refused(&|s, _| (s.table, s.bits) = (16 * 16, 8), "table");
    refused(&|s, _| s.table = 513, "table");
    refused(&|_, n| n.q_shift = 64, "shift of arguments");
    refused(&|_, n| n.cell_base = 1 << 40, "base of arguments");
    refused(&|_, n| n.cell_base = -(1 << 40), "base of arguments");
    refused(&|_, n| n.cell = false, "arguments that nobody reads");
    refused(&|s, _| s.features = 28, "rows");
    let mut other = shape();
    other.network = None;
    assert_eq!(other.check(), Err(Error::Shape("network")));
}

#[test]
fn words_have_no_bits_beyond_their_lanes() {
    let shape = shape();
    assert_eq!(Statement::word_count(&shape, 1), 2 + 2 + 1);
    let word = |bits: usize| {
        let mut word = [0u8; WORD];
        word[WORD - 1 - bits / 8] = 1 << (bits % 8);
        word
    };
    let zero = [0u8; WORD];
    let read = |words: [[u8; WORD]; 5]| Statement::new(&shape, 1, &words);
    let statement = read([word(13 * 19 - 1), word(2 * 19 - 1), zero, zero, zero]).unwrap();
    let expected = [
        lane_factor(12) * Fr::from(1u64 << 18) - offset(13),
        lane_factor(1) * Fr::from(1u64 << 18) - offset(2),
    ];
    assert_eq!(statement.inputs, [expected]);
    assert_eq!(
        read([word(13 * 19), zero, zero, zero, zero]).unwrap_err(),
        Error::InputWord { index: 0 }
    );
    assert_eq!(
        read([zero, word(2 * 19), zero, zero, zero]).unwrap_err(),
        Error::InputWord { index: 1 }
    );
    // An output of 13 bits in two's complement.
    assert_eq!(
        read([zero, zero, zero, word(12), zero]).unwrap_err(),
        Error::OutputWord { index: 3 }
    );
    assert!(read([zero, zero, zero, word(11), zero]).is_ok());
}
