"""Trees in ONNX with the steps before them, against onnxruntime on the whole file."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelMalformed, ModelUnsupported, NotANumber, RowsError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
pd = pytest.importorskip("pandas")
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType  # noqa: E402
from sklearn import ensemble, preprocessing  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.impute import SimpleImputer  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402

helper, TensorProto = onnx.helper, onnx.TensorProto
ML = "ai.onnx.ml"


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(3)
    X = generator.normal(size=(400, 3)).astype(np.float32)
    X[:, 2] = generator.integers(0, 5, 400)
    return X, X[:, 0] + np.sin(3 * X[:, 1]) + (X[:, 2] == 3)


def session(model):
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def told(model, X):
    """What the file says, all outputs as arrays."""
    opened = session(model)
    found = opened.run(None, {opened.get_inputs()[0].name: X.astype(np.float32)})
    return [np.array([list(row.values()) for row in part]) if isinstance(part, list) else part for part in found]


def near(X):
    """The rows, all their neighbours in float32, and what is far away: where a wrong split would show."""
    beside = [np.nextafter(X, np.float32(end)) for end in (-np.inf, np.inf)]
    far = np.array([[-np.inf] * 3, [np.inf] * 3, [0] * 3, [-0.0] * 3, [3e38] * 3, [-3e38] * 3], dtype=np.float32)
    return np.concatenate([X, *beside, far])


FORESTS = {"n_estimators": 6, "max_depth": 4, "random_state": 0}
STEPS = {
    "none": list,
    "scaler": lambda: [preprocessing.StandardScaler()],
    "minmax that clips": lambda: [preprocessing.MinMaxScaler(clip=True)],
    "robust": lambda: [preprocessing.RobustScaler()],
    "imputer and scaler": lambda: [SimpleImputer(), preprocessing.StandardScaler()],
    "numbers one-hot": lambda: [
        ColumnTransformer(
            [("o", preprocessing.OneHotEncoder(handle_unknown="ignore"), [2])],
            remainder=preprocessing.StandardScaler(),
        )
    ],
    "ordinal": lambda: [
        ColumnTransformer(
            [("o", preprocessing.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), [2])],
            remainder="passthrough",
        )
    ],
    "binarizer": lambda: [preprocessing.Binarizer(threshold=0.25)],
}


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("kind", ["regression", "two classes", "three classes", "forest"])
def test_every_row_and_its_neighbours_are_decided_as_by_onnxruntime(steps, kind, data):
    X, score = data
    last = {
        "regression": lambda: (ensemble.GradientBoostingRegressor(**FORESTS), score),
        "two classes": lambda: (ensemble.GradientBoostingClassifier(**FORESTS), (score > 0).astype(int)),
        "three classes": lambda: (ensemble.GradientBoostingClassifier(**FORESTS), np.digitize(score, [-0.5, 0.5])),
        "forest": lambda: (
            ensemble.RandomForestClassifier(**FORESTS),
            np.array(["a", "b", "c"])[np.digitize(score, [-0.5, 0.5])],
        ),
    }[kind]
    model, y = last()
    exported = skl2onnx.to_onnx(make_pipeline(*STEPS[steps](), model).fit(X, y), X[:1])
    circuit = assay.transpile(exported)
    rows = near(X)
    rows = (
        rows
        if steps != "imputer and scaler"
        else np.where(np.random.default_rng(1).random(rows.shape) < 0.1, np.nan, rows)
    )
    got, wanted = circuit.predict(rows), told(exported, rows)
    assert circuit.kind == "trees"
    if kind == "regression":
        assert np.abs(got - wanted[0]).max() < 1e-5
    else:
        assert np.abs(circuit.answers.probabilities(got) - wanted[1]).max() < 1e-5
        assert circuit.answers.labels(got) == wanted[0].tolist()
    finite = rows[np.isfinite(rows).all(axis=1) | np.isnan(rows).any(axis=1)]
    report = assay.fidelity(circuit, exported, finite)
    assert report.ok
    assert report.rows == len(finite)


def test_text_is_encoded_in_the_circuit(data):
    X, score = data
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "town": np.array(["x", "y", "z", "v", "w"])[X[:, 2].astype(int)]})
    types = [
        ("a", FloatTensorType([None, 1])),
        ("b", FloatTensorType([None, 1])),
        ("town", StringTensorType([None, 1])),
    ]
    for encoder, known in (
        (preprocessing.OneHotEncoder(handle_unknown="ignore"), False),
        (preprocessing.OneHotEncoder(), True),
        (preprocessing.OrdinalEncoder(), False),
    ):
        columns = ColumnTransformer([("n", SimpleImputer(), ["a", "b"]), ("t", encoder, ["town"])])
        fitted = make_pipeline(columns, ensemble.GradientBoostingRegressor(**FORESTS)).fit(frame, score)
        model = skl2onnx.to_onnx(fitted, initial_types=types)
        circuit = assay.transpile(model)
        assert np.abs(circuit.predict(frame)[:, 0] - fitted.predict(frame)).max() < 1e-5
        assert assay.fidelity(circuit, model, frame).ok
        gone = frame.assign(a=np.nan)
        assert np.abs(circuit.predict(gone)[:, 0] - fitted.predict(gone)).max() < 1e-5
        other = frame[:3].assign(town="nowhere")
        if known:
            with pytest.raises(NotANumber, match="'nowhere' is none of the model's 5 categories"):
                circuit.predict(other)
            with pytest.raises(RowsError, match="missing"):
                circuit.predict(frame[:3].assign(town=None))
        else:
            opened = session(model)
            feeds = {name: other[[name]].to_numpy().astype(object if name == "town" else "f4") for name in other}
            assert np.abs(circuit.predict(other) - opened.run(None, feeds)[0]).max() < 1e-5


def test_whole_numbers_are_compared_as_doubles(data):
    _, score = data
    whole = np.random.default_rng(4).integers(-5, 5, (400, 2)) * 1_000_003
    columns = make_pipeline(preprocessing.StandardScaler(), ensemble.GradientBoostingRegressor(**FORESTS))
    fitted = columns.fit(whole, score)
    model = skl2onnx.to_onnx(fitted, initial_types=[("x", Int64TensorType([None, 2]))])
    circuit = assay.transpile(model)
    opened = session(model)
    rows = np.concatenate([whole, whole + 1, whole - 1])
    assert np.abs(circuit.predict(rows) - opened.run(None, {"x": rows.astype(np.int64)})[0]).max() < 1e-5
    assert any("whole numbers" in note for note in circuit.meta["notes"])
    with pytest.raises(RowsError):
        circuit.predict([[np.nan, 1.0]])


def test_what_an_encoder_would_refuse_is_noted(data):
    X, score = data
    columns = ColumnTransformer([("o", preprocessing.OneHotEncoder(), [2])], remainder="passthrough")
    fitted = make_pipeline(columns, ensemble.GradientBoostingRegressor(**FORESTS)).fit(X, score)
    circuit = assay.transpile(skl2onnx.to_onnx(fitted, X[:1]))
    assert "values of X[2] that the model refuses as unknown" in circuit.summary()


def test_from_the_file_to_a_verified_proof(data, tmp_path):
    X, score = data
    fitted = make_pipeline(preprocessing.StandardScaler(), ensemble.GradientBoostingRegressor(**FORESTS)).fit(X, score)
    path = tmp_path / "model.onnx"
    path.write_bytes(skl2onnx.to_onnx(fitted, X[:1]).SerializeToString())
    for inputs in ("public", "private"):
        keys = assay.setup(assay.transpile(path, inputs=inputs))
        proof = assay.prove(keys.proving_key, X[:2])
        assert assay.verify(keys.verifying_key, proof)
        assert np.abs(proof.outputs[:, 0] - fitted.predict(X[:2])).max() < 1e-5


def stump(mode="BRANCH_LEQ", *, limit=0.5, before=(), after=(), classifier=False, width=1, **attributes):
    """One split, with nodes before and after it."""
    common = {
        "nodes_treeids": [0, 0, 0],
        "nodes_nodeids": [0, 1, 2],
        "nodes_featureids": [0, 0, 0],
        "nodes_values": [limit, 0.0, 0.0],
        "nodes_modes": [mode, "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 0, 0],
        "nodes_falsenodeids": [2, 0, 0],
    }
    votes = {"treeids": [0, 0], "nodeids": [1, 2], "ids": [0, 0], "weights": [-1.0, 2.0]}
    prefix = "class" if classifier else "target"
    common |= {f"{prefix}_{name}": value for name, value in votes.items()}
    common |= {"classlabels_int64s": [4, 9]} if classifier else {"n_targets": 1}
    name = "TreeEnsembleClassifier" if classifier else "TreeEnsembleRegressor"
    outputs = ["label", "y"] if classifier else ["y"]
    common = {key: value for key, value in (common | attributes).items() if value is not None}
    node = helper.make_node(name, ["z" if before else "x"], outputs, "trees", domain=ML, **common)
    last = after[-1].output[0] if after else "y"
    graph = helper.make_graph(
        [*before, node, *after],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(np.array([2.0], dtype=np.float32), "two")],
    )
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)], ir_version=8
    )


SIDES = {
    "less or equal": stump(),
    "less": stump("BRANCH_LT"),
    "greater": stump("BRANCH_GT"),
    "greater or equal": stump("BRANCH_GTE"),
    "equal": stump("BRANCH_EQ"),
    "not equal": stump("BRANCH_NEQ"),
    "missing numbers are true": stump(nodes_missing_value_tracks_true=[1, 0, 0]),
    "a threshold that is no float32": stump(limit=0.1),
    "a negative scale": stump(before=[helper.make_node("Scaler", ["x"], ["z"], domain=ML, offset=[0.1], scale=[-3.0])]),
    "a scale of zero": stump(before=[helper.make_node("Scaler", ["x"], ["z"], domain=ML, offset=[0.1], scale=[0.0])]),
    "a scale of zero, and missing numbers are true": stump(
        before=[helper.make_node("Scaler", ["x"], ["z"], domain=ML, offset=[0.1], scale=[0.0])],
        limit=-0.5,
        nodes_missing_value_tracks_true=[1, 0, 0],
    ),
    "a constant less a feature": stump(before=[helper.make_node("Sub", ["two", "x"], ["z"])]),
    "an equality after a scaler": stump(
        "BRANCH_EQ", limit=1.5, before=[helper.make_node("Scaler", ["x"], ["z"], domain=ML, offset=[0.0], scale=[3.0])]
    ),
    "a number that is filled in": stump(
        before=[
            helper.make_node("Imputer", ["x"], ["z"], domain=ML, replaced_value_float=0.75, imputed_value_floats=[-3.0])
        ]
    ),
    "steps that are not ordered": stump(
        limit=1.5,
        before=[
            helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64),
            helper.make_node(
                "LabelEncoder",
                ["i"],
                ["z"],
                domain=ML,
                keys_int64s=[-1, 0, 1, 2],
                values_floats=[1.0, 2.0, 0.0, 5.0],
                default_float=9.0,
            ),
        ],
    ),
    "a multiple of what the trees say": stump(after=[helper.make_node("Div", ["y", "two"], ["w"])]),
    "an average": stump(aggregate_function="AVERAGE", base_values=[0.25]),
}


@pytest.mark.parametrize("name", SIDES)
def test_sides_of_a_split(name):
    model = SIDES[name]
    points = np.array([0.5, 0.1, 0.75, 0.0, 1.0, 2.0, 3.0, -1.0, -2.0, 1.5, 0.26666668, 1e30, -1e30], dtype=np.float32)
    rows = np.concatenate([points, np.nextafter(points, np.float32(9)), np.nextafter(points, np.float32(-9)), [np.nan]])
    rows = rows[:, np.newaxis].astype(np.float32)
    circuit = assay.transpile(model)
    got = circuit.answers.values(circuit.predict(rows))
    assert np.abs(got - session(model).run(None, {"x": rows})[0]).max() < 1e-6


def mixed():
    return stump(before=[helper.make_node("Normalizer", ["x"], ["z"], "norm", domain=ML, norm="L2")], width=2)


REFUSED = {
    "a step that mixes features": (mixed, ModelUnsupported, "Normalizer node 'norm' stands before the model's trees"),
    "one that reads two": (
        lambda: stump(before=[helper.make_node("Add", ["x", "x"], ["z"], "twice")]),
        ModelUnsupported,
        "Add node 'twice' .* several features",
    ),
    "something after the trees": (
        lambda: stump(after=[helper.make_node("Tanh", ["y"], ["w"], "end")]),
        ModelUnsupported,
        "Tanh node 'end' computes with what the model's trees say",
    ),
    "a cast that wraps round": (
        lambda: stump(before=[helper.make_node("Cast", ["x"], ["z"], "cast", to=TensorProto.UINT8)]),
        ModelUnsupported,
        "'cast' .* none of float, double and int64",
    ),
    "the largest of the trees": (lambda: stump(aggregate_function="MAX"), ModelUnsupported, "takes the MAX"),
    "a transform": (lambda: stump(post_transform="LOGISTIC"), ModelUnsupported, "transform LOGISTIC, which runtimes"),
    "a mode": (lambda: stump("BRANCH_MEMBER"), ModelUnsupported, "mode BRANCH_MEMBER"),
    "votes for both of two classes": (
        lambda: stump(classifier=True, class_ids=[0, 1]),
        ModelUnsupported,
        "both of two classes",
    ),
    "a class without votes": (
        lambda: stump(classifier=True, classlabels_int64s=[1, 2, 3]),
        ModelUnsupported,
        "some rows get no vote for",
    ),
    "lists of other lengths": (lambda: stump(nodes_values=[0.5]), ModelMalformed, "differ in length"),
    "a cycle": (lambda: stump(nodes_truenodeids=[0, 0, 0]), ModelMalformed, "no root or several, a cycle"),
    "a child that is not there": (
        lambda: stump(nodes_truenodeids=[7, 0, 0]),
        ModelMalformed,
        "branches that are not there",
    ),
    "a column that is not there": (lambda: stump(nodes_featureids=[4, 0, 0]), ModelMalformed, "column"),
    "a vote that is not finite": (lambda: stump(target_weights=[np.inf, 1.0]), ModelMalformed, "not finite"),
    "a base of another length": (lambda: stump(base_values=[1.0, 2.0]), ModelMalformed, "2 base values for 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    make, error, words = REFUSED[name]
    with pytest.raises(error, match=words) as caught:
        assay.transpile(make())
    assert "\n" not in str(caught.value)


def test_options_that_do_not_apply():
    for option in ({"ranges": (0, 1)}, {"iterations": 3}, {"tolerance": 0.1}):
        with pytest.raises(assay.AssayError, match="does not apply"):
            assay.transpile(stump(), **option)
