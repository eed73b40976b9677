from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import MissingValue, ModelUnsupported, OutOfRange

pytest.importorskip("sklearn")

from sklearn import linear_model as lm
from sklearn import svm
from sklearn.ensemble import RandomForestRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, PolynomialFeatures, RobustScaler, StandardScaler

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

CLASSIFIERS = [
    lm.LogisticRegression(),
    lm.LogisticRegression(fit_intercept=False),
    lm.SGDClassifier(random_state=0),
    lm.RidgeClassifier(),
    lm.Perceptron(),
    svm.LinearSVC(),
]
REGRESSORS = [
    lm.LinearRegression(),
    lm.LinearRegression(fit_intercept=False),
    lm.Ridge(),
    lm.Lasso(alpha=0.01),
    lm.ElasticNet(alpha=0.01),
    lm.SGDRegressor(random_state=0),
    lm.BayesianRidge(),
    lm.HuberRegressor(),
    svm.LinearSVR(),
]


def named(model):
    return type(model).__name__


def table(rows=300, features=6, seed=0):
    """Features of very different sizes, as float32."""
    rng = np.random.default_rng(seed)
    X = (rng.normal(size=(rows, features)) * 10.0 ** rng.integers(-2, 3, features)).astype(np.float32)
    y = (X / np.abs(X).max(axis=0)) @ rng.normal(size=features) + 0.05 * rng.normal(size=rows)
    return X.astype(np.float64), y


def agree(circuit, model, X, y=None):
    report = assay.fidelity(circuit, model, X, y)
    assert report.ok, str(report)
    assert report.margin_error_ulps <= 2
    return report


@pytest.mark.parametrize("calibrated", [True, False])
@pytest.mark.parametrize("model", REGRESSORS, ids=named)
def test_regressors(model, calibrated):
    X, y = table()
    model.fit(X[:200], y[:200])
    circuit = assay.transpile(model, X[:200] if calibrated else None)
    got = circuit.predict(X[200:])[:, 0]
    assert np.allclose(got, model.predict(X[200:]), rtol=1e-9, atol=1e-9)
    report = agree(circuit, model, X[200:], y[200:])
    assert report.metric == "rmse"
    assert report.metric_before == pytest.approx(report.metric_after, rel=1e-9)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("model", CLASSIFIERS, ids=named)
def test_classifiers(model, classes):
    X, y = table()
    X /= np.abs(X).max(axis=0)
    labels = np.array(["a", "b", "c"])[np.digitize(y, [0] if classes == 2 else [-0.3, 0.3])]
    model.fit(X, labels)
    circuit = assay.transpile(model, X)
    assert len(circuit.outputs) == (1 if classes == 2 else 3)
    expected = model.decision_function(X).reshape(len(X), -1)
    assert np.allclose(circuit.predict(X), expected, rtol=1e-9, atol=1e-9)
    report = agree(circuit, model, X, labels)
    assert report.metric_before == report.metric_after == (model.predict(X) == labels).mean()


def test_several_targets():
    X, y = table()
    targets = np.stack([y, -y, 2 * y], axis=1)
    for model in (lm.LinearRegression(), lm.Ridge(), lm.MultiTaskLasso(alpha=0.01)):
        circuit = assay.transpile(model.fit(X, targets), X)
        assert np.allclose(circuit.predict(X), model.predict(X), rtol=1e-9, atol=1e-9)
        agree(circuit, model, X, targets)


@pytest.mark.parametrize("kind", [lm.PoissonRegressor, lm.GammaRegressor])
def test_log_links(kind):
    X, y = table()
    X /= np.abs(X).max(axis=0)
    model = kind().fit(X, np.exp(y))
    report = agree(assay.transpile(model, X), model, X, np.exp(y))
    assert report.metric_before == pytest.approx(report.metric_after, rel=1e-9)


@pytest.mark.parametrize(
    "scalers",
    [
        [StandardScaler()],
        [StandardScaler(with_mean=False)],
        [StandardScaler(with_std=False)],
        [MinMaxScaler()],
        [MaxAbsScaler()],
        [RobustScaler()],
        [RobustScaler(with_centering=False, with_scaling=False)],
        [RobustScaler(), StandardScaler(), MinMaxScaler((-1, 3))],
    ],
    ids=lambda scalers: "-".join(map(named, scalers)),
)
def test_pipelines_with_scalers(scalers):
    X, y = table()
    X[:, 2] += 1000  # a large mean
    model = make_pipeline(*scalers, lm.Ridge()).fit(X, y)
    circuit = assay.transpile(model, X)
    assert np.allclose(circuit.predict(X)[:, 0], model.predict(X), rtol=1e-9, atol=1e-9)
    agree(circuit, model, X, y)
    labels = y > 0
    classifier = make_pipeline(*scalers, lm.LogisticRegression()).fit(X, labels)
    report = agree(assay.transpile(classifier, X), classifier, X, labels)
    assert report.metric_before == report.metric_after


