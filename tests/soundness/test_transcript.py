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
from tests.agreement.proofs import Proof, native_refusal, reference_refusal
from tests.agreement.reference import is_network, parse_key, trees
from tests.agreement.reference.transcript import Transcript, keccak256, word

from . import simulator
from .targets import SHAPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.agreement.proofs import Workshop

    from .conftest import Known
    from .contracts import Contracts

VERIFIER = sys.modules["tests.agreement.reference.verify"]
NETWORKS = sys.modules["tests.agreement.reference.networks.verify"]
CIRCUIT = forest(91, trees=2, depth=2)
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


def items(known: Known) -> dict[str, tuple[int, int, int]]:
    """Everything that is absorbed: the number of its message (0: the statement), first byte, bytes."""
    key = parse_key(known.workshop.keys(CIRCUIT)[0])
    layout = trees.layout(key, ROWS)
    words = ROWS * (key.F + key.K)  # and the context behind them
    found = {"the key's digest": (0, 0, 32), "the number of rows": (0, 32, 32)}
    found |= {f"word {i}": (0, 64 + 32 * i, 32) for i in range(words)}
    found["the context"] = (0, 64 + 32 * words, 32)
    for number, names in enumerate((layout.round1, layout.round2, layout.chunks), 1):
        found |= {name: (number, 64 * i, 64) for i, name in enumerate(names)}
        found[f"all of round {number}"] = (number, 0, 64 * len(names))
    found |= {f"{name} at {at}": (4, 32 * i, 32) for i, (name, at) in enumerate(layout.evaluations)}
    found["all evaluations"] = (4, 0, 32 * len(layout.evaluations))
    return found | {"W": (5, 0, 64), "half of W": (5, 0, 32)}


def test_each_absorbed_item_matters(known: Known, contracts: Contracts, monkeypatch: pytest.MonkeyPatch) -> None:
    """A prover that leaves one out is refused by all three, and accepted by a verifier that leaves it out too."""
    rng = random.Random(2)
    honest = known.workshop.prove(CIRCUIT, [CIRCUIT.random_row(rng) for _ in range(ROWS)])
    proofs: dict[str, Proof] = {}
    for name, item in items(known).items():
        with monkeypatch.context() as patch:
            patch.setattr(simulator, "Transcript", partial(LeavingOut, item=item))
            proofs[name] = honest.with_(body=known.simulator(honest.key, name).prove(ROWS, honest.words))
            patch.setattr(VERIFIER, "Transcript", partial(LeavingOut, item=item))
            assert reference_refusal(proofs[name]) is None, name
        assert reference_refusal(proofs[name]) == "the pairing check fails", name
        assert native_refusal(proofs[name]) == "proof/invalid", name
    simulated = honest.with_(body=known.simulator(honest.key).prove(ROWS, honest.words))
    assert native_refusal(simulated) is None
    verdicts = contracts.verdicts(contracts.verifier(honest.key), [simulated, *proofs.values()])
    assert verdicts == [True] + [False] * len(proofs)
    # The statement, five messages: nothing of them may be forgotten by this list.
    assert {item[0] for item in items(known).values()} == set(range(6))


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
