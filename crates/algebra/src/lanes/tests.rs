//! Every operation against the one that it stands for.

use super::*;
use ark_bn254::{Fq, FqConfig, Fr, FrConfig};
use ark_ff::{BigInt, Fp, MontBackend, PrimeField};
use proptest::prelude::*;

type Ark<C> = Fp<MontBackend<C, 4>, 4>;

/// The values of lanes that are below `bound`.
fn taken<C: MontConfig<4>>(lanes: Ifma, eight: Eight<C>, bound: u64) -> [Ark<C>; 8] {
    let limbs = eight.0.map(pulp::cast::<__m512i, [u64; 8]>);
    let limit = cut(&C::MODULUS.0, bound);
    let lane = |lane: usize| limbs.map(|limb| limb[lane]);
    for own in (0..8).map(lane) {
        assert!(own[..LIMBS - 1].iter().all(|limb| *limb <= MASK));
        assert!(
            own.iter().rev().lt(limit.iter().rev()),
            "not below {bound} p"
        );
    }
    // Fe takes less than 4p.
    let small = eight.plus(lanes, &eight).reduced(lanes);
    assert!(bound <= 4);
    lanes
        .store(small, small)
        .map(|(value, _)| value.to_ark() / Ark::<C>::from(2u64))
}

fn check<C: MontConfig<4>>(lanes: Ifma, a: [Ark<C>; 8], b: [Ark<C>; 8]) {
    let (own, other) = (a.map(|v| Fe::from_ark(&v)), b.map(|v| Fe::from_ark(&v)));
    // The other representative below 2p, too.
    let raised = own.map(|v| v.sub(&Fe::new(C::MODULUS.0)));
    let sixteen = Ark::<C>::from(16u64);
    for own in [own, raised] {
        let (x, y) = lanes.load(from_fn(|i| (&own[i], &other[i])));
        let stored = lanes.store(x, y);
        assert!((0..8).all(|i| stored[i].0.limbs() == own[i].limbs()));
        assert!((0..8).all(|i| stored[i].1.limbs() == other[i].limbs()));
        let same = |found: [Ark<C>; 8], of: &dyn Fn(Ark<C>, Ark<C>) -> Ark<C>| {
            for lane in 0..8 {
                assert_eq!(found[lane], of(a[lane], b[lane]));
            }
        };
        same(
            taken(lanes, x.mul(lanes, &y), 2).map(|v| v * sixteen),
            &|a, b| a * b,
        );
        same(
            taken(lanes, x.square(lanes), 2).map(|v| v * sixteen),
            &|a, _| a * a,
        );
        same(
            taken(lanes, x.mul(lanes, &Eight::unit(lanes)), 2),
            &|a, _| a,
        );
        same(taken(lanes, x.sub(lanes, &y), 4), &|a, b| a - b);
        same(taken(lanes, x.sub_reduced(lanes, &y), 2), &|a, b| a - b);
        same(
            taken(lanes, x.sub_both_reduced(lanes, &y, &y), 2),
            &|a, b| a - b - b,
        );
        let four_times = x.sub_times_four(lanes, &y).mul(lanes, &Eight::unit(lanes));
        let four = Ark::<C>::from(4u64);
        same(taken(lanes, four_times, 2), &|a, b| four * (a - b));
        let factor = Eight::factors(lanes, other.each_ref());
        let (low, high) = Eight::split(lanes, &x.sub(lanes, &y), &x.sub(lanes, &y), &factor);
        same(taken(lanes, low, 4), &|a, b| a - b + b * (a - b));
        same(taken(lanes, high, 4), &|a, b| a - b - b * (a - b));
        let (low, high) = Eight::merge(lanes, &x, &y, &Eight::factor(lanes, &other[0]));
        same(taken(lanes, low, 2), &|a, b| a + b);
        same(taken(lanes, high, 2), &|x, y| b[0] * (y - x));
    }
}

fn edge_cases<C: MontConfig<4>>(lanes: Ifma) {
    let limbs = |limbs| Ark::<C>::new_unchecked(BigInt(limbs));
    let (p, full) = (C::MODULUS.0, u64::MAX);
    let values = [
        Ark::<C>::from(0u64),
        Ark::<C>::from(1u64),
        -Ark::<C>::from(1u64),
        limbs([p[0] - 1, p[1], p[2], p[3]]),
        limbs([full, full, full, p[3] - 1]),
        limbs([full, 0, 0, 0]),
        limbs([0, full, full, 0]),
        limbs([0, 0, 0, p[3]]),
    ];
    for shift in 0..8 {
        check(lanes, values, from_fn(|i| values[(i + shift) % 8]));
    }
}

#[test]
fn edge_cases_agree_with_ark() {
    let Some(lanes) = Ifma::try_new() else {
        return eprintln!("this processor has no lanes");
    };
    edge_cases::<FqConfig>(lanes);
    edge_cases::<FrConfig>(lanes);
}

proptest! {
    #[test]
    fn any_values_agree_with_ark(a: [[u8; 32]; 8], b: [[u8; 32]; 8]) {
        if let Some(lanes) = Ifma::try_new() {
            let of = |bytes: &[u8; 32]| Fq::from_le_bytes_mod_order(bytes);
            check::<FqConfig>(lanes, from_fn(|i| of(&a[i])), from_fn(|i| of(&b[i])));
            let of = |bytes: &[u8; 32]| Fr::from_le_bytes_mod_order(bytes);
            check::<FrConfig>(lanes, from_fn(|i| of(&a[i])), from_fn(|i| of(&b[i])));
        }
    }
}
