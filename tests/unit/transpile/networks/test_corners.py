"""Corners of operators in which runtimes round, cut and cast: as onnxruntime does it, or refused by name."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelUnsupported

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto


def model(nodes, shape, constants=(), opset=18):
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.asarray(values, dtype=kind), name) for name, values, kind in constants],
    )
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=domains, ir_version=8)


def resized(shape, opset=18, *, sizes=None, scales=None, **how):
    if sizes is not None:
        node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], **how)
        return model([node], shape, [("sizes", sizes, np.int64)], opset)
    inputs = ["x", "scales"] if opset < 11 else ["x", "", "scales"]
    return model([helper.make_node("Resize", inputs, ["y"], **how)], shape, [("scales", scales, np.float32)], opset)


def whole(nodes):
    """Steps on the features as int64, and what they give as float32."""
    before = helper.make_node("Cast", ["x"], ["whole"], to=TensorProto.INT64)
    return [before, *nodes, helper.make_node("Cast", ["found"], ["y"], to=TensorProto.FLOAT)]


def encoded(value, name):
    return helper.make_node(
        "LabelEncoder",
        ["whole"],
        [name],
        domain="ai.onnx.ml",
        keys_int64s=[100],
        values_int64s=[0],
        default_int64=value,
    )


SQUARE, LINE = (1, 1, 4, 4), (1, 10)
MODELS = {
    "pytorch_half_pixel to one": resized(
        SQUARE, sizes=[1, 1, 1, 1], mode="cubic", coordinate_transformation_mode="pytorch_half_pixel"
    ),
    "pytorch_half_pixel to a line": resized(
        SQUARE, sizes=[1, 1, 1, 5], mode="linear", antialias=1, coordinate_transformation_mode="pytorch_half_pixel"
    ),
    "opset 10, fewer": resized((1, 1, 2, 4), 10, scales=[1, 1, 0.6, 0.6], mode="nearest"),
    "opset 10, more": resized((1, 1, 2, 4), 10, scales=[1, 1, 2.0, 1.5], mode="nearest"),
    "a scale that float32 rounds up": resized(LINE, scales=[1, 0.7], mode="nearest"),
    "one hot of parts": model(
        [helper.make_node("OneHot", ["x", "depth", "values"], ["y"])],
        (1, 4),
        [("depth", 3, np.float32), ("values", [0, 1], np.float32)],
    ),
    "one hot of parts, its values parts too": model(
        [helper.make_node("OneHot", ["x", "depth", "values"], ["y"], axis=1)],
        (1, 4),
        [("depth", 3, np.float32), ("values", [0.1, -2.7], np.float32)],
    ),
    "one hot of a depth that is cut": model(
        [helper.make_node("OneHot", ["x", "depth", "values"], ["y"])],
        (1, 4),
        [("depth", 3.7, np.float32), ("values", [1 / 3, 1e-2], np.float32)],
    ),
    "a quotient of codes": model(
        whole([encoded(7, "a"), encoded(2, "b"), helper.make_node("Div", ["a", "b"], ["found"])]), (1, 4)
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_corners_are_as_onnxruntime_has_them(name):
    made = MODELS[name]
    shape = [one.dim_value for one in made.graph.input[0].type.tensor_type.shape.dim]
    rows = np.random.default_rng(0).uniform(-1, 1, (40, int(np.prod(shape))))
    rows = np.round(rows * 2.6, 1) if name.startswith("one hot") else rows
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    told = np.stack([session.run(None, {"x": row.reshape(shape).astype(np.float32)})[0].ravel() for row in rows])
    circuit = assay.transpile(made, calibration=rows)
    found = np.asarray(circuit.decode(circuit.evaluate(*circuit.encode(rows))), dtype=np.float64)
    assert found.shape == told.shape
    assert np.abs(found - told).max() < 2e-3


@pytest.mark.parametrize("operator", ["ReduceMean", "ReduceL2", "ReduceLogSum"])
def test_a_reduction_that_cuts_whole_numbers_is_refused(operator):
    made = model(whole([helper.make_node(operator, ["whole"], ["found"])]), (1, 4))
    with pytest.raises(ModelUnsupported, match="of whole numbers it cuts off"):
        assay.transpile(made, calibration=np.ones((10, 4)))


def test_an_old_operator_inside_a_branch_is_seen():
    def branch(name, *nodes):
        return helper.make_graph(nodes, name, [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)])

    added = helper.make_node("Add", ["x", "k"], ["z"], broadcast=1, axis=0)
    kept = helper.make_node("Relu", ["x"], ["z"])
    choice = helper.make_node("If", ["c"], ["y"], then_branch=branch("a", added), else_branch=branch("b", kept))
    made = model([choice], (2, 2), [("c", True, np.bool_), ("k", [10, 20], np.float32)], opset=6)
    with pytest.raises(ModelUnsupported, match="opset 6"):
        assay.transpile(made, calibration=np.ones((10, 4)))
