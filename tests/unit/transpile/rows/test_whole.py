"""Inputs of whole numbers and truth values: what their types do not hold is refused wherever rows come in."""

from __future__ import annotations

import json

import numpy as np
import pytest

import assay
from assay.transpile.errors import MissingValue, NotANumber, OptionError, OutOfRange

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto
RANDOM = np.random.default_rng(0)
ROWS = {
    "int64": RANDOM.integers(0, 9, (50, 2)),
    "uint8": RANDOM.integers(0, 256, (50, 2)),
    "bool": RANDOM.integers(0, 2, (50, 2)),
}


def network(kind):
    nodes = [
        helper.make_node("Cast", ["x"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Gemm", ["numbers", "weights"], ["y"]),
    ]
    made = getattr(TensorProto, kind.upper())
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", made, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.ones((2, 1), np.float32), "weights")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)


@pytest.fixture(scope="module", params=ROWS)
def case(request):
    return request.param, assay.transpile(network(request.param), calibration=ROWS[request.param])


REFUSED = {
    "int64": [
        (
            [2.5, 1],
            NotANumber,
            r"column 0 \(x\[0,0\]\): 2.5 is no whole number, and the model takes int64 there",
        ),
        ([1, 1e30], OutOfRange, r"row 0, column 1 \(x\[0,1\]\): 1e\+30 is beyond int64"),
        ([np.nan, 1], MissingValue, "is missing"),
    ],
    "uint8": [
        ([300, 1], OutOfRange, r"300 is beyond uint8, which the model takes there"),
        ([1, -1], OutOfRange, r"-1 is beyond uint8"),
        ([0.25, 1], NotANumber, r"0.25 is no whole number"),
    ],
    "bool": [
        ([2, 1], NotANumber, r"2 is neither 0 nor 1, and the model takes bool there"),
        ([0, 0.5], NotANumber, r"0.5 is neither 0 nor 1"),
    ],
}


def test_what_the_type_does_not_hold_is_refused_by_every_way_in(case):
    kind, circuit = case
    for row, error, words in REFUSED[kind]:
        with pytest.raises(error, match=words):
            circuit.encode([row])
        with pytest.raises(error, match=words):
            circuit.encode(np.array([row], dtype=object))
        if error is MissingValue:
            continue
        with pytest.raises(error, match=words):
            assay.fidelity(circuit, network(kind), [row])
        with pytest.raises(error, match=words):
            assay.transpile(network(kind), calibration=[row, *ROWS[kind].tolist()])


def test_what_it_holds_is_taken_in_any_form(case):
    kind, circuit = case
    for row in ([1, 0], [True, False], [1.0, 0.0], np.array([1, 0], dtype=object)):
        assert circuit.predict([row]).tolist() == [[1.0]], kind


def test_a_circuit_that_was_saved_refuses_too(case, tmp_path):
    kind, circuit = case
    circuit.save(tmp_path)
    row, error, words = REFUSED[kind][0]
    with pytest.raises(error, match=words):
        assay.Circuit.load(tmp_path).encode([row])
    assert json.loads((tmp_path / "circuit.json").read_text())["meta"]["types"] == {"x": kind}


def test_ranges_end_where_the_type_does():
    circuit = assay.transpile(network("uint8"), calibration=ROWS["uint8"])
    assert [(f.low * 2.0**-f.bits, f.high * 2.0**-f.bits) for f in circuit.features] == [(0, 255)] * 2
    assert all(fit["within"] for fit in circuit.meta["fidelity"])
    with pytest.raises(OptionError, match=r"the range of x\[0,0\], 0 to 300, is beyond uint8"):
        assay.transpile(network("uint8"), ranges={0: (0, 300), 1: (0, 9)})
    with pytest.raises(OptionError, match="holds no two numbers of bool"):
        assay.transpile(network("bool"), ranges=(2, 3))
