//! Against `ark_ec`.
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup, VariableBaseMSM};
use ark_ff::{UniformRand, Zero};
use assay_msm::{msm, FixedBase};

fn points(n: usize) -> Vec<G1Affine> {
    let mut rng = rand::thread_rng();
    let v: Vec<G1Projective> = (0..n)
        .map(|_| G1Affine::generator() * Fr::rand(&mut rng))
        .collect();
    G1Projective::normalize_batch(&v)
}

#[test]
fn random() {
    let mut rng = rand::thread_rng();
    for n in [0, 1, 2, 3, 10, 100, 1000, 5000] {
        let p = points(n);
        let s: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
        let e = G1Projective::msm(&p, &s).unwrap();
        assert_eq!(msm(&p, &s), e, "{n}");
        assert_eq!(FixedBase::with_table(p.clone()).msm(&s), e, "{n}");
        let same = vec![s.first().copied().unwrap_or_default(); n];
        let q = vec![p.first().copied().unwrap_or_default(); n];
        assert_eq!(msm(&q, &same), G1Projective::msm(&q, &same).unwrap());
        assert_eq!(
            FixedBase::with_table(q.clone()).msm(&same),
            G1Projective::msm(&q, &same).unwrap()
        );
    }
    assert!(msm(&[], &[]).is_zero());
}
