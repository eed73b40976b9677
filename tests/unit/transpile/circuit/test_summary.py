"""The tables of a summary: layers of a network, levels of trees, terms of a linear model."""

import numpy as np
import pytest

import assay
from assay.bench import circuits
from assay.transpile.circuit.summary import summary


def lines(circuit, label):
    text = summary(circuit).splitlines()
    start = next(index for index, line in enumerate(text) if line.startswith(label))
    after = [index for index in range(start + 1, len(text)) if not text[index].startswith(" ")]
    return [line[11:] for line in text[start : after[0]]]


def test_levels_of_trees():
    table = lines(circuits.trees(features=3, rules=1, count=4, depth=2), "levels")
    assert [line.split() for line in table] == [
        ["depth", "splits", "leaves"],
        ["0", "4", "0"],
        ["1", "8", "0"],
        ["2", "0", "16"],
    ]


def test_terms_of_a_linear_model():
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LinearRegression

    X = np.array([[1.0, 1.0], [-1.0, 2.0], [0.5, -2.0], [0.25, 0.0]])
    circuit = assay.transpile(
        LinearRegression().fit(X, X @ [1.0, 100.0]), calibration=X, feature_names=["small", "big"]
    )
    table = [line.split() for line in lines(circuit, "largest")]
    assert [line[0] for line in table] == ["feature", "big", "small"]
    assert float(table[1][3]) > 50 * float(table[2][3])


def test_layers_of_a_network():
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper = onnx.helper
    weights = [
        onnx.numpy_helper.from_array(np.random.default_rng(0).normal(size=size).astype(np.float32), name)
        for name, size in (("v", (4, 16)), ("w", (16, 2)))
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "v"], ["h"], "first"),
        helper.make_node("Tanh", ["h"], ["t"], "bend"),
        helper.make_node("MatMul", ["t", "w"], ["y"], "last"),
    ]
    info = [helper.make_tensor_value_info(name, 1, [1, size]) for name, size in (("x", 4), ("y", 2))]
    graph = helper.make_graph(nodes, "g", info[:1], info[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    circuit = assay.transpile(model, ranges=(-1, 1))
    table = lines(circuit, "layers")
    assert table[0].split() == ["layer", "rows", "columns", "time", "gas", "largest", "possible", "error"]
    names = [line.split("  ")[0].strip() for line in table[1:]]
    assert names[0] == "input"
    assert "MatMul last" in names
    assert names[-3:] == ["public table", "up to powers of two", "the proof itself"]
    shares = [
        int(word) for line in table for word, sign in zip(line.split(), line.split()[1:], strict=False) if sign == "%"
    ]
    assert 190 <= sum(shares) <= 206  # of time and of gas
    assert "(the most)" in "".join(table)
    assert "gas        about" in circuit.summary()
