"""A network's key beside the public part of its circuit, and its rows as public words."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.prove import wiring
from assay.prove.check import check_key
from assay.prove.errors import KeyForged, KeyRefused
from assay.transpile.circuit.network.words import packed, unpacked

CASES = Path(__file__).parents[1] / "transpile" / "networks" / "cases"


@pytest.fixture(scope="module")
def case():
    circuit = assay.Circuit.from_json(json.dumps(json.loads((CASES / "recurrent.json").read_text())["circuit"]))
    return circuit, assay.setup(circuit, max_batch=2)


def test_the_key_is_checked_with_what_stands_beside_it(case):
    circuit, keys = case
    assert keys.verifying_key.check.checked
    beside = wiring.read(wiring.public(circuit))
    assert '"weights":[]' in beside
    assert assay.Circuit.from_json(beside).network.cells.a.tolist() == circuit.network.cells.a.tolist()


def test_without_the_circuit_nothing_is_checked(case):
    assert not check_key(case[1].verifying_key.content).checked


def test_another_wiring_is_refused(case):
    circuit, keys = case
    cells = circuit.network.cells
    read = cells.a.copy()
    read[7] = 3  # the other input
    other = replace(circuit, network=replace(circuit.network, cells=replace(cells, a=read)))
    with pytest.raises(KeyForged):
        check_key(keys.verifying_key.content, circuit=other.to_json())
    with pytest.raises(KeyRefused):
        check_key(keys.verifying_key.content, circuit=replace(circuit, outputs=["a"], scale_bits=7).to_json())


@pytest.mark.parametrize("text", ["", "no base64", "eJwrSS0uAQAEXQHB", "eJwrSS0u"])
def test_what_is_no_wiring_is_refused(text, case):
    try:
        found = wiring.read(text)
    except KeyForged:
        return
    with pytest.raises(KeyForged):
        check_key(case[1].verifying_key.content, circuit=found)


def test_public_words_hold_the_rows(case):
    circuit, keys = case
    rows = np.array([[0.5, -1.0], [3.0, 2.25]])
    words, _ = circuit.encode(rows)
    proof = assay.prove(keys.proving_key, rows)
    assert proof.public_inputs[:2] == packed(circuit, words)
    assert unpacked(circuit, proof.public_inputs[:2]).tolist() == words.tolist()
