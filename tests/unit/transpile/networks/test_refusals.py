"""Models and options that are refused, each in one sentence that says what, where and what to do."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.core.errors import AssayError
from assay.transpile.errors import (
    ModelMalformed,
    ModelUnreadable,
    ModelUnsupported,
    OptionError,
    OutOfRange,
    RowsError,
    RowsWidth,
)

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
helper, TensorProto = onnx.helper, onnx.TensorProto
ROWS = np.random.default_rng(0).uniform(-1, 1, (40, 4))
WEIGHTS = np.random.default_rng(1).normal(size=(4, 2)).astype(np.float32)


def tensor(values, name):
    return onnx.numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def info(name, shape=(1, 4), kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model(nodes, *, inputs=None, outputs=None, weights=(), opset=17, **rest):
    graph = helper.make_graph(
        nodes, "graph", inputs or [info("x")], outputs or [info("y", None)], [tensor(v, n) for n, v in weights]
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8, **rest)


def dense(**changes):
    return model(
        **({"nodes": [helper.make_node("MatMul", ["x", "w"], ["y"], "first")], "weights": [("w", WEIGHTS)]} | changes)
    )


def branch():
    return helper.make_graph([helper.make_node("Identity", ["x"], ["z"])], "then", [], [info("z", None)])


MODELS = {
    "an operator that is not supported": (
        lambda: model([helper.make_node("Det", ["x"], ["y"], "odd")]),
        ModelUnsupported,
        "Det .*'odd'.*Supported operators: Abs, ",
    ),
    "an operator of another domain": (
        lambda: model([helper.make_node("Magic", ["x"], ["y"], "spell", domain="org.wizards")]),
        ModelUnsupported,
        "Magic of org.wizards",
    ),
    "a branch by nothing": (
        lambda: model([helper.make_node("If", ["c"], ["y"], "choice", then_branch=branch(), else_branch=branch())]),
        ModelMalformed,
        "If node 'choice' reads 'c', which nothing makes",
    ),
    "random numbers": (
        lambda: model([helper.make_node("RandomNormalLike", ["x"], ["y"], "dice")]),
        ModelUnsupported,
        "'dice' draws random numbers",
    ),
    "training mode": (
        lambda: model(
            [
                helper.make_node("Dropout", ["x", "", "t"], ["y"], "drop"),
                helper.make_node("Constant", [], ["t"], value=helper.make_tensor("t", TensorProto.BOOL, [], [True])),
            ]
        ),
        ModelUnsupported,
        "training mode",
    ),
    "a dimension that is left open": (
        lambda: dense(inputs=[info("x", ("batch", "time", 4))]),
        ModelUnsupported,
        r"the dimension 'time' of the input 'x' is left open.*dimensions={'time': 20}",
    ),
    "a dimension without a name": (
        lambda: dense(inputs=[info("x", (1, None, 4))]),
        ModelUnsupported,
        "1 .which has no name.",
    ),
    "an opset too old": (
        lambda: model([helper.make_node("Add", ["x", "x"], ["y"])], opset=5),
        ModelUnsupported,
        "opset 5",
    ),
    "an opset too new": (lambda: dense(opset=1000), ModelUnsupported, "opset 1000"),
    "a NaN weight": (lambda: dense(weights=[("w", np.full((4, 2), np.nan))]), ModelMalformed, "'w' holds a NaN"),
    "an infinite weight": (lambda: dense(weights=[("w", np.full((4, 2), np.inf))]), ModelMalformed, "not finite"),
    "a cycle": (
        lambda: model(
            [
                helper.make_node("Add", ["x", "b"], ["a"]),
                helper.make_node("Relu", ["a"], ["b"]),
                helper.make_node("Relu", ["b"], ["y"]),
            ]
        ),
        ModelMalformed,
        "cycle",
    ),
    "a value that nothing makes": (
        lambda: model([helper.make_node("Add", ["x", "ghost"], ["y"], "sum")]),
        ModelMalformed,
        "'sum' reads 'ghost'",
    ),
    "a value made twice": (
        lambda: model([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Abs", ["x"], ["y"])]),
        ModelMalformed,
        "'y' is made twice",
    ),
    "an output that nothing makes": (
        lambda: model([helper.make_node("Relu", ["x"], ["z"])]),
        ModelMalformed,
        "nothing makes the output 'y'",
    ),
    "text": (lambda: dense(inputs=[info("x", (1, 4), TensorProto.STRING)]), ModelUnsupported, "the input 'x' is text"),
    "a sequence": (
        lambda: dense(inputs=[helper.make_tensor_sequence_value_info("x", TensorProto.FLOAT, None)]),
        ModelUnsupported,
        "'x' is no tensor but sequence",
    ),
    "shapes that do not match": (lambda: dense(weights=[("w", WEIGHTS.T)]), ModelMalformed, "'first'.*do not match"),
    "an axis that is not there": (
        lambda: model([helper.make_node("Softmax", ["x"], ["y"], "soft", axis=7)]),
        ModelMalformed,
        "'soft'.*axis 7",
    ),
    "a constant output of a model without inputs": (
        lambda: model([helper.make_node("Constant", [], ["y"], value_float=1.0)], inputs=[info("x")]),
        AssayError,
        "",
    ),
    "a bomb of a shape": (
        lambda: model(
            [
                helper.make_node("Expand", ["x", "s"], ["y"], "boom"),
                helper.make_node("Constant", [], ["s"], value_ints=[1 << 20, 1 << 20, 4]),
            ]
        ),
        ModelUnsupported,
        "'boom'.*elements",
    ),
    "a bomb of a constant": (
        lambda: model(
            [
                helper.make_node("ConstantOfShape", ["s"], ["c"], "boom"),
                helper.make_node("Constant", [], ["s"], value_ints=[1 << 40]),
                helper.make_node("Relu", ["x"], ["y"]),
            ]
        ),
        ModelUnsupported,
        "'boom'.*elements",
    ),
    "a division by zero": (
        lambda: model([helper.make_node("Div", ["x", "z"], ["y"], "over")], weights=[("z", [0.0])]),
        ModelUnsupported,
        "divides by zero",
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_models(name):
    make, error, words = MODELS[name]
    if name.startswith("a constant output"):
        assert assay.transpile(make(), calibration=ROWS).predict(ROWS)[0, 0] == 1.0
        return
    with pytest.raises(error, match=words) as caught:
        assay.transpile(make(), calibration=ROWS)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({}, OptionError, "needs calibration rows, which choose the fixed-point range"),
        ({"calibration": ROWS[:, :3]}, RowsWidth, "3 values each and the model has 4"),
        ({"calibration": np.where(ROWS > 0.9, np.nan, ROWS)}, RowsError, "is missing or not finite"),
        ({"ranges": (1, -1)}, OptionError, "the range of all features, 1 to -1, is empty"),
        ({"ranges": {"x[0,1]": (0, 1)}}, OptionError, r"the feature x\[0,0\] has no range"),
        ({"ranges": {"ghost": (0, 1)}}, OptionError, "'ghost', which the model does not have"),
        ({"ranges": {0: ("a", "b")}}, OptionError, "Give two numbers"),
        ({"calibration": ROWS, "iterations": 3}, OptionError, "iterations does not apply to networks"),
        (
            {"calibration": ROWS, "integer_features": {0: (0, 1)}},
            OptionError,
            "integer_features does not apply to networks",
        ),
        ({"calibration": ROWS, "feature_names": ["a"]}, OptionError, "feature_names has 1 entries"),
        ({"calibration": ROWS, "inputs": "hidden"}, OptionError, "'hidden'"),
    ],
)
def test_options(options, error, words):
    with pytest.raises(error, match=words) as caught:
        assay.transpile(dense(), **options)
    assert "\n" not in str(caught.value)


def test_options_of_networks_for_other_models():
    sklearn = pytest.importorskip("sklearn.linear_model")
    fitted = sklearn.LinearRegression().fit(ROWS, ROWS[:, 0])
    with pytest.raises(OptionError, match="ranges does not apply"):
        assay.transpile(fitted, ranges=(0, 1))


def test_rows_outside_the_declared_range_name_feature_and_value():
    circuit = assay.transpile(
        dense(), ranges={"x[0,0]": (0, 1), "x[0,1]": (-1, 1), "x[0,2]": (-1, 1), "x[0,3]": (5, 6)}
    )
    circuit.predict([[0.5, 0, 0, 5.5]])
    with pytest.raises(OutOfRange, match=r"column 3 \(x\[0,3\]\): 7 is outside the circuit's range 5 to 6"):
        circuit.predict([[0.5, 0, 0, 7]])
    with pytest.raises(RowsError, match="is missing"):
        circuit.predict([[0.5, np.nan, 0, 5.5]])


def test_files(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(dense().SerializeToString()[:-20])
    with pytest.raises((ModelUnreadable, ModelMalformed)):
        assay.transpile(path, calibration=ROWS)
    path.write_bytes(b"")
    with pytest.raises(ModelUnreadable, match="is empty"):
        assay.transpile(path)
    large = dense()
    onnx.save_model(large, str(path), save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert assay.transpile(path, calibration=ROWS).predict(ROWS).shape == (40, 2)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelUnreadable, match="keeps its weights in another file"):
        assay.transpile(path, calibration=ROWS)


def test_broken_bytes_raise_nothing_else():
    data = bytearray(dense().SerializeToString())
    generator = np.random.default_rng(3)
    refused = 0
    for _ in range(300):
        broken = bytearray(data)
        for place in generator.integers(0, len(data), 3):
            broken[place] = int(generator.integers(0, 256))
        message = onnx.ModelProto()
        try:
            message.ParseFromString(bytes(broken))
        except Exception:  # noqa: BLE001, S112 - protobuf's own refusal
            continue
        try:
            assay.transpile(message, calibration=ROWS)
        except AssayError:
            refused += 1
    assert refused > 20


def test_several_inputs_and_outputs_go_by_name():
    graph = helper.make_graph(
        [
            helper.make_node("Add", ["price", "volume"], ["total"]),
            helper.make_node("Sub", ["price", "volume"], ["apart"]),
        ],
        "g",
        [info("price", (1, 2)), info("volume", (1, 2), TensorProto.DOUBLE)],
        [info("total", None), info("apart", None)],
    )
    graph.node.insert(0, helper.make_node("Cast", ["volume"], ["v"], to=TensorProto.FLOAT))
    for node in list(graph.node)[1:]:
        node.input[1] = "v"
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    circuit = assay.transpile(made, ranges=(-2, 2))
    assert [feature.name for feature in circuit.features] == ["price[0,0]", "price[0,1]", "volume[0,0]", "volume[0,1]"]
    assert circuit.outputs == ["total[0,0]", "total[0,1]", "apart[0,0]", "apart[0,1]"]
    assert np.abs(circuit.predict([[1.0, 0.5, 0.25, -1.0]]) - [1.25, -0.5, 0.75, 1.5]).max() < 1e-3
    named = dict(zip(["volume[0,1]", "volume[0,0]", "price[0,1]", "price[0,0]"], [-1.0, 0.25, 0.5, 1.0], strict=True))
    assert np.array_equal(circuit.predict(named), circuit.predict([[1.0, 0.5, 0.25, -1.0]]))


@pytest.mark.parametrize("kind", [TensorProto.DOUBLE, TensorProto.INT64, TensorProto.UINT8])
def test_inputs_of_other_types_are_read(kind):
    nodes = [
        helper.make_node("Cast", ["x"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["f", "w"], ["y"]),
    ]
    made = model(nodes, inputs=[info("x", (1, 4), kind)], weights=[("w", WEIGHTS)])
    circuit = assay.transpile(made, ranges=(0, 9))
    rows = np.array([[1, 2, 3, 4], [9, 0, 9, 0]])
    assert np.abs(circuit.predict(rows) - rows @ WEIGHTS.astype(np.float64)).max() < 0.02
    assert assay.fidelity(circuit, made, rows).ok


def test_rows_of_another_shape_are_refused_in_one_sentence():
    for rows in (ROWS[:, :3], np.zeros((3, 2, 5)), np.zeros((3, 2, 2)), np.zeros((0, 4)), [["a", 1, 2, 3]], "rows"):
        with pytest.raises(AssayError) as caught:
            assay.transpile(dense(), calibration=rows)
        assert "\n" not in str(caught.value)
