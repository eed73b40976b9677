"""Each attack of the list, on each shape: Rust and the plain verifier both refuse, and for the same kind of reason."""

from __future__ import annotations

import pytest
from tests.agreement.proofs import Proof, native_refusal, reference_refusal

from .attacks import attacks, body_words, join
from .targets import target_of

# Enough that a list that became empty is noticed.
LEAST = 300


def test_the_list_is_long_and_each_attack_is_another_proof(proof: Proof) -> None:
    target = target_of(proof)
    assert join(body_words(target)) == proof.body
    seen = [(body, words) for _, body, words in attacks(target)]
    assert len(seen) >= LEAST
    assert (proof.body, proof.words) not in seen
    assert all(0 <= word < 1 << 256 for _, words in seen for word in words)


def test_rust_refuses_every_attack(proof: Proof) -> None:
    assert native_refusal(proof) is None
    accepted = [
        name
        for name, body, words in attacks(target_of(proof))
        if native_refusal(proof.with_(body=body, words=words)) is None
    ]
    assert accepted == []


@pytest.mark.slow
def test_both_verifiers_refuse_every_attack_for_the_same_reason(proof: Proof) -> None:
    assert reference_refusal(proof) is None
    different = []
    for name, body, words in attacks(target_of(proof)):
        attack = proof.with_(body=body, words=words)
        rust, plain = native_refusal(attack), reference_refusal(attack)
        well_formed = plain == "the pairing check fails"
        if plain is None or rust != ("proof/invalid" if well_formed else "proof/malformed"):
            different.append((name, rust, plain))
    assert different == []


def test_another_number_of_rows_is_refused(proof: Proof) -> None:
    for rows in {0, 1, 2, 3, 4, 5, 8, 1 << 20, (1 << 20) + 1, (1 << 32) - 1} - {proof.rows}:
        other = proof.with_(rows=rows)
        assert native_refusal(other) is not None
        assert reference_refusal(other) is not None
