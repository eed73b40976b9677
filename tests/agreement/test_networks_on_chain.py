"""The contract of a network on a local node: it says what the other two verifiers say."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain, Deployment
from assay.chain.node import LocalNode
from assay.chain.solidity import render

from .network_circuits import NAMES
from .network_prover import R, prove
from .proofs import Proof, native_refusal, reference_refusal
from .test_networks import CHEATS, FOLD, case, other_one

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with LocalNode() as node:
        yield Chain(node.url)


@pytest.fixture(scope="module")
def valid(chain: Chain) -> Callable[[Proof], bool]:
    """What the contract of a proof's key says of it."""
    made: dict[bytes, Deployment] = {}

    def ask(proof: Proof) -> bool:
        if proof.key not in made:
            source = render(proof.key, unchecked=True)
            contract = compile_solidity({"Verifier.sol": source.text})[source.name]
            made[proof.key] = chain.deploy_verifier(contract, source, unchecked=True)
        return bool(chain.call(made[proof.key], "verify", proof.body, list(proof.words)))

    return ask


@pytest.mark.parametrize("name", NAMES)
def test_an_honest_proof_is_accepted(name: str, valid: Callable[[Proof], bool]) -> None:
    maker, inputs, _ = case(name)
    for row in inputs[:2]:
        assert valid(prove(maker, [row]))


def test_hidden_inputs(valid: Callable[[Proof], bool]) -> None:
    maker, inputs, _ = case("recurrent", private=True)
    assert valid(prove(maker, inputs[:1]))
    assert not valid(prove(maker, inputs[:1], {"witness": other_one(2)}))


def test_cheats_are_refused(valid: Callable[[Proof], bool]) -> None:
    maker, inputs, _ = case("recurrent")
    for constraint, cheats in CHEATS.items():
        assert not valid(prove(maker, inputs[:1], cheats)), constraint
    assert not valid(prove(maker, inputs[:1], CHEATS[FOLD], removed=FOLD))


def mutations(proof: Proof, rng: random.Random) -> Iterator[Proof]:
    """Each word of the proof and each public word: another value, one that is not reduced, zero; other lengths."""
    cuts = range(0, len(proof.body), 32)
    for at in cuts:
        value = int.from_bytes(proof.body[at : at + 32], "big")
        for other in {rng.randrange(1 << 256), (value + R) % (1 << 256), value ^ 1, 0} - {value}:
            yield proof.with_(body=proof.body[:at] + other.to_bytes(32, "big") + proof.body[at + 32 :])
    for at, value in enumerate(proof.words):
        for other in {rng.randrange(1 << 256), (value + R) % (1 << 256), value ^ 1, value + (1 << 250)} - {value}:
            words = list(proof.words)
            words[at] = other % (1 << 256)
            yield proof.with_(words=tuple(words))
    yield proof.with_(body=proof.body[:-32])
    yield proof.with_(body=proof.body + bytes(32))
    yield proof.with_(words=proof.words[:-1])
    yield proof.with_(words=(*proof.words, 0))


def test_no_mutation_is_accepted_by_any_verifier(valid: Callable[[Proof], bool]) -> None:
    maker, inputs, _ = case("recurrent")
    proof = prove(maker, inputs[:1])
    count = 0
    for changed in mutations(proof, random.Random(9)):
        assert not valid(changed)
        assert native_refusal(changed) is not None
        assert reference_refusal(changed) is not None
        count += 1
    assert count > 200


def test_a_contract_takes_proofs_of_one_row(valid: Callable[[Proof], bool]) -> None:
    maker, inputs, _ = case("recurrent")
    two = prove(maker, inputs[:2])
    assert native_refusal(two) is None
    assert not valid(two)
