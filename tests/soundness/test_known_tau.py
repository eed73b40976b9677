"""Whoever knows tau proves anything, for that string and for no other.

The same procedure is the zero-knowledge simulator: it makes proofs of true statements from the key alone, with no
model and no hidden input. See simulator.py.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from tests.agreement.circuits import Circuit, forest, linear, views_of
from tests.agreement.known_tau import Generator
from tests.agreement.network_circuits import NetworkCircuit
from tests.agreement.proofs import Proof, native_refusal, outputs_of, reference_refusal

from .simulator import Simulator

if TYPE_CHECKING:
    from tests.agreement.proofs import Workshop

    from .conftest import Known

CIRCUITS = {
    "trees": forest(21),
    "trees, 6 outputs": forest(22, outputs=6),
    "trees, private": forest(23, inputs="private", views=views_of(2, ("refuse",))),
    "trees, private pairs": forest(24, inputs="private"),
    "linear": linear(25),
    "linear, 8 outputs": linear(26, outputs=8),
    "networks": NetworkCircuit("recurrent"),
    "networks, private": NetworkCircuit("dense", "private"),
}


def false_words(
    circuit: Circuit | NetworkCircuit, rng: random.Random, rows: int
) -> tuple[tuple[int, ...], list[list[int]]]:
    """Public words of random rows with an output that is wrong by one, and the true outputs.

    With private inputs the commitment is a random point: it is of no input that anyone knows.
    """
    inputs = [circuit.random_row(rng) for _ in range(rows)]
    true = [circuit.evaluate(row) for row in inputs]
    if circuit.inputs == "private":
        point = Generator().times(rng.getrandbits(250))
        assert point is not None
        first = list(point)
    else:
        first = [word for row in inputs for word in circuit.public_words(row)]
    claimed = [value for row in true for value in row]
    claimed[rng.randrange(len(claimed))] += 1
    context = rng.getrandbits(256)
    return (*first, *(value % (1 << 256) for value in claimed), context), true


@pytest.mark.parametrize("rows", [1, 3])
@pytest.mark.parametrize("name", CIRCUITS)
def test_a_forgery_passes_for_its_string_and_for_no_other(
    known: Known, workshop: Workshop, name: str, rows: int
) -> None:
    circuit = CIRCUITS[name]
    words, true = false_words(circuit, random.Random(f"{name} {rows}"), rows)
    key, _ = known.workshop.keys(circuit)
    forged = Proof(key, rows, words, known.simulator(circuit, key, name).prove(rows, words))
    assert outputs_of(forged, circuit.outputs) != true
    assert native_refusal(forged) is None
    assert reference_refusal(forged) is None

    fresh, _ = workshop.keys(circuit)
    carried = forged.with_(key=fresh)
    assert native_refusal(carried) == "proof/invalid"
    assert reference_refusal(carried) == "the pairing check fails"
    # The same work for the fresh key, with a tau that is not its own.
    retried = Proof(fresh, rows, words, known.simulator(circuit, fresh, name).prove(rows, words))
    assert native_refusal(retried) == "proof/invalid"
    assert reference_refusal(retried) == "the pairing check fails"


@pytest.mark.parametrize("name", CIRCUITS)
def test_the_simulator_proves_true_statements_without_the_model(known: Known, name: str) -> None:
    circuit = CIRCUITS[name]
    rng = random.Random(name)
    honest = known.workshop.prove(circuit, [circuit.random_row(rng) for _ in range(2)])
    bodies = {honest.body}
    for seed in range(3):
        simulated = honest.with_(body=known.simulator(circuit, honest.key, seed).prove(2, honest.words))
        assert native_refusal(simulated) is None
        assert len(simulated.body) == len(honest.body)
        bodies.add(simulated.body)
    assert len(bodies) == 4


def test_a_wrong_tau_forges_nothing(known: Known) -> None:
    circuit = CIRCUITS["trees"]
    key, _ = known.workshop.keys(circuit)
    words, _ = false_words(circuit, random.Random(1), 1)
    body = Simulator(key, known.tau + 1, random.Random(1)).prove(1, words)
    assert native_refusal(Proof(key, 1, words, body)) == "proof/invalid"
