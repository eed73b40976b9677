"""Honest proofs of many shapes: both verifiers accept, and the outputs are what the model computes."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from .cases import CASES, Case, max_rows
from .proofs import Workshop, native_refusal, outputs_of, reference_refusal

if TYPE_CHECKING:
    from .circuits import Circuit

SINGLE = [(name, rows) for name, (_, batches) in CASES.items() for rows in batches]
SECRET = bytes(range(32))


@pytest.mark.parametrize(("name", "rows"), SINGLE, ids=[f"{name}, {rows} rows" for name, rows in SINGLE])
def test_both_verifiers_accept_what_the_model_computes(workshop: Workshop, name: str, rows: int) -> None:
    case: Case = CASES[name]
    circuit: Circuit = case[0]
    rng = random.Random(f"{name} {rows}")
    inputs = [circuit.random_row(rng) for _ in range(rows)]
    opening = SECRET if circuit.inputs == "private" else None
    proof = workshop.prove(circuit, inputs, max_rows=max_rows(case), opening=opening)
    assert outputs_of(proof, circuit.outputs) == [circuit.evaluate(row) for row in inputs]
    assert native_refusal(proof) is None
    assert reference_refusal(proof) is None


@pytest.mark.parametrize("name", ["1 outputs", "private pairs", "linear"])
def test_every_padding_is_that_of_row_zero(workshop: Workshop, name: str) -> None:
    """Three rows are proven in a block of four: the order matters, the number too."""
    circuit = CASES[name][0]
    rng = random.Random(name)
    rows = [circuit.random_row(rng) for _ in range(3)]
    proof = workshop.prove(circuit, rows)
    for claimed in (2, 4):
        words = proof.words
        other = proof.with_(rows=claimed, words=words)
        assert native_refusal(other) == "proof/malformed"
        assert reference_refusal(other) == "not the number of public words"
    padded = workshop.prove(circuit, [*rows, rows[0]])
    if circuit.inputs == "public":
        moved = padded.with_(body=proof.body)
        assert native_refusal(moved) == "proof/invalid"
        assert reference_refusal(moved) == "the pairing check fails"
