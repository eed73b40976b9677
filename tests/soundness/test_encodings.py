"""Proofs that break one rule on encodings and nothing else.

A changed byte of an honest proof is refused by the transcript, whatever the rules on encodings are. Here the
simulator knows tau and absorbs the wrong encoding itself, so all equations hold and only the rule can refuse.
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.agreement.circuits import FLOAT, Circuit, forest, linear, views_of
from tests.agreement.network_circuits import NetworkCircuit
from tests.agreement.proofs import Proof, native_refusal, reference_refusal
from tests.agreement.reference import is_network, networks, parse_key, trees
from tests.agreement.reference import linear as linear_relation
from tests.agreement.reference.field import R
from tests.agreement.reference.words import Statement, read_words

from .attacks import P
from .network_simulator import message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .conftest import Known

TREES = forest(31, outputs=2)
PAIRS = forest(32, inputs="private")
LINEAR = linear(33, outputs=2)
NETWORK = NetworkCircuit("pooled")
HIDDEN_NETWORK = NetworkCircuit("dense", "private")
CIRCUITS = {
    "trees": TREES,
    "private pairs": PAIRS,
    "linear": LINEAR,
    "networks": NETWORK,
    "networks, private": HIDDEN_NETWORK,
}
TOP = 1 << 256


def honest_words(known: Known, circuit: Circuit | NetworkCircuit, rows: int = 1) -> tuple[bytes, tuple[int, ...]]:
    rng = random.Random(7)
    proof = known.workshop.prove(circuit, [circuit.random_row(rng) for _ in range(rows)])
    return proof.key, proof.words


def both_refuse(proof: Proof) -> None:
    assert reference_refusal(proof) not in {None, "the pairing check fails"}
    assert native_refusal(proof) == "proof/malformed"


def message_names(known: Known, circuit: Circuit | NetworkCircuit) -> tuple[list[str], list[str]]:
    content = known.workshop.keys(circuit)[0]
    if is_network(content):
        shape = networks.parse_network_key(content)
        names = [message(pack) for packs, _ in shape.rounds(1) for pack in packs]
        chunks = [f"Quot{i}" for i in range(shape.chunks(1))]
        return [*names, *chunks, "W", "W'"], [f"{name} at {at}" for name, at in shape.evaluations(1)]
    key = parse_key(content)
    layout = (trees if key.trees else linear_relation).layout(key, 1)
    points = [*layout.round1, *layout.round2, *layout.chunks, "W", "W'"]
    return points, [name for name, _ in layout.evaluations]


def read(key: bytes, rows: int, words: Sequence[int]) -> Any:
    """What the words mean."""
    if is_network(key):
        return networks.read_words(networks.parse_network_key(key), rows, words)
    return read_words(parse_key(key), rows, words)


def raised(data: bytes, amount: int, start: int) -> bytes:
    """The word at `start` with `amount` added, if it still fits."""
    value = int.from_bytes(data[start : start + 32], "big") + amount
    return data[:start] + value.to_bytes(32, "big") + data[start + 32 :] if value < TOP else data


@pytest.mark.parametrize("name", CIRCUITS)
def test_without_a_disguise_both_accept(known: Known, name: str) -> None:
    key, words = honest_words(known, CIRCUITS[name])
    proof = Proof(key, 1, words, known.simulator(CIRCUITS[name], key).prove(1, words))
    assert native_refusal(proof) is None
    assert reference_refusal(proof) is None


@pytest.mark.parametrize("times", [1, 4])
@pytest.mark.parametrize("name", CIRCUITS)
def test_evaluations_that_are_not_reduced(known: Known, name: str, times: int) -> None:
    key, words = honest_words(known, CIRCUITS[name])
    for target in message_names(known, CIRCUITS[name])[1]:
        disguise = _only(target, lambda data: raised(data, times * R, 0))
        both_refuse(Proof(key, 1, words, known.simulator(CIRCUITS[name], key, disguise=disguise).prove(1, words)))


@pytest.mark.parametrize("coordinate", ["x", "y"])
@pytest.mark.parametrize("name", CIRCUITS)
def test_coordinates_that_are_not_reduced(known: Known, name: str, coordinate: str) -> None:
    key, words = honest_words(known, CIRCUITS[name])
    for target in message_names(known, CIRCUITS[name])[0]:
        disguise = _only(target, lambda data: raised(data, P, 0 if coordinate == "x" else 32))
        both_refuse(Proof(key, 1, words, known.simulator(CIRCUITS[name], key, disguise=disguise).prove(1, words)))


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_neutral_point_as_a_commitment(known: Known, name: str) -> None:
    """(0, 0) is infinity to the precompile: every equation holds with it."""
    key, words = honest_words(known, CIRCUITS[name])
    points, _ = message_names(known, CIRCUITS[name])
    for target in points:
        # The simulator solves for W' and for one of the quotient's chunks.
        if target not in {"W", "W'"} and not target.startswith("Quot"):
            body = known.simulator(CIRCUITS[name], key, scalars={target: 0}).prove(1, words)
            assert bytes(64) in body, target
            both_refuse(Proof(key, 1, words, body))


@pytest.mark.parametrize("circuit", [PAIRS, HIDDEN_NETWORK], ids=["trees", "networks"])
def test_the_neutral_point_as_the_input_commitment(known: Known, circuit: Circuit | NetworkCircuit) -> None:
    key, words = honest_words(known, circuit)
    words = (0, 0, *words[2:])
    statement = replace(read(key, 1, (1, 2, *words[2:])), commitment=None)
    body = known.simulator(circuit, key, scalars={"I": 0}).prove(1, words, statement)
    both_refuse(Proof(key, 1, words, body))


@pytest.mark.parametrize("coordinate", [0, 1])
@pytest.mark.parametrize("circuit", [PAIRS, HIDDEN_NETWORK], ids=["trees", "networks"])
def test_an_input_commitment_that_is_not_reduced(
    known: Known, circuit: Circuit | NetworkCircuit, coordinate: int
) -> None:
    key, words = honest_words(known, circuit)
    statement = read(key, 1, words)
    raised_words = list(words)
    raised_words[coordinate] += P
    body = known.simulator(circuit, key).prove(1, raised_words, statement)
    both_refuse(Proof(key, 1, tuple(raised_words), body))


@pytest.mark.parametrize("times", [1, 2, 5])
@pytest.mark.parametrize("name", ["trees", "linear", "networks"])
def test_words_that_are_not_reduced(known: Known, name: str, times: int) -> None:
    """A word plus r means the same to every equation."""
    key, words = honest_words(known, CIRCUITS[name], rows=2)
    statement = read(key, 2, words)
    # Every word but the context, of which every value is canonical.
    for i in range(len(words) - 1):
        other = list(words)
        other[i] = (other[i] + times * R) % TOP
        body = known.simulator(CIRCUITS[name], key).prove(2, other, statement)
        both_refuse(Proof(key, 2, tuple(other), body))


@pytest.mark.parametrize("name", ["trees", "linear"])
def test_outputs_that_carry_into_the_next_lane(known: Known, name: str) -> None:
    """o_0 + 2^lane and o_1 - 1 pack to the same value."""
    key, words = honest_words(known, CIRCUITS[name])
    parsed = parse_key(key)
    statement = read_words(parsed, 1, words)
    for sign in (1, -1):
        *rest, first, second, context = words
        other = [*rest, (first + sign * (1 << parsed.lane)) % TOP, (second - sign) % TOP, context]
        body = known.simulator(CIRCUITS[name], key).prove(1, other, statement)
        both_refuse(Proof(key, 1, tuple(other), body))


WORD_RULES = {
    "refused": (views_of(1, ("refuse",)), False),
    "low": (views_of(1, ("low",)), True),
    "high": (views_of(1, ("high",)), True),
    "zero": (views_of(1, ("zero",)), True),
    "low and high": (views_of(1), True),
    "low and refused": (views_of(1, ("low", "refuse")), False),
    "refused, zeros missing": (views_of(1, ("refuse",), zero_missing=True), False),
    "low, zeros missing": (views_of(1, ("low",), zero_missing=True), True),
    "no view": ([], True),
}


@pytest.mark.parametrize("rule", WORD_RULES)
def test_which_input_words_are_allowed(known: Known, rule: str) -> None:
    """At the edges of the range, and around zero, the verifiers agree on what a word is and what it means."""
    views, missing_allowed = WORD_RULES[rule]
    views = [*views, {"feature": 1, "missing": "refuse"}]
    circuit = forest(35, features=[FLOAT, FLOAT], views=views)
    zeros_refused = rule == "refused, zeros missing"
    edges = {
        0: True,
        0x7AAB52D0: True,
        0x7AAB52D1: not zeros_refused,
        0x80000000: not zeros_refused,
        0x8554AD2E: not zeros_refused,
        0x8554AD2F: True,
        (1 << 32) - 1: True,
        1 << 32: missing_allowed,
        (1 << 32) + 1: False,
        1 << 64: False,
        TOP - 1: False,
    }
    assert _verdicts(known, circuit, edges) == edges


def test_which_input_words_of_linear_models_are_allowed(known: Known) -> None:
    circuit = linear(36, features=1)
    edges = {0: True, 1: True, (1 << 64) - 1: True, 1 << 64: False, (1 << 64) + 1: False, TOP - 1: False}
    assert _verdicts(known, circuit, edges) == edges


@pytest.mark.parametrize("circuit", [forest(37, features=[FLOAT]), linear(38, features=1)], ids=["trees", "linear"])
def test_which_output_words_are_allowed(known: Known, circuit: Circuit | NetworkCircuit) -> None:
    off = parse_key(known.workshop.keys(circuit)[0]).off
    edges = {0: True, off - 1: True, TOP - off: True, off: False, TOP - off - 1: False, 1 << 255: False, R: False}
    assert _verdicts(known, circuit, edges, output=True) == edges


def test_which_words_of_networks_are_allowed(known: Known) -> None:
    """Two features of 19 bits in a word, whatever their declared range: the tables hold that."""
    key, _ = known.workshop.keys(NETWORK)
    shape = networks.parse_network_key(key)
    half = 1 << (shape.lane - 1)
    edges: dict[int, dict[int, bool]] = {
        0: {0: True, (1 << 38) - 1: True, 1 << 38: False, R: False, TOP - 1: False},
        1: {0: True, half - 1: True, TOP - half: True, half: False, TOP - half - 1: False, 1 << 255: False, R: False},
    }
    for place, allowed in edges.items():
        for word, fits in allowed.items():
            words = [0] * (1 + shape.O + 1)
            words[place] = word
            statement = read(key, 1, words if fits else [0] * len(words))
            proof = Proof(key, 1, tuple(words), known.simulator(NETWORK, key).prove(1, words, statement))
            assert (native_refusal(proof) is None) == fits, (place, hex(word))
            assert (reference_refusal(proof) is None) == fits, (place, hex(word))


def _verdicts(known: Known, circuit: Circuit, edges: dict[int, bool], *, output: bool = False) -> dict[int, bool]:
    """Whether both accept a simulated proof with the word; a word without a meaning is given that of 0."""
    key, _ = known.workshop.keys(circuit)
    parsed = parse_key(key)
    found = {}
    for word, allowed in edges.items():
        words = [0] * (parsed.F + 2)
        words[-2 if output else 0] = word
        statement = read_words(parsed, 1, words if allowed else [0] * len(words))
        if not allowed and not output and parsed.trees:
            keys = [word if view.feature == 0 else 0 for view in parsed.views]
            statement = Statement([[(j + 1 << parsed.W) + k for j, k in enumerate(keys)]], None, [[parsed.off]])
        proof = Proof(key, 1, tuple(words), known.simulator(circuit, key).prove(1, words, statement))
        found[word] = native_refusal(proof) is None
        assert (reference_refusal(proof) is None) == found[word], hex(word)
    return found


def _only(target: str, change: Callable[[bytes], bytes]) -> Callable[[str, bytes], bytes]:
    return lambda name, data: change(data) if name == target else data
