"""scikit-learn pipelines through skl2onnx: scaler and network, one-hot and linear, imputer and logistic regression."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ModelError

pytest.importorskip("onnxruntime")
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
skl2onnx = pytest.importorskip("skl2onnx")
pipeline = pytest.importorskip("sklearn.pipeline")


@pytest.fixture(scope="module")
def data():
    generator = np.random.default_rng(5)
    X = np.concatenate([generator.normal(50, 20, (400, 3)), generator.integers(0, 4, (400, 1))], axis=1)
    score = (X[:, 0] - 50) / 20 + np.sin(X[:, 1] / 15) + (X[:, 3] == 2)
    return X.astype(np.float32).astype(np.float64), score


def exported(fitted, X, **options):
    return skl2onnx.to_onnx(fitted, X[:1].astype(np.float32), target_opset={"": 17, "ai.onnx.ml": 3}, **options)


def test_scaler_and_mlp_regression(data):
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    X, score = data
    fitted = pipeline.make_pipeline(
        StandardScaler(), MLPRegressor(hidden_layer_sizes=(16, 8), max_iter=300, random_state=0)
    ).fit(X, score)
    model = exported(fitted, X)
    circuit = assay.transpile(model, calibration=X[:200])
    wanted = fitted.predict(X)
    assert np.abs(circuit.predict(X)[:, 0] - wanted).max() < 1e-3 * (wanted.max() - wanted.min())
    report = assay.fidelity(circuit, model, X[200:], score[200:])
    assert report.ok
    assert report.drawn == 10_000
    assert report.metric == "rmse"
    assert report.metric_after == pytest.approx(report.metric_before, rel=1e-3)
    assert report.to_dict()["layers"]
    assert str(report).startswith("ok: 0 of 200 rows")


def test_imputer_scaler_and_logistic_regression(data):
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    X, score = data
    fitted = pipeline.make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()).fit(
        X, score > score.mean()
    )
    circuit = assay.transpile(exported(fitted, X, options={"zipmap": False}), calibration=X)
    got = circuit.predict(X)  # the label, and a probability of each class
    assert np.abs(got[:, 1:] - fitted.predict_proba(X)).max() < 1e-3
    assert (got[:, 0] == fitted.predict(X)).mean() >= 0.999
    assert any("missing values are refused" in note for note in circuit.meta["notes"])


def test_classes_of_an_mlp(data):
    from sklearn.neural_network import MLPClassifier
    from sklearn.preprocessing import MinMaxScaler

    X, score = data
    classes = np.digitize(score, np.quantile(score, [0.3, 0.6]))
    fitted = pipeline.make_pipeline(
        MinMaxScaler(), MLPClassifier(hidden_layer_sizes=(12,), max_iter=200, random_state=0)
    ).fit(X, classes)
    circuit = assay.transpile(exported(fitted, X, options={"zipmap": False}), calibration=X)
    got = circuit.predict(X)
    assert np.abs(got[:, 1:] - fitted.predict_proba(X)).max() < 2e-3
    assert (got[:, 0] == fitted.predict(X)).mean() >= 0.99


def test_one_hot_and_a_linear_model(data):
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LinearRegression
    from sklearn.preprocessing import OneHotEncoder

    X, score = data
    columns = ColumnTransformer([("category", OneHotEncoder(), [3])], remainder="passthrough")
    fitted = pipeline.make_pipeline(columns, LinearRegression()).fit(X, score)
    circuit = assay.transpile(exported(fitted, X), calibration=X)
    wanted = fitted.predict(X)
    assert np.abs(circuit.predict(X)[:, 0] - wanted).max() < 1e-3 * (wanted.max() - wanted.min())


def test_scores_by_class_names_are_the_scores(data):
    from sklearn.linear_model import LogisticRegression

    X, score = data
    fitted = LogisticRegression().fit(X, score > score.mean())
    model = exported(fitted, X)  # with ZipMap
    circuit = assay.transpile(model, calibration=X)
    assert np.abs(circuit.predict(X)[:, 1:] - fitted.predict_proba(X)).max() < 1e-3
    assert assay.fidelity(circuit, model, X).ok


def test_fidelity_of_another_model(data):
    from sklearn.linear_model import LinearRegression

    X, score = data
    one, two = (exported(LinearRegression().fit(X, y), X) for y in (score, np.stack([score, score], axis=1)))
    circuit = assay.transpile(one, calibration=X)
    with pytest.raises(ModelError, match="another model"):
        assay.fidelity(circuit, two, X)
    with pytest.raises(ModelError, match="the model is none"):
        assay.fidelity(circuit, LinearRegression().fit(X, score), X)
    shifted = exported(LinearRegression().fit(X, score + X[:, 1]), X)
    assert not assay.fidelity(circuit, shifted, X).ok


@pytest.mark.parametrize("kernel", ["linear", "rbf", "poly", "sigmoid"])
def test_support_vectors(data, kernel):
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVR

    X, score = data
    fitted = pipeline.make_pipeline(StandardScaler(), SVR(kernel=kernel, gamma=0.1, coef0=0.5, degree=2)).fit(
        X[:60], score[:60]
    )
    circuit = assay.transpile(exported(fitted, X), calibration=X[:200])
    wanted = fitted.predict(X)
    assert np.abs(circuit.predict(X)[:, 0] - wanted).max() < 5e-3 * (wanted.max() - wanted.min())
