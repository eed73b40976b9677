"""The shared networks, both exports of each, against onnxruntime's own outputs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.transpile.circuit.network import bounds, reference

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

SHARED = Path(os.environ.get("ASSAY_SHARED", Path(__file__).parents[5] / "shared")) / "models" / "nets"
SENT = {"mlp_30_64_64_1": 284_402, "cnn_28x28": 373_054, "lstm_sp500": 307_299, "bilstm_sp500": 342_350}  # gas
MODELS = ["mlp_30_64_64_1", "cnn_28x28", "cnn_digits", "lstm_sp500", "gru_sp500", "bilstm_sp500"]


@pytest.fixture(
    scope="module", params=[(name, file) for name in MODELS for file in ("model", "model_dynamo")], ids="-".join
)
def case(request):
    folder = SHARED / request.param[0]
    if not folder.is_dir():
        pytest.skip(f"no reference models at {SHARED}")
    inputs = np.array(json.loads((folder / "inputs.json").read_text())["inputs"])
    outputs = np.array(json.loads((folder / "expected.json").read_text())["outputs"])
    rows = inputs.reshape(len(inputs), -1)
    circuit = assay.transpile(folder / f"{request.param[1]}.onnx", calibration=rows)
    circuit.meta["reference"] = request.param[0]
    return circuit, rows, outputs


def test_it_says_what_onnxruntime_says(case):
    circuit, rows, wanted = case
    got = circuit.predict(rows)
    assert np.abs(got - wanted).max() <= 1e-3 * (wanted.max() - wanted.min())
    if wanted.shape[1] > 1:
        assert (got.argmax(axis=1) == wanted.argmax(axis=1)).all()
    else:
        assert ((got > np.median(wanted)) == (wanted > np.median(wanted))).all()
    assert all(found["within"] for found in circuit.meta["fidelity"])


def test_the_gas_that_is_said_is_that_of_a_whole_transaction(case):
    """Of four of them `python -m benchmarks.networks` has sent proofs to a node."""
    circuit = case[0]
    said = int(circuit.meta["predicted"]["gas"].split()[1].replace(",", ""))
    sent = SENT.get(circuit.meta["reference"])
    assert sent is None or said == pytest.approx(sent, rel=0.03)


def test_the_specification_agrees(case):
    circuit, rows, _ = case
    words, missing = circuit.encode(rows[:1])
    low = np.array([feature.low for feature in circuit.features])
    inputs = words[0].astype(np.int64) + low - np.array(circuit.network.input_centres)
    assert reference.outputs(circuit.network, inputs.tolist()) == circuit.evaluate(words, missing)[0].tolist()


def test_every_declared_input_has_a_proof(case):
    circuit, _, _ = case
    centres = circuit.network.input_centres
    spans = [(f.low - centre, f.high - centre) for f, centre in zip(circuit.features, centres, strict=True)]
    bounds.check(circuit.network, spans)
    corners = np.array([[f.low for f in circuit.features], [f.high for f in circuit.features]], dtype=object)
    words = (corners - np.array([f.low for f in circuit.features], dtype=object)).astype(np.uint64)
    circuit.evaluate(words, np.zeros(words.shape, dtype=bool))


def test_the_file_keeps_everything(case):
    circuit, rows, _ = case
    again = assay.Circuit.from_json(circuit.to_json())
    assert again.to_json() == circuit.to_json()
    assert (again.predict(rows[:4]) == circuit.predict(rows[:4])).all()


def test_it_is_proven(case):
    circuit, rows, _ = case
    keys = assay.setup(circuit, max_batch=1)
    proof = assay.prove(keys.proving_key, rows[0])
    assert proof.output_integers == circuit.evaluate(*circuit.encode(rows[:1])).tolist()
    assert assay.verify(keys.verifying_key, proof)
    assert keys.verifying_key.check.checked
