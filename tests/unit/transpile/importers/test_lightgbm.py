from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.ensemble import Ensemble
from assay.transpile.errors import ModelUnsupported, OptionError
from assay.transpile.importers.lightgbm import from_text

lgb = pytest.importorskip("lightgbm")

QUIET = {"verbose": -1, "num_threads": 1, "min_data_in_leaf": 5, "deterministic": True}
OBJECTIVES = {
    "regression": {},
    "regression_l1": {},
    "huber": {},
    "fair": {},
    "poisson": {},
    "quantile": {"alpha": 0.3},
    "mape": {},
    "gamma": {},
    "tweedie": {},
    "binary": {},
    "multiclass": {"num_class": 3},
    "multiclassova": {"num_class": 3},
    "cross_entropy": {},
    "lambdarank": {},
}


def target(objective, y):
    if objective.startswith("multiclass"):
        return np.digitize(y, [-0.5, 0.5])
    if objective in ("binary", "cross_entropy", "lambdarank"):
        return (y > 0).astype(int)
    return np.exp(y) if objective in ("poisson", "gamma", "tweedie", "mape") else y


def train(objective, X, y, rounds=12, **options):
    group = [len(X) // 4] * 4 if objective == "lambdarank" else None
    rows = lgb.Dataset(X, label=target(objective, y), group=group, free_raw_data=False)
    return lgb.train(QUIET | OBJECTIVES[objective] | {"objective": objective} | options, rows, rounds)


def agree(circuit, booster, X):
    """Margins to double precision, and every leaf."""
    expected = booster.predict(X, raw_score=True).reshape(len(X), -1)
    size = np.abs(expected) + 1
    assert (np.abs(circuit.predict(X) - expected) <= 1e-12 * size * len(circuit.trees)).all()
    report = assay.fidelity(circuit, booster, X)
    assert report.ok, str(report)
    assert report.leaf_disagreements == 0
    return report


def to_float32(X):
    return np.asarray(X, dtype=np.float32)


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_objectives(objective, data, make_rows):
    X, y = data()
    booster = train(objective, X, y)
    circuit = assay.transpile(booster)
    agree(circuit, booster, make_rows(circuit, 1500))
    agree(circuit, booster, X)


def test_missing_type_none(data, make_rows):
    """Trained without missing values: they are read as 0 later."""
    X, y = data(missing=0)
    booster = train("regression", X, y)
    circuit = assay.transpile(booster)
    assert {view.missing for view in circuit.views} == {"zero"}
    agree(circuit, booster, make_rows(circuit, 2000))
    # The same with missing values switched off.
    X, y = data()
    booster = train("regression", X, y, use_missing=False)
    circuit = assay.transpile(booster)
    assert {view.missing for view in circuit.views} == {"zero"}
    agree(circuit, booster, make_rows(circuit, 2000))


def test_missing_type_zero(data, make_rows):
    X, y = data()
    X[np.random.default_rng(1).random(X.shape) < 0.2] = 0
    booster = train("regression", X, y, zero_as_missing=True)
    circuit = assay.transpile(booster)
    assert {(view.missing, view.zero_missing) for view in circuit.views} == {
        (missing, zero) for missing in ("low", "high") for zero in (False, True)
    }
    agree(circuit, booster, make_rows(circuit, 3000))
    with pytest.raises(ModelUnsupported, match="zero_as_missing"):
        assay.transpile(booster, inputs="private")


def test_missing_types_mixed(data, make_rows):
    """Missing values in some features only: types none and NaN in one model."""
    X, y = data(missing=0)
    X[::3, 0] = np.nan
    booster = train("binary", X, y)
    kinds = {
        int(kind) >> 2 & 3
        for line in booster.model_to_string().split("\n")
        if line.startswith("decision_type=")
        for kind in line.partition("=")[2].split()
    }
    assert kinds == {0, 2}
    circuit = assay.transpile(booster)
    assert {view.missing for view in circuit.views} == {"low", "high"}
    agree(circuit, booster, make_rows(circuit, 2000))


@pytest.mark.parametrize(
    "options",
    [
        {"boosting": "dart", "drop_rate": 0.5},
        {"num_leaves": 63, "min_data_in_leaf": 1},
        {"num_leaves": 2},
        {"extra_trees": True},
        {"data_sample_strategy": "goss"},
        {"min_gain_to_split": 1e9},
    ],
    ids=lambda options: next(iter(options)),
)
def test_kinds_of_trees(options, data, make_rows):
    X, y = data()
    booster = train("binary", X, y, **options)
    circuit = assay.transpile(booster)
    agree(circuit, booster, make_rows(circuit, 1000))


@pytest.mark.parametrize("objective", ["regression", "binary", "multiclass"])
def test_random_forest_mode_is_the_average_that_predict_uses(objective, data, make_rows, tmp_path):
    X, y = data()
    booster = train(objective, X, y, boosting="rf", bagging_freq=1, bagging_fraction=0.6)
    circuit = assay.transpile(booster)
    rows = make_rows(circuit, 500)
    margins, predicted = circuit.predict(rows), booster.predict(rows)
    if objective == "binary":
        assert np.allclose(1 / (1 + np.exp(-margins[:, 0])), predicted, rtol=1e-12)
    elif objective == "regression":
        assert np.allclose(margins[:, 0], predicted, rtol=1e-12)
    else:
        odds = np.exp(margins)
        assert np.allclose(odds / odds.sum(axis=1, keepdims=True), predicted, rtol=1e-12)
    report = assay.fidelity(circuit, booster, rows)
    assert report.ok
    assert report.leaf_disagreements == 0
    booster.save_model(tmp_path / "model.txt")
    assert assay.fidelity(assay.transpile(tmp_path / "model.txt"), tmp_path / "model.txt", rows).ok


def test_categorical_splits(data):
    X, y = data(missing=0)
    rng = np.random.default_rng(3)
    for column in (1, 3):
        codes = rng.integers(0, 40, len(X)).astype(np.float32)
        y = y + np.sin(5 * codes)
        codes[rng.random(len(X)) < 0.1] = np.nan
        X[:, column] = codes
    rows = lgb.Dataset(X, label=y, categorical_feature=[1, 3])
    booster = lgb.train(QUIET | {"objective": "regression", "min_data_per_group": 5, "cat_smooth": 1}, rows, 10)
    assert "num_cat=0" not in booster.model_to_string().partition("Tree=1")[0]
    circuit = assay.transpile(booster)
    test = X.copy()
    for column in (1, 3):
        test[:, column] = rng.choice(
            to_float32([np.nan, 0, -0.0, -0.5, -1, 0.5, 1, 2.999, 3, 31, 32, 33, 39, 40, 64, 1e9, 1e-40]), len(X)
        )
    agree(circuit, booster, test)


def test_wrappers(data, make_rows):
    X, y = data()
    labels = np.array(["low", "middle", "high"])[np.digitize(y, [-0.5, 0.5])]
    options = {"n_estimators": 8, "verbose": -1, "n_jobs": 1}
    for model, wanted in (
        (lgb.LGBMClassifier(**options), (y > 0).astype(int)),
        (lgb.LGBMClassifier(**options), labels),
        (lgb.LGBMRegressor(**options), y),
    ):
        circuit = assay.transpile(model.fit(X, wanted))
        report = assay.fidelity(circuit, model, make_rows(circuit, 500))
        assert report.ok, str(report)
        assert report.leaf_disagreements == 0
        report = assay.fidelity(circuit, model, X, wanted)
        assert report.metric_before == pytest.approx(report.metric_after, rel=1e-12)
        if isinstance(model, lgb.LGBMClassifier):
            assert report.metric_before == pytest.approx((model.predict(X) == wanted).mean())
            assert circuit.meta["classes"] == model.classes_.tolist()
        else:
            assert report.metric_before == pytest.approx(np.sqrt(((model.predict(X) - y) ** 2).mean()))
    ranker = lgb.LGBMRanker(**options).fit(X, np.digitize(y, [0]), group=[len(X) // 4] * 4)
    assert assay.fidelity(assay.transpile(ranker), ranker, X).ok


def test_early_stopping_uses_what_predict_uses(data, tmp_path):
    X, y = data()
    noise = np.random.default_rng(0).permutation(y)
    rows = lgb.Dataset(X, label=y)
    booster = lgb.train(
        QUIET | {"objective": "regression"},
        rows,
        40,
        valid_sets=[lgb.Dataset(X, label=noise, reference=rows)],
        callbacks=[lgb.early_stopping(2, verbose=False)],
        keep_training_booster=True,
    )
    assert booster.best_iteration < booster.num_trees()
    circuit = assay.transpile(booster)
    assert circuit.meta["iterations"] == booster.best_iteration
    agree(circuit, booster, X)
    chosen = assay.transpile(booster, iterations=3)
    assert np.allclose(chosen.predict(X)[:, 0], booster.predict(X, num_iteration=3), rtol=1e-12)
    assert assay.fidelity(chosen, booster, X).ok
    with pytest.raises(OptionError):
        assay.transpile(booster, iterations=1000)


def test_files(data, make_rows, tmp_path):
    X, y = data()
    booster = train("multiclass", X, y)
    path = tmp_path / "model.txt"
    booster.save_model(path)
    circuit = assay.transpile(str(path))
    rows = make_rows(circuit, 500)
    assert (circuit.predict(rows) == assay.transpile(booster).predict(rows)).all()
    report = assay.fidelity(circuit, path, rows)
    assert report.ok
    assert report.leaf_disagreements == 0
    windows = tmp_path / "windows.model"
    windows.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert assay.transpile(windows).to_json() == circuit.to_json()


def test_feature_names(data):
    X, y = data()
    rows = lgb.Dataset(X, label=y, feature_name=list("abcde"))
    assert [f.name for f in assay.transpile(lgb.train(QUIET, rows, 2)).features] == list("abcde")


def test_thresholds_inside_the_zero_band(data, tmp_path):
    """A file may hold thresholds that training never makes; the library reads tiny values as 0 all the same."""
    X, y = data(missing=0)
    text = train("regression", X, y, rounds=1, num_leaves=2).model_to_string()
    (line,) = [line for line in text.split("\n") if line.startswith("threshold=")]
    edge = float(np.float32(1e-35))
    around = [0.0, -0.0, edge, -edge, np.nextafter(edge, 1), -np.nextafter(edge, 1), edge / 2, -edge / 2, 5e-324]
    tiny = to_float32([0, -0.0, 1e-45, -1e-45, edge, -edge, 2 * edge, -2 * edge, 1, -1, np.nan])
    tiny = np.concatenate([tiny, np.nextafter(tiny, np.float32(9)), np.nextafter(tiny, np.float32(-9))])
    rows = np.repeat(tiny[:, np.newaxis], 5, axis=1)
    for threshold in around:
        changed = text.replace(line, f"threshold={float(threshold)!r}")
        changed = "\n".join(line for line in changed.split("\n") if not line.startswith("tree_sizes="))
        booster = lgb.Booster(model_str=changed)
        ensemble = from_text(changed, "file", None)
        assert isinstance(ensemble, Ensemble)
        agree(assay.transpile(booster), booster, rows)


def test_refused_by_name(data):
    X, y = data(missing=0)
    booster = train("regression", X, y, linear_tree=True)
    with pytest.raises(ModelUnsupported, match="linear_tree"):
        assay.transpile(booster)
    with pytest.raises(ModelUnsupported, match="not fitted"):
        assay.transpile(lgb.LGBMRegressor())
    text = train("regression", X, y).model_to_string().replace("version=v4", "version=v9")
    with pytest.raises(ModelUnsupported, match="v9"):
        from_text(text, "file", None)
