"""Rows outside a declared range: refused, unless the end of the range is asked for, which the proof then says."""

import json

import numpy as np
import pytest

import assay
from assay.prove.errors import ContradictoryProof
from assay.prove.proof import Proof
from assay.transpile.errors import OptionError, OutOfRange, RowsError

pytest.importorskip("sklearn")
ROWS = np.array([[0.5, 0.25], [7.0, -9.0], [1.0, 0.0]])


@pytest.fixture(scope="module", params=["linear", "network"])
def keys(request):
    if request.param == "network":
        onnx = pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
        helper = onnx.helper
        info = [helper.make_tensor_value_info(name, 1, [1, size]) for name, size in (("x", 2), ("y", 1))]
        weights = onnx.numpy_helper.from_array(np.array([[2.0], [-1.0]], dtype=np.float32), "w")
        nodes = [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])]
        model = helper.make_model(
            helper.make_graph(nodes, "g", info[:1], info[1:], [weights]),
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=8,
        )
        circuit = assay.transpile(model, ranges=(-2, 2), feature_names=["a", "b"])
    else:
        from sklearn.linear_model import LinearRegression

        X = np.array([[-2.0, -2.0], [2.0, 2.0], [0.0, 1.0], [1.0, 0.0]])
        fitted = LinearRegression().fit(X, X @ [2.0, -1.0])
        circuit = assay.transpile(fitted, calibration=X, feature_names=["a", "b"])
    ends = [feature.high * 2.0**-feature.bits for feature in circuit.features]
    lows = [feature.low * 2.0**-feature.bits for feature in circuit.features]
    rows = np.array([[0.5, 0.25], [ends[0] + 5.0, lows[1] - 7.0], [1.0, 0.0]])
    return circuit, assay.setup(circuit), rows, (ends[0], lows[1])


def test_a_row_outside_is_refused_with_feature_and_value(keys):
    _, made, rows, _ = keys
    with pytest.raises(OutOfRange, match=r"row 1, column 0 \(a\): .* is outside the circuit's range .*saturate"):
        assay.prove(made.proving_key, rows)


def test_the_end_of_the_range_is_proven_and_said(keys):
    circuit, made, rows, (high, low) = keys
    proof = assay.prove(made.proving_key, rows, saturate=True)
    assert assay.verify(made.verifying_key, proof)
    clamped = rows.copy()
    clamped[1] = high, low
    assert np.array_equal(proof.outputs, circuit.predict(clamped))
    assert [(one.row, one.feature, one.taken) for one in proof.saturated] == [(1, "a", high), (1, "b", low)]
    assert [one.value for one in proof.saturated] == pytest.approx(rows[1].tolist(), abs=1e-3)
    again = Proof.from_json(proof.to_json())
    assert again.saturated == proof.saturated
    assert "saturated" in str(again)


def test_rows_inside_say_nothing(keys):
    _, made, rows, _ = keys
    proof = assay.prove(made.proving_key, rows[:1], saturate=True)
    assert proof.saturated == ()
    assert "saturated" not in json.loads(proof.to_json())


@pytest.mark.parametrize(
    "said",
    [
        [],
        "all",
        [1],
        [{"row": 9}],
        [{"row": True}],
        [{"row": 0, "feature": "a"}],
        [{"row": 0, "feature": "a", "value": "7", "taken": 1.0}],
        [{"row": 0, "feature": "a" * 999, "value": 7.0, "taken": 1.0}],
    ],
)
def test_a_file_that_says_nonsense_of_it_is_refused(keys, said):
    _, made, rows, _ = keys
    proof = assay.prove(made.proving_key, rows[:1])
    with pytest.raises(ContradictoryProof, match="saturated"):
        Proof.from_json(json.dumps(json.loads(proof.to_json()) | {"saturated": said}))


def test_missing_values_are_not_moved(keys):
    _, made, _, _ = keys
    with pytest.raises(RowsError):
        assay.prove(made.proving_key, [[np.nan, 0.0]], saturate=True)


def test_a_proof_of_hidden_rows_names_only_the_rows():
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    info = [helper.make_tensor_value_info(name, 1, [1, 2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", info[:1], info[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    made = assay.setup(assay.transpile(model, ranges=(-2, 2), inputs="private"))
    proof = assay.prove(made.proving_key, [[5.0, 7.0]], saturate=True)
    assert [one.to_dict() for one in proof.saturated] == [{"row": 0}]
    assert Proof.from_json(proof.to_json()).saturated == proof.saturated


def test_trees_have_no_ranges_but_of_whole_numbers():
    from sklearn.tree import DecisionTreeRegressor

    X = np.arange(8.0).reshape(-1, 1)
    tree = DecisionTreeRegressor().fit(X, X[:, 0])
    floats = assay.setup(assay.transpile(tree))
    with pytest.raises(OptionError, match="no feature of the model has a declared range"):
        assay.prove(floats.proving_key, [[99.0]], saturate=True)
    whole = assay.setup(assay.transpile(tree, integer_features={0: (0, 7)}))
    proof = assay.prove(whole.proving_key, [[99]], saturate=True)
    assert proof.outputs[0, 0] == 7.0
    assert [one.to_dict() for one in proof.saturated] == [{"row": 0, "feature": "f0", "value": 99, "taken": 7}]
