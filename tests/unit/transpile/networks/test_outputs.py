"""Several outputs are judged each by itself: by its own spread, and a class by being right."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelUnsupported
from assay.transpile.networks.oracle import Oracle
from assay.transpile.networks.outputs import Outputs

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto

BOTH = Outputs.of({"outputs": {"label": [1], "scores": [1, 2]}, "class_outputs": ["label"]}, 3)
WANTED = np.array([[0, 0.9, 0.1], [1, 0.2, 0.8], [2, 0.4, 0.6]])


def test_an_error_is_a_share_of_its_own_output():
    sizes = Outputs.of({"outputs": {"large": [1], "small": [1], "same": [1]}}, 3)
    wanted = np.array([[0, 0.0, 5], [1e6, 0.5, 5]])
    assert sizes.shares(wanted, wanted + [[10, 0.05, 0.5]] * 2).tolist()[0] == pytest.approx([1e-5, 0.1, 0.1])
    assert Outputs.of({}, 3).shares(wanted, wanted + 10).max() == pytest.approx(1e-5)
    assert sizes.shares(wanted[:0], wanted[:0]).shape == (0, 3)
    assert Outputs.of({"outputs": {"one": [2]}}, 3).sizes == (3,)  # what does not fit says nothing


def test_a_class_is_right_or_not():
    got = WANTED.copy()
    got[1, 0] = 2
    assert BOTH.differing(WANTED, WANTED) == 0
    assert BOTH.differing(WANTED, got) == 1
    assert BOTH.shares(WANTED, got).max() == 0
    assert BOTH.errors(WANTED, got).shape == (3, 2)
    got[2, 1:] = 0.6, 0.4
    assert BOTH.differing(WANTED, got) == 2
    alone = Outputs.of({"outputs": {"label": [1]}, "class_outputs": ["label"]}, 1)
    assert alone.errors(WANTED[:, :1], got[:, :1]).max() == 1
    assert alone.differing(WANTED[:0, :1], got[:0, :1]) == 0


def network(scale):
    """A number of some size and the tangent of another; a class, and scores."""
    random = np.random.default_rng(0)
    weights = {
        name: random.normal(size=(4, width)).astype(np.float32) for name, width in (("w", 1), ("v", 1), ("u", 3))
    }
    weights["k"] = np.float32(scale)
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["a"]),
        helper.make_node("Mul", ["a", "k"], ["large"]),
        helper.make_node("MatMul", ["x", "v"], ["b"]),
        helper.make_node("Tanh", ["b"], ["small"]),
        helper.make_node("MatMul", ["x", "u"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["label"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_empty_tensor_value_info(name) for name in (("large", "small") if scale else ("label", "scores"))],
        [onnx.numpy_helper.from_array(np.asarray(values), name) for name, values in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


ROWS = np.random.default_rng(1).uniform(-1, 1, (200, 4))


def test_a_small_output_beside_a_large_one_is_not_lost_in_silence():
    model = network(1e5)
    circuit = assay.transpile(model, calibration=ROWS)
    report = assay.fidelity(circuit, model, ROWS)
    assert not report.ok
    assert report.error_share > 1e-3
    assert assay.fidelity(assay.transpile(network(2), calibration=ROWS), network(2), ROWS).ok


def test_a_runtime_that_gives_other_numbers_is_said(monkeypatch):
    plain = Oracle.outputs
    monkeypatch.setattr(Oracle, "outputs", lambda self, rows: plain(self, rows)[:, :1])
    with pytest.raises(ModelUnsupported, match="has 2 numbers as its outputs, of which onnxruntime gives 1"):
        assay.transpile(network(2), calibration=ROWS)


def test_accuracy_is_that_of_the_class():
    model = network(0)
    circuit = assay.transpile(model, calibration=ROWS)
    classes = circuit.predict(ROWS)[:, 0]
    assert circuit.meta["class_outputs"] == ["label"]
    report = assay.fidelity(circuit, model, ROWS, classes)
    assert report.metric == "accuracy"
    assert report.metric_after == 1
    assert report.ok
