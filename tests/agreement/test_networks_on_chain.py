"""The contract of a network on a local node: it says what the other two verifiers say."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest

from assay.chain.compile import compile_solidity
from assay.chain.deploy import Chain, Deployment
from assay.chain.node import LocalNode
from assay.chain.solidity import render

from .network_circuits import NAMES
from .network_prover import Maker, R, prove
from .proofs import Proof, native_refusal, reference_refusal
from .test_networks import CHEATS, FOLD, across_blocks, case, other_one

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


@pytest.mark.parametrize("rows", [2, 3, 8])
@pytest.mark.parametrize("private", [False, True], ids=["public", "private"])
def test_rows_in_one_proof(valid: Callable[[Proof], bool], rows: int, *, private: bool) -> None:
    """Two blocks are in packs of their own width, three rows are filled up to four, eight blocks are longer than the
    table."""
    network, inputs = case("recurrent")[0].network, case("recurrent")[1]
    maker = Maker(network, private, log_nb_max=3)
    proof = prove(maker, inputs[:rows])
    assert valid(proof)
    assert native_refusal(proof) is None
    assert reference_refusal(proof) is None
    for at in range(len(proof.words)):
        words = list(proof.words)
        words[at] ^= 1
        assert not valid(proof.with_(words=tuple(words))), at
    for other in {1, 2, 4, 8} - {rows}:
        assert not valid(proof.with_(words=proof.words[:other] + proof.words[-other:])), other
    if not private:
        inputs_words, outputs = proof.words[:rows], proof.words[rows:-1]
        assert not valid(proof.with_(words=(*inputs_words[1:], inputs_words[0], *outputs, proof.words[-1])))


def test_mutations_of_a_batch(valid: Callable[[Proof], bool]) -> None:
    maker = Maker(case("recurrent")[0].network, log_nb_max=3)
    proof = prove(maker, case("recurrent")[1][:3])
    for changed in mutations(proof, random.Random(10)):
        assert not valid(changed)
        assert native_refusal(changed) is not None


@pytest.mark.parametrize(("first", "second"), [(1, -1), (-1, 1), (2, -2)])
def test_errors_of_two_blocks_do_not_cancel(valid: Callable[[Proof], bool], first: int, second: int) -> None:
    maker, inputs, _ = case("dense")
    assert valid(prove(maker, inputs[:2]))
    forged = prove(maker, inputs[:2], {"witness": across_blocks(first, second)})
    assert not valid(forged)
    assert native_refusal(forged) is not None
    assert reference_refusal(forged) is not None


def test_cheats_in_a_batch_are_refused(valid: Callable[[Proof], bool]) -> None:
    maker, inputs, _ = case("recurrent")
    for constraint, cheats in CHEATS.items():
        assert not valid(prove(maker, inputs[:2], cheats)), constraint


def test_a_key_for_one_row_has_a_contract_for_one_row(valid: Callable[[Proof], bool]) -> None:
    one = Maker(case("dense")[0].network, log_nb_max=0)
    proof = prove(one, case("dense")[1][:1])
    assert valid(proof)
    *words, context = proof.words
    assert not valid(proof.with_(words=(*words[:1] * 2, *words[1:] * 2, context)))
    for changed in itertools.islice(mutations(proof, random.Random(11)), 0, None, 5):
        assert not valid(changed)


def test_a_contract_says_how_many_rows_it_takes() -> None:
    head = Maker(case("dense")[0].network, log_nb_max=3).content
    assert "maxRows: 8," in render(head, unchecked=True).text
