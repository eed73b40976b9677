"""The generated contract's verdict on every attack of the list and on thousands of random mutations is Rust's.

Each is a call of its own to the contract on a local node, with the canonical calldata of the changed proof.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.agreement.proofs import Proof, native_refusal

from .attacks import attacks
from .targets import SHAPES, target_of
from .test_mutated_proofs import Mutator

if TYPE_CHECKING:
    from tests.agreement.proofs import Workshop

    from .contracts import Contracts

LEAST_MUTATIONS = 2_000
MUTATIONS = -(-LEAST_MUTATIONS // len(SHAPES))
# Honest proofs stand between the others: an answer that is always "no" agrees with no verifier.
HONEST_EACH = 50


def disagreements(contracts: Contracts, honest: list[Proof], named: list[tuple[str, Proof]]) -> list[tuple[str, bool]]:
    """Names of the proofs on which Rust and the contract differ, with the contract's verdict."""
    queue: list[tuple[str, Proof]] = []
    for number, one in enumerate(named):
        if number % HONEST_EACH == 0:
            queue.append(("honest", honest[number // HONEST_EACH % len(honest)]))
        queue.append(one)
    address = contracts.verifier(honest[0].key)
    verdicts = contracts.verdicts(address, [proof for _, proof in queue])
    assert verdicts.count(True) >= 1
    return [
        (name, accepted)
        for (name, proof), accepted in zip(queue, verdicts, strict=True)
        if accepted != (native_refusal(proof) is None) or accepted != (name == "honest")
    ]


@pytest.mark.parametrize("name", SHAPES)
def test_every_named_attack(contracts: Contracts, workshop: Workshop, name: str) -> None:
    proof = SHAPES[name].proof(workshop)
    named = [(attack, proof.with_(body=body, words=words)) for attack, body, words in attacks(target_of(proof))]
    assert len(named) >= 300
    assert disagreements(contracts, [proof], named) == []


@pytest.mark.parametrize("name", SHAPES)
def test_random_mutations(contracts: Contracts, workshop: Workshop, name: str) -> None:
    shape = SHAPES[name]
    proof, twin, other = shape.proof(workshop), shape.proof(workshop), shape.proof(workshop, seed=2)
    mutator = Mutator(random.Random(f"solidity {name}"), target_of(proof), twin, other)
    named = [(f"mutation {number}", mutator.mutated(proof)) for number in range(MUTATIONS)]
    assert disagreements(contracts, [proof, twin, other], named) == []


def test_there_are_two_thousand() -> None:
    assert MUTATIONS * len(SHAPES) >= LEAST_MUTATIONS