def test_ranges_come_from_calibration():
    X, y = table()
    model = lm.LinearRegression().fit(X, y)
    circuit = assay.transpile(model, X)
    largest = np.abs(X).max(axis=0)
    assert circuit.predict(X * 15)[:, 0] == pytest.approx(model.predict(X * 15), rel=1e-9)
    outside = X.copy()
    outside[7, 2] = largest[2] * 40
    with pytest.raises(OutOfRange, match=r"row 7, column 2 \(f2\).*calibration"):
        circuit.predict(outside)
    default = assay.transpile(model)
    assert {(f.low / 2**f.bits, f.high / 2**f.bits) for f in default.features} == {(-(2.0**20), 2.0**20)}


def test_missing_and_infinite_values_are_refused():
    X, y = table()
    circuit = assay.transpile(lm.LinearRegression().fit(X, y), X)
    for value, error in ((np.nan, MissingValue), (np.inf, OutOfRange), (-np.inf, OutOfRange)):
        rows = X.copy()
        rows[5, 1] = value
        with pytest.raises(error, match="row 5, column 1"):
            circuit.predict(rows)
        with pytest.raises(error, match="column 1"):
            circuit.predict(rows.tolist())
    rows = X.copy()
    rows[0, 0] = np.inf
    with pytest.raises(OutOfRange, match="column 0"):
        assay.transpile(lm.LinearRegression().fit(X, y), rows)


def test_whole_number_features():
    X, y = table()
    amounts = np.random.default_rng(0).integers(0, 2**60, len(X))
    table_ = [[int(amount), *row[1:].tolist()] for amount, row in zip(amounts, X, strict=True)]
    X[:, 0] = amounts
    model = lm.LinearRegression().fit(X / [2.0**60, 1, 1, 1, 1, 1], y)
    model.coef_[0] /= 2.0**60
    circuit = assay.transpile(model, table_, integer_features={0: (0, 2**63 - 1)})
    assert circuit.features[0].bits == 0
    assert circuit.features[0].high == 2**63 - 1
    assert circuit.encode(table_)[0][:, 0].tolist() == amounts.tolist()
    agree(circuit, model, table_)


def test_names_of_a_data_frame():
    pandas = pytest.importorskip("pandas")
    X, y = table()
    frame = pandas.DataFrame(X, columns=list("abcdef"))
    for model in (lm.LinearRegression(), make_pipeline(StandardScaler(), lm.Ridge())):
        circuit = assay.transpile(model.fit(frame, y), frame)
        assert [feature.name for feature in circuit.features] == list("abcdef")
        assert (circuit.predict(frame[list("fedcba")]) == circuit.predict(X)).all()
        agree(circuit, model, frame)


def test_several_outputs():
    X, y = table()
    X /= np.abs(X).max(axis=0)
    pair = lm.LinearRegression().fit(X, np.stack([y, 1 - y], axis=1))
    circuit = assay.transpile(pair, X)
    agree(circuit, pair, X)
    # What the native core reserves for an output: any 64-bit word times the largest weight, and the number of terms.
    widest = max(abs(weight).bit_length() for row in circuit.weights for weight in row)
    assert (widest + 64 + len(circuit.features).bit_length() + 3) * 2 <= 250
    many = lm.LogisticRegression().fit(X, np.digitize(y, np.linspace(-1, 1, 8)))
    assert len(assay.transpile(many, X).outputs) > 4


@pytest.mark.parametrize("model", [lm.LinearRegression(), lm.LogisticRegression()], ids=named)
def test_private_inputs_are_for_trees(model):
    X, y = table()
    model.fit(X, y > 0)
    with pytest.raises(ModelUnsupported, match=r"^private inputs are supported for tree models only") as caught:
        assay.transpile(model, X, inputs="private")
    assert caught.value.code == "model/unsupported"
    assert "linear model" in str(caught.value)
    assert 'inputs="public"' in str(caught.value)
    assert assay.transpile(model, X, inputs="public").inputs == "public"


def test_refused_by_name():
    X, y = table()
    for model, words in (
        (lm.LinearRegression(), "not fitted"),
        (make_pipeline(PolynomialFeatures(), lm.Ridge()).fit(X, y), "PolynomialFeatures"),
        (make_pipeline(MinMaxScaler(clip=True), lm.Ridge()).fit(X, y), "clips"),
        (make_pipeline(PolynomialFeatures(), RandomForestRegressor(2)).fit(X, y), "PolynomialFeatures"),
        (svm.SVR().fit(X, y), "SVR"),
        (lm.LogisticRegression, "type"),
        (object(), "builtins.object"),
        (None, "NoneType"),
    ):
        with pytest.raises(ModelUnsupported, match=words):
            assay.transpile(model)
    broken = lm.LinearRegression().fit(X, y)
    broken.coef_[2] = np.nan
    with pytest.raises(assay.AssayError, match="finite"):
        assay.transpile(broken)
