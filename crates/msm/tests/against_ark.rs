//! Every entry point against `ark_ec`, on scalars and points of all shapes.

use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{CurveGroup, PrimeGroup, VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use assay_msm::{msm, FixedBase};
use proptest::prelude::*;

/// Multiples `1 + 7 i` of the generator.
fn points(count: usize) -> Vec<G1Affine> {
    let step = G1Projective::generator() * Fr::from(7u64);
    let first = G1Projective::generator();
    let all = std::iter::successors(Some(first), |p| Some(*p + step));
    G1Projective::normalize_batch(&all.take(count).collect::<Vec<_>>())
}

/// Scalars that look random.
fn scalars(count: usize) -> Vec<Fr> {
    let mut state = Fr::from(3u64).inverse().unwrap();
    let next = || {
        state = state.square() + Fr::from(5u64);
        state
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// All entry points give the sum, with and without a table.
fn check(points: &[G1Affine], scalars: &[Fr]) {
    let expected = G1Projective::msm(&points[..scalars.len()], scalars).unwrap();
    assert!(msm(points, scalars) == expected, "msm");
    let indexed: Vec<(usize, Fr)> = scalars.iter().copied().enumerate().rev().collect();
    let small: Option<Vec<u64>> = scalars.iter().map(as_u64).collect();
    for base in [
        FixedBase::new(points.to_vec()),
        FixedBase::with_table(points.to_vec()),
    ] {
        assert_eq!(base.points(), points);
        assert!(base.msm(scalars) == expected, "FixedBase::msm");
        assert!(
            base.msm_sparse(&indexed) == expected,
            "FixedBase::msm_sparse"
        );
        if let Some(small) = &small {
            assert!(base.msm_u64(small) == expected, "FixedBase::msm_u64");
        }
    }
}

fn as_u64(scalar: &Fr) -> Option<u64> {
    let limbs = scalar.into_bigint().0;
    (limbs[1..] == [0; 3]).then_some(limbs[0])
}

#[test]
fn nothing() {
    check(&[], &[]);
    check(&points(3), &[]);
    check(&points(3), &[Fr::ZERO; 3]);
    check(&[G1Affine::identity(); 3], &scalars(3));
}

#[test]
fn dense_scalars_of_all_sizes() {
    let (points, scalars) = (points(9001), scalars(9001));
    for count in [1, 2, 3, 7, 31, 255, 256, 257, 1000, 4097, 9001] {
        check(&points[..count], &scalars[..count]);
    }
    // Fewer scalars than points.
    check(&points, &scalars[..1000]);
}

#[test]
fn edges_of_the_scalar_field() {
    let middle = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
    let edges = [
        Fr::ONE,
        -Fr::ONE,
        middle,
        middle + Fr::ONE,
        -Fr::from(2u64),
        Fr::ZERO,
    ];
    for edge in edges {
        check(&points(1), &[edge]);
        check(&points(700), &vec![edge; 700]);
    }
    check(&points(6), &edges);
    let powers: Vec<Fr> = (0..508u64)
        .map(|k| Fr::from(2u64).pow([k / 2]) - Fr::from(k % 2))
        .collect();
    check(&points(508), &powers);
}

#[test]
fn small_scalars() {
    let count = 5000;
    for bits in [1u32, 2, 8, 11, 15, 16, 40, 63, 64] {
        let values = scalars(count);
        let cut = |s: &Fr| Fr::from(s.into_bigint().0[0] >> (64 - bits));
        let small: Vec<Fr> = values.iter().map(cut).collect();
        check(&points(count), &small);
        // Of both signs, and mostly zero.
        let signed = |(i, s): (usize, &Fr)| if i % 2 == 0 { *s } else { -*s };
        check(
            &points(count),
            &small.iter().enumerate().map(signed).collect::<Vec<_>>(),
        );
        let rare = |(i, s): (usize, &Fr)| if i % 97 == 0 { *s } else { Fr::ZERO };
        check(
            &points(count),
            &small.iter().enumerate().map(rare).collect::<Vec<_>>(),
        );
    }
}

#[test]
fn a_few_long_scalars_among_short_ones() {
    let mut mixed: Vec<Fr> = (0..3000u64).map(Fr::from).collect();
    for (i, long) in scalars(10).into_iter().enumerate() {
        mixed[300 * i] = long;
    }
    check(&points(3000), &mixed);
}

#[test]
fn one_point_again_and_again() {
    // Each addition in a bucket is a doubling.
    let point = points(2)[1];
    for count in [2, 3, 1000, 9000] {
        check(&vec![point; count], &vec![scalars(1)[0]; count]);
        check(&vec![point; count], &scalars(count));
        check(&vec![point; count], &vec![Fr::ONE; count]);
    }
}

#[test]
fn opposite_points_cancel() {
    let count = 6000;
    let mut pairs = points(count);
    for pair in pairs.chunks_mut(2) {
        pair[1] = -pair[0];
    }
    check(&pairs, &vec![scalars(1)[0]; count]);
    check(&pairs, &vec![Fr::ONE; count]);
    // The same points, opposite scalars.
    let signs: Vec<Fr> = (0..count)
        .map(|i| if i % 2 == 0 { Fr::ONE } else { -Fr::ONE })
        .collect();
    check(&vec![pairs[0]; count], &signs);
    // A bucket that is infinity in between: P, -P, Q, -Q, R.
    check(&pairs[..4999], &vec![Fr::from(3u64); 4999]);
}

#[test]
fn points_at_infinity_add_nothing() {
    let mut some = points(2000);
    for point in some.iter_mut().step_by(3) {
        *point = G1Affine::identity();
    }
    check(&some, &scalars(2000));
    check(&some, &vec![Fr::ONE; 2000]);
}

#[test]
fn sparse_terms_may_repeat_an_index() {
    let points = points(50);
    let terms = [
        (49, Fr::from(2u64)),
        (0, -Fr::ONE),
        (49, Fr::from(5u64)),
        (3, Fr::ZERO),
    ];
    let expected = points[49] * Fr::from(7u64) - points[0];
    assert!(FixedBase::new(points.clone()).msm_sparse(&terms) == expected);
    assert!(FixedBase::with_table(points).msm_sparse(&terms) == expected);
}

#[test]
fn inside_a_parallel_computation() {
    use rayon::prelude::*;
    let (points, scalars) = (points(3000), scalars(3000));
    let base = FixedBase::with_table(points.clone());
    (1..40usize).into_par_iter().for_each(|i| {
        let count = 75 * i;
        let expected = G1Projective::msm(&points[..count], &scalars[..count]).unwrap();
        assert!(base.msm(&scalars[..count]) == expected);
        assert!(msm(&points[..count], &scalars[..count]) == expected);
    });
}

#[test]
fn a_table_with_left_out_levels() {
    // From here on a table would take more than its bound.
    let count = (1 << 17) + 1;
    let (points, scalars) = (points(count), scalars(count));
    let expected = G1Projective::msm(&points, &scalars).unwrap();
    assert!(FixedBase::with_table(points.clone()).msm(&scalars) == expected);
    assert!(msm(&points, &scalars) == expected);
}

#[test]
#[should_panic(expected = "3 scalars but 2 points")]
fn more_scalars_than_points() {
    let _ = FixedBase::new(points(2)).msm(&[Fr::ONE; 3]);
}

#[test]
#[should_panic(expected = "6 scalars but 5 points")]
fn an_index_beyond_the_points() {
    let _ = FixedBase::with_table(points(5)).msm_sparse(&[(5, Fr::ONE)]);
}

fn scalar() -> impl Strategy<Value = Fr> {
    prop_oneof![
        Just(Fr::ZERO),
        Just(Fr::ONE),
        Just(-Fr::ONE),
        any::<u64>().prop_map(Fr::from),
        any::<u8>().prop_map(|v| -Fr::from(v)),
        any::<[u8; 32]>().prop_map(|bytes| Fr::from_le_bytes_mod_order(&bytes)),
        (0..254u64).prop_map(|k| Fr::from(2u64).pow([k])),
    ]
}

/// Few different points, so that buckets meet equal and opposite ones.
fn point() -> impl Strategy<Value = G1Affine> {
    (-6i64..=6).prop_map(|k| (G1Projective::generator() * Fr::from(k)).into_affine())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn any_points_and_scalars(terms in prop::collection::vec((point(), scalar()), 0..400)) {
        let (points, scalars): (Vec<_>, Vec<_>) = terms.into_iter().unzip();
        check(&points, &scalars);
    }

    #[test]
    fn any_scalars(scalars in prop::collection::vec(scalar(), 0..1500)) {
        check(&points(1500), &scalars);
    }
}
