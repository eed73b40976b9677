//! The chain of states has fixed values: the plain Python transcript of the tests gives the same.
#![allow(missing_docs)]

use assay_algebra::{Fr, Transcript};

/// As in `tests/soundness/test_transcript.py`.
const CHALLENGES: [&str; 3] = [
    "11138719507485705455606452680495764929482479562619953567031067637951129915338",
    "15652908663172695993153515378508231013373027803422713485009807193778840723746",
    "1614503178642527569531110732627314283968426246053779847325172095439296542821",
];

fn word(value: u8) -> [u8; 32] {
    let mut out = [0; 32];
    out[31] = value;
    out
}

#[test]
fn the_chain_of_states_has_fixed_values() {
    let mut digest = [0; 32];
    digest[..9].copy_from_slice(b"statement");
    let mut transcript = Transcript::new(&[&digest, &word(3), &word(1), &word(2)]);
    transcript.absorb(b"one");
    let mut found: Vec<Fr> = vec![transcript.challenge(), transcript.challenge()];
    transcript.absorb(b"");
    found.push(transcript.challenge());
    assert_eq!(
        found.iter().map(ToString::to_string).collect::<Vec<_>>(),
        CHALLENGES
    );
}
