"""What scikit-learn's estimators export to, in real numbers and before any rounding: as onnxruntime says it."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelUnsupported, RowsUnreadable
from assay.transpile.flow.evaluate import evaluate, results
from assay.transpile.importers.onnx.convert import convert
from assay.transpile.importers.onnx.labels import numbered
from assay.transpile.importers.onnx.reading import parse

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
pytest.importorskip("sklearn")
pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore:The `probability` parameter"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:Bins whose width"),
]

from sklearn import (  # noqa: E402
    calibration,
    decomposition,
    ensemble,
    linear_model,
    mixture,
    multioutput,
    naive_bayes,
    neighbors,
    neural_network,
    preprocessing,
    svm,
)
from sklearn.pipeline import make_pipeline  # noqa: E402

GENERATOR = np.random.default_rng(5)
X = np.concatenate([GENERATOR.normal(0, 1, (90, 3)), GENERATOR.integers(0, 4, (90, 1))], axis=1)
X = X.astype(np.float32).astype(np.float64)
Y = X[:, 0] + np.sin(X[:, 1] * 2) + (X[:, 3] == 2)
TWO, THREE = (Y.mean() < Y).astype(int), np.digitize(Y, np.quantile(Y, [0.3, 0.6]))
GAPS, TEXTS = np.array([3, 9, 4])[THREE], np.array(["no", "yes", "later"])[THREE]
LOGISTIC, RIDGE = linear_model.LogisticRegression, linear_model.Ridge


def mlp(**options):
    return neural_network.MLPClassifier(hidden_layer_sizes=(5,), max_iter=30, random_state=0, **options)


def scaled(*steps):
    return make_pipeline(preprocessing.StandardScaler(), *steps)


KINDS = {
    "SVC": (scaled(svm.SVC(gamma=0.2)), TWO),
    "SVC, linear": (scaled(svm.SVC(kernel="linear")), TWO),
    "SVC of three classes": (scaled(svm.SVC(gamma=0.2)), THREE),
    "SVC of three classes, each with each": (svm.SVC(decision_function_shape="ovo"), GAPS),
    "SVC of text": (scaled(svm.SVC(gamma=0.2)), TEXTS),
    "NuSVC": (svm.NuSVC(kernel="poly", coef0=1), TWO),
    "logistic of text": (LOGISTIC(), TEXTS),
    "network of text": (scaled(mlp()), TEXTS),
    "several labels": (mlp(), np.stack([TWO, THREE > 0], 1)),
    "several targets": (multioutput.MultiOutputRegressor(RIDGE()), np.stack([Y, X[:, 2]], 1)),
    "powers of rows": (make_pipeline(preprocessing.PowerTransformer(), RIDGE()), Y),
    "polynomials": (make_pipeline(preprocessing.PolynomialFeatures(2), RIDGE()), Y),
    "bins": (make_pipeline(preprocessing.KBinsDiscretizer(4, encode="onehot-dense"), LOGISTIC()), TWO),
    "components": (scaled(decomposition.PCA(2, whiten=True), LOGISTIC()), TWO),
    "calibrated": (calibration.CalibratedClassifierCV(LOGISTIC(), cv=2), THREE),
    "calibrated in steps": (calibration.CalibratedClassifierCV(LOGISTIC(), cv=2, method="isotonic"), TWO),
    "votes": (
        ensemble.VotingClassifier([("a", LOGISTIC()), ("b", mlp())], voting="soft", flatten_transform=False),
        TWO,
    ),
    "stacked": (ensemble.StackingRegressor([("a", RIDGE()), ("b", linear_model.Lasso(0.1))], RIDGE()), Y),
    "bagged": (ensemble.BaggingClassifier(LOGISTIC(), 2), TWO),
    "mixture": (mixture.GaussianMixture(2, random_state=0), None),
    "naive Bayes": (naive_bayes.GaussianNB(), GAPS),
    "neighbours": (neighbors.KNeighborsClassifier(3), TWO),
}


def exported(fitted, target):
    with np.errstate(all="ignore"):
        fitted.fit(X) if target is None else fitted.fit(X, target)
    return parse(
        skl2onnx.to_onnx(fitted, X[:1].astype(np.float32), target_opset={"": 17, "ai.onnx.ml": 3}).SerializeToString(),
        "",
    )


def told(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    parts = session.run(None, {session.get_inputs()[0].name: X[:20].astype(np.float32)})
    return np.concatenate([np.asarray(part, dtype=np.float64).reshape(20, -1) for part in parts], 1)


@pytest.mark.parametrize("name", KINDS)
def test_an_estimator_is_what_onnxruntime_says(name):
    model = exported(*KINDS[name])
    numbered(model)
    flow, wanted = convert(model), told(model)
    got = results(flow, evaluate(flow, X[:20], np.zeros(4)))
    assert got.shape == wanted.shape
    assert np.abs(got - wanted).max() < 1e-4 * max(1.0, float(np.abs(wanted).max()))


def test_probabilities_of_an_svc_are_its_sigmoids():
    model = exported(scaled(svm.SVC(gamma=0.2, probability=True)), TWO)
    flow, wanted = convert(model), told(model)
    got = results(flow, evaluate(flow, X[:20], np.zeros(4)))
    assert np.array_equal(got[:, 0], wanted[:, 0])
    assert np.abs(got - wanted).max() < 0.01  # which onnxruntime approaches
    assert any("approach in steps" in note for note in flow.notes)
    with pytest.raises(ModelUnsupported, match="more than two classes are found step by step"):
        convert(exported(svm.SVC(probability=True), THREE))


def test_names_of_classes_are_said_once_and_taken_as_targets():
    fitted = scaled(LOGISTIC()).fit(X, TEXTS)
    model = skl2onnx.to_onnx(fitted, X[:1].astype(np.float32), target_opset={"": 17, "ai.onnx.ml": 3})
    circuit = assay.transpile(model, calibration=X)
    names = fitted.classes_.tolist()
    assert circuit.meta["classes"] == names
    assert f"0 is '{names[0]}', 1 is '{names[1]}', 2 is '{names[2]}'" in str(circuit.meta["notes"])
    told = [names[int(label)] for label in circuit.predict(X)[:, 0]]
    assert (np.array(told) == fitted.predict(X)).mean() > 0.97
    assert assay.fidelity(circuit, model, X, TEXTS).metric_before is not None
    with pytest.raises(RowsUnreadable, match="'maybe' is none of the model's classes"):
        assay.fidelity(circuit, model, X, np.full(len(X), "maybe"))
