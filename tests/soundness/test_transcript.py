"""The verifiers hash the same bytes: the statement and every message, in order, each before the challenges it bounds.

The generated contract is traced on the node: what its keccak256 gives is compared, state by state, with the plain
verifier's. Rust shows no states. It accepts proofs made from the plain transcript, whose quotient, openings and all
else are right for those challenges alone, and refuses them as soon as the prover's transcript leaves out anything.
"""

from __future__ import annotations

import random
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest
from tests.agreement.circuits import forest
from tests.agreement.network_circuits import NetworkCircuit
from tests.agreement.proofs import Proof, native_refusal, reference_refusal
from tests.agreement.reference import is_network, networks, parse_key, trees
from tests.agreement.reference.transcript import Transcript, keccak256, word

from . import network_simulator, simulator
from .network_simulator import message
from .targets import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.agreement.proofs import Workshop

    from .conftest import Known
    from .contracts import Contracts

VERIFIER = sys.modules["tests.agreement.reference.verify"]
NETWORKS = sys.modules["tests.agreement.reference.networks.verify"]
CIRCUITS = {"trees": forest(91, trees=2, depth=2), "networks": NetworkCircuit("dense")}
ROWS = 2


class Recording(Transcript):
    """Keeps every state."""

    def __init__(self, digest: bytes, rows: int, words: Iterable[int], states: list[str]) -> None:
        super().__init__(digest, rows, words)
        self.states = states
        states.append(self.state.hex())

    def absorb(self, data: bytes) -> None:
        super().absorb(data)
        self.states.append(self.state.hex())

    def challenge(self) -> int:
        value = super().challenge()
        self.states.append(self.state.hex())
        return value


class LeavingOut(Transcript):
    """Hashes everything but one item: a part of the statement, or some bytes of one message."""

    def __init__(self, digest: bytes, rows: int, words: Iterable[int], item: tuple[int, int, int]) -> None:
        super().__init__(digest, rows, words)
        self.message, self.start, self.size = item
        self.absorbed = 0
        if self.message == 0:
            self.state = keccak256(self._without(digest + word(rows) + b"".join(map(word, words))))

    def absorb(self, data: bytes) -> None:
        self.absorbed += 1
        super().absorb(self._without(data) if self.absorbed == self.message else data)

    def _without(self, data: bytes) -> bytes:
        assert len(data) >= self.start + self.size
        return data[: self.start] + data[self.start + self.size :]


@pytest.mark.parametrize("name", SHAPES)
def test_the_contract_hashes_what_the_plain_verifier_hashes(
    workshop: Workshop, contracts: Contracts, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    proof = SHAPES[name].proof(workshop)
    states: list[str] = []
    for module in (VERIFIER, NETWORKS):
        monkeypatch.setattr(module, "Transcript", partial(Recording, states=states))
    assert reference_refusal(proof) is None
    # The state behind the last challenge is of no use to anyone.
    assert contracts.states(proof) == states[:-1]
    assert len(set(states)) == len(states) == (20 if is_network(proof.key) else 12)


Item = tuple[int, int, int]


def items(key: bytes, rows: int) -> dict[str, Item]:
    """Everything that is absorbed: the number of its message (0: the statement), first byte, bytes."""
    if is_network(key):
        shape = networks.parse_network_key(key)
        words = rows * (shape.G + shape.O)
        rounds = [[message(pack) for pack in packs] for packs, _ in shape.rounds(rows)]
        rounds.append([f"Quot{i}" for i in range(shape.chunks(rows))])
        evaluations = shape.evaluations(rows)
    else:
        layout = trees.layout(parsed := parse_key(key), rows)
        words = rows * (parsed.F + parsed.K)
        rounds, evaluations = [layout.round1, layout.round2, layout.chunks], layout.evaluations
    found = {"the key's digest": (0, 0, 32), "the number of rows": (0, 32, 32)}
    found |= {f"word {i}": (0, 64 + 32 * i, 32) for i in range(words)}
    found["the context"] = (0, 64 + 32 * words, 32)
    for number, names in enumerate(rounds, 1):
        found |= {name: (number, 64 * i, 64) for i, name in enumerate(names)}
        found[f"all of round {number}"] = (number, 0, 64 * len(names))
    last = len(rounds) + 1
    found |= {f"{name} at {at}": (last, 32 * i, 32) for i, (name, at) in enumerate(evaluations)}
    found["all evaluations"] = (last, 0, 32 * len(evaluations))
    return found | {"W": (last + 1, 0, 64), "half of W": (last + 1, 0, 32)}


@pytest.mark.parametrize("name", CIRCUITS)
def test_each_absorbed_item_matters(
    known: Known, contracts: Contracts, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A prover that leaves one out is refused by all three, and accepted by a verifier that leaves it out too."""
    circuit, rows, rng = CIRCUITS[name], ROWS, random.Random(2)
    honest = known.workshop.prove(circuit, [circuit.random_row(rng) for _ in range(rows)])
    proofs: dict[str, Proof] = {}
    left_out = items(honest.key, rows)
    for what, item in left_out.items():
        with monkeypatch.context() as patch:
            for module in (simulator, network_simulator):
                patch.setattr(module, "Transcript", partial(LeavingOut, item=item))
            body = known.simulator(circuit, honest.key, what).prove(rows, honest.words)
            proofs[what] = honest.with_(body=body)
            for verifier in (VERIFIER, NETWORKS):
                patch.setattr(verifier, "Transcript", partial(LeavingOut, item=item))
            assert reference_refusal(proofs[what]) is None, what
        assert reference_refusal(proofs[what]) == "the pairing check fails", what
        assert native_refusal(proofs[what]) == "proof/invalid", what
    simulated = honest.with_(body=known.simulator(circuit, honest.key).prove(rows, honest.words))
    assert native_refusal(simulated) is None
    verdicts = contracts.verdicts(contracts.verifier(honest.key), [simulated, *proofs.values()])
    assert verdicts == [True] + [False] * len(proofs)
    # The statement and every message: nothing of them may be forgotten by this list.
    messages = {item[0] for item in left_out.values()}
    assert messages == set(range(max(messages) + 1))
    assert len(messages) == (8 if is_network(honest.key) else 6)


def test_the_chain_of_states_has_fixed_values() -> None:
    """The same numbers stand in the tests of the crate `algebra`."""
    transcript = Transcript(b"statement".ljust(32, b"\0"), 3, [1, 2])
    transcript.absorb(b"one")
    found = [transcript.challenge(), transcript.challenge()]
    transcript.absorb(b"")
    found.append(transcript.challenge())
    assert found == [
        11138719507485705455606452680495764929482479562619953567031067637951129915338,
        15652908663172695993153515378508231013373027803422713485009807193778840723746,
        1614503178642527569531110732627314283968426246053779847325172095439296542821,
    ]
