"""The public words of rows are those that a proof shows, of every kind of model; a key's interface gives them too."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import LinearRegression
from xgboost import XGBRegressor

import assay
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.circuit.public import public_words

ROWS, FEATURES = 3, 15
"""More features than one word of a network holds."""
X = np.random.default_rng(5).normal(size=(60, FEATURES)).astype(np.float32)


def dense():
    weights = np.random.default_rng(6).normal(size=(FEATURES, 1)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["a"]), helper.make_node("Relu", ["a"], ["y"])],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", FEATURES])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", 1])],
        [numpy_helper.from_array(weights, "w")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])


@pytest.mark.parametrize("kind", ["trees", "linear", "network"])
def test_they_are_the_proofs(kind, tmp_path):
    rows = X[:ROWS].copy()
    if kind == "trees":
        rows[0, 1] = np.nan
        circuit = assay.transpile(XGBRegressor(n_estimators=3, max_depth=2).fit(X, X[:, 0]))
    elif kind == "linear":
        circuit = assay.transpile(LinearRegression().fit(X, X[:, 0]))
    else:
        onnx.save(dense(), tmp_path / "dense.onnx")
        circuit = assay.transpile(tmp_path / "dense.onnx", calibration=X)
    assert circuit.kind == kind
    keys = assay.setup(circuit, max_batch=4)
    proof = assay.prove(keys.proving_key, rows)
    shown = proof.public_inputs[: -1 - ROWS * len(circuit.outputs)]
    for one in (circuit, Circuit.from_json(keys.proving_key.interface)):
        found = public_words(one, *one.encode(rows))
        assert len(found) == ROWS
        assert [word for row in found for word in row] == shown
