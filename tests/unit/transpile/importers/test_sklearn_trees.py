from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import MissingValue, ModelUnsupported

pytest.importorskip("sklearn")

from sklearn import ensemble, tree
from sklearn.linear_model import LinearRegression

FORESTS = [
    tree.DecisionTreeClassifier(random_state=0),
    tree.ExtraTreeClassifier(random_state=0, max_depth=6),
    ensemble.RandomForestClassifier(20, max_depth=6, random_state=0),
    ensemble.ExtraTreesClassifier(20, random_state=0),
    tree.DecisionTreeRegressor(random_state=0, max_leaf_nodes=20),
    tree.ExtraTreeRegressor(random_state=0, max_depth=6),
    ensemble.RandomForestRegressor(20, max_depth=6, random_state=0),
    ensemble.ExtraTreesRegressor(20, random_state=0, max_depth=7),
]


def named(model):
    return type(model).__name__


def labels(y, classes):
    return np.digitize(y, [-0.5, 0.5]) if classes == 3 else (y > 0).astype(int)


def runtime(model, rows):
    """Straight from the compiled trees, which take infinities: an average of values a tree."""
    members = getattr(model, "estimators_", [model])
    return np.mean([member.tree_.predict(rows).reshape(len(rows), -1) for member in members], axis=0)


@pytest.mark.parametrize("missing", [0, 0.1])
@pytest.mark.parametrize("model", FORESTS, ids=named)
def test_forests(model, missing, data, make_rows):
    X, y = data(missing=missing)
    target = labels(y, 3) if named(model).endswith("Classifier") else y
    model.fit(X, target)
    circuit = assay.transpile(model)
    assert len(circuit.outputs) == (3 if named(model).endswith("Classifier") else 1)
    rows = make_rows(circuit, 1000)
    assert np.abs(circuit.predict(rows) - runtime(model, rows)).max() < 1e-12
    report = assay.fidelity(circuit, model, rows)
    assert report.ok, str(report)
    assert report.leaf_disagreements == 0
    finite = make_rows(circuit, 1000, infinite=False)
    own = model.predict_proba(finite) if hasattr(model, "predict_proba") else model.predict(finite)[:, np.newaxis]
    assert np.abs(circuit.predict(finite) - own).max() < 1e-12
    assert assay.fidelity(circuit, model, finite).ok
    report = assay.fidelity(circuit, model, X, target)
    assert report.metric_before == pytest.approx(report.metric_after, abs=1e-12)


def test_models_that_refuse_missing_values(data, make_rows):
    X, y = data(missing=0)
    model = ensemble.GradientBoostingRegressor(n_estimators=3).fit(X, y)
    circuit = assay.transpile(model)
    assert {view.missing for view in circuit.views} == {"refuse"}
    assert assay.fidelity(circuit, model, make_rows(circuit, 300, missing=False)).ok
    X[3, 1] = np.nan
    with pytest.raises(MissingValue, match="row 3, column 1"):
        circuit.predict(X)


def test_several_targets(data, make_rows):
    X, y = data(missing=0)
    targets = np.stack([y, -y, y**2], axis=1)
    for model in (tree.DecisionTreeRegressor(max_depth=5), ensemble.RandomForestRegressor(5, max_depth=5)):
        circuit = assay.transpile(model.fit(X, targets))
        assert len(circuit.outputs) == 3
        rows = make_rows(circuit, 300, missing=False, infinite=False)
        assert np.abs(circuit.predict(rows) - model.predict(rows)).max() < 1e-12
        assert assay.fidelity(circuit, model, rows).leaf_disagreements == 0


def test_string_labels_and_weights(data):
    X, y = data()
    names = np.array(["down", "same", "up"])[labels(y, 3)]
    model = ensemble.RandomForestClassifier(10, max_depth=4, class_weight="balanced", random_state=0).fit(X, names)
    circuit = assay.transpile(model)
    assert circuit.outputs == ["probability[down]", "probability[same]", "probability[up]"]
    report = assay.fidelity(circuit, model, X, names)
    assert report.ok
    assert report.metric_before == pytest.approx((model.predict(X) == names).mean())


@pytest.mark.parametrize("options", [{}, {"init": "zero"}, {"learning_rate": 0.3, "subsample": 0.5}], ids=str)
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_gradient_boosting(classes, options, data, make_rows):
    X, y = data(missing=0)
    kind = ensemble.GradientBoostingClassifier if classes else ensemble.GradientBoostingRegressor
    target = labels(y, classes) if classes else y
    model = kind(n_estimators=15, random_state=0, **options).fit(X, target)
    circuit = assay.transpile(model)
    finite = make_rows(circuit, 1000, missing=False, infinite=False)
    own = model.decision_function(finite) if classes else model.predict(finite)
    assert np.abs(circuit.predict(finite) - own.reshape(len(finite), -1)).max() < 1e-12
    report = assay.fidelity(circuit, model, make_rows(circuit, 1000, missing=False))
    assert report.ok, str(report)
    assert report.leaf_disagreements == 0
    report = assay.fidelity(circuit, model, X, target)
    assert report.metric_before == pytest.approx(report.metric_after, rel=1e-12)
    if classes:
        assert report.metric_before == pytest.approx((model.predict(X) == target).mean())


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "quantile"])
def test_gradient_boosting_losses(loss, data):
    X, y = data(missing=0)
    model = ensemble.GradientBoostingRegressor(n_estimators=8, loss=loss).fit(X, y)
    assert np.abs(assay.transpile(model).predict(X)[:, 0] - model.predict(X)).max() < 1e-12


def test_gradient_boosting_exponential(data):
    X, y = data(missing=0)
    model = ensemble.GradientBoostingClassifier(n_estimators=8, loss="exponential").fit(X, y > 0)
    report = assay.fidelity(assay.transpile(model), model, X, y > 0)
    assert report.ok
    assert report.metric_before == (model.predict(X) == (y > 0)).mean()


@pytest.mark.parametrize("missing", [0, 0.1])
@pytest.mark.parametrize("classes", [0, 2, 3])
def test_histogram_gradient_boosting(classes, missing, data, make_rows):
    X, y = data(missing=missing)
    kind = ensemble.HistGradientBoostingClassifier if classes else ensemble.HistGradientBoostingRegressor
    target = labels(y, classes) if classes else y
    model = kind(max_iter=15, min_samples_leaf=5, random_state=0).fit(X, target)
    circuit = assay.transpile(model)
    rows = make_rows(circuit, 1500)
    own = model.decision_function(rows) if classes else model.predict(rows)
    assert np.abs(circuit.predict(rows) - own.reshape(len(rows), -1)).max() < 1e-12
    report = assay.fidelity(circuit, model, rows)
    assert report.ok, str(report)
    report = assay.fidelity(circuit, model, X, target)
    assert report.metric_before == pytest.approx(report.metric_after, rel=1e-12)


@pytest.mark.parametrize("loss", ["poisson", "gamma", "quantile"])
def test_histogram_gradient_boosting_losses(loss, data):
    X, y = data()
    options = {"quantile": 0.3} if loss == "quantile" else {}
    model = ensemble.HistGradientBoostingRegressor(max_iter=8, loss=loss, **options).fit(X, np.exp(y))
    margins = assay.transpile(model).predict(X)[:, 0]
    assert np.allclose(margins if loss == "quantile" else np.exp(margins), model.predict(X), rtol=1e-12)
    assert assay.fidelity(assay.transpile(model), model, X, np.exp(y)).ok


def test_labels_of_any_kind(data):
    X, y = data()
    days = np.array(["1999-12-31", "2020-01-01"], dtype="datetime64[D]").astype(str)
    for wanted in (y > 0, np.where(y > 0, 2.0, 1.0), days[(y > 0).astype(int)]):
        model = tree.DecisionTreeClassifier(max_depth=2).fit(X, wanted)
        circuit = assay.transpile(model)
        assert len(circuit.meta["classes"]) == 2
        assert assay.Circuit.from_json(circuit.to_json()).meta == circuit.meta


def test_names_of_a_data_frame(data):
    pandas = pytest.importorskip("pandas")
    X, y = data()
    frame = pandas.DataFrame(X, columns=list("abcde"))
    model = ensemble.RandomForestRegressor(5, max_depth=3).fit(frame, y)
    circuit = assay.transpile(model)
    assert [feature.name for feature in circuit.features] == list("abcde")
    shuffled = frame[list("ecabd")]
    assert (circuit.predict(shuffled) == circuit.predict(X)).all()
    assert assay.fidelity(circuit, model, shuffled).ok


def test_skops_files(data, tmp_path):
    skops = pytest.importorskip("skops.io")
    X, y = data(missing=0)
    for model in (
        tree.DecisionTreeRegressor(max_depth=3),
        ensemble.RandomForestClassifier(5, max_depth=3),
        ensemble.GradientBoostingRegressor(n_estimators=5),
        ensemble.HistGradientBoostingRegressor(max_iter=5),
        LinearRegression(),
    ):
        model.fit(X, y > 0 if named(model).endswith("Classifier") else y)
        path = tmp_path / "model.skops"
        skops.dump(model, path)
        circuit = assay.transpile(path)
        assert (circuit.predict(X) == assay.transpile(model).predict(X)).all()
        assert assay.fidelity(circuit, path, X).ok


def test_refused_by_name(data):
    X, y = data(missing=0)
    for model, words in (
        (
            ensemble.GradientBoostingRegressor(n_estimators=2, init=LinearRegression()).fit(X, y),
            "init=LinearRegression",
        ),
        (tree.DecisionTreeClassifier(), "not fitted"),
        (tree.DecisionTreeClassifier().fit(X, np.stack([y > 0, y > 1], axis=1)), "2 labels at once"),
        (ensemble.AdaBoostRegressor(n_estimators=2).fit(X, y), "AdaBoostRegressor"),
        (ensemble.IsolationForest(n_estimators=2).fit(X), "IsolationForest"),
    ):
        with pytest.raises(ModelUnsupported, match=words):
            assay.transpile(model)
    codes = np.random.default_rng(0).integers(0, 5, len(X)).astype(float)
    X[:, 0] = codes
    model = ensemble.HistGradientBoostingRegressor(max_iter=3, categorical_features=[0]).fit(X, y + codes)
    with pytest.raises(ModelUnsupported, match="categorical"):
        assay.transpile(model)
    with pytest.raises(ModelUnsupported, match="iterations"):
        assay.transpile(tree.DecisionTreeRegressor().fit(X, y), iterations=3)
