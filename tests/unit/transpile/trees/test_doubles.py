"""64-bit keys: every comparison of a model that reads doubles, exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay
from assay.transpile.circuit.keys import float64_keys, keys_to_float64, split_keys
from assay.transpile.errors import OptionError

lgb = pytest.importorskip("lightgbm")
ensembles = pytest.importorskip("sklearn.ensemble")

doubles = st.floats(allow_nan=False)


@given(doubles, doubles)
@settings(max_examples=500)
def test_keys_keep_the_order(x, y):
    a, b = float64_keys(np.array([x, y])).tolist()
    assert (a < b, a == b) == (x < y, x == y)
    assert 0 < a < 2**64 - 1  # below and above every number there is room for missing values
    assert keys_to_float64(np.array([a], np.uint64))[0] == x
    strict, loose = (int(split_keys(np.array([y]), strict=kind, double=True)[0]) for kind in (True, False))
    assert (a < strict, a < loose) == (x < y, x <= y)


def around(circuit, seed=0, count=2000):
    """Rows at, just below and just above every threshold, with zeros, tiny and missing values between."""
    rng = np.random.default_rng(seed)
    near = [[0.0, -0.0, 1e-35, -1e-35, 1.1e-35, -1.1e-35, 5e-324, 1e300, -1e300, np.nan] for _ in circuit.features]
    for tree in circuit.trees:
        for node in np.flatnonzero(tree.view >= 0):
            key = int(tree.key[node])
            keys = np.array(
                [min(max(key + step, 1 << 53), (1 << 64) - (1 << 53)) for step in (-2, -1, 0, 1)], np.uint64
            )
            near[circuit.views[tree.view[node]].feature] += keys_to_float64(keys).tolist()
    return np.column_stack([rng.choice(np.array(own), count) for own in near])


def check(circuit, model, rows):
    report = assay.fidelity(circuit, model, rows)
    assert report.ok, str(report)
    assert not report.leaf_disagreements
    assert report.rows_rounded == 0


def prices(rows=500, missing=0.0):
    rng = np.random.default_rng(4)
    X = np.round(rng.random((rows, 3)) * 10 - 2, 2)
    y = X[:, 0] * 2 + X[:, 1]
    X[rng.random(X.shape) < missing] = np.nan
    return X, y


def test_histogram_boosting_of_decimals():
    X, y = prices()
    model = ensembles.HistGradientBoostingClassifier(max_iter=10).fit(X, y > 6)
    circuit = assay.transpile(model)
    assert {feature.kind for feature in circuit.features} == {"float64"}
    assert circuit.bits == 64
    assert "64-bit keys" in circuit.summary()
    check(circuit, model, X)
    check(circuit, model, around(circuit))
    # 32-bit keys are there for who wants them, and are not exact for these rows.
    small = assay.transpile(model, precision="float32")
    assert small.bits == 32
    rows = around(circuit)
    report = assay.fidelity(small, model, np.vstack([X, rows[(np.abs(np.nan_to_num(rows)) < 1e30).all(axis=1)]]))
    assert not report.ok
    assert report.rows_rounded


OPTIONS = [
    {},
    {"zero_as_missing": True},
    {"use_missing": False},
    {"objective": "multiclass", "num_class": 3},
    {"boosting": "dart"},
    {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6},
]


@pytest.mark.parametrize("missing", [0.0, 0.2])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_lightgbm_of_decimals(options, missing):
    X, y = prices(missing=missing)
    y = np.digitize(np.nan_to_num(y), [4, 8]) if "num_class" in options else y
    booster = lgb.train({"verbose": -1, "num_threads": 1, "min_data_in_leaf": 3} | options, lgb.Dataset(X, y), 6)
    circuit = assay.transpile(booster)
    assert circuit.bits == 64
    check(circuit, booster, X)
    check(circuit, booster, around(circuit))
    hidden = assay.transpile(booster, inputs="private")
    assert (hidden.predict(X) == circuit.predict(X)).all()


def test_missing_as_zero_needs_one_view_and_is_filled_in():
    X, y = prices()
    booster = lgb.train({"verbose": -1}, lgb.Dataset(X, y), 3)
    circuit = assay.transpile(booster)
    assert [view.missing for view in circuit.views] == ["refuse"] * 3
    words, missing = circuit.encode([[None, 1.0, float("nan")]])
    assert not missing.any()
    assert words[0, 0] == words[0, 2] == float64_keys(np.array([0.0]))[0]


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e9])
def test_models_of_float32_rows_keep_32_bit_keys(scale, data):
    X, y = data(rows=3000)
    X = (np.exp(3 * X) * np.float32(scale)).astype(np.float32)
    for model in (
        lgb.LGBMRegressor(n_estimators=60, verbose=-1).fit(X, y),
        lgb.LGBMRegressor(n_estimators=60, verbose=-1).fit(X.astype(np.float64), y),
        ensembles.HistGradientBoostingRegressor(max_iter=60).fit(X, y),
    ):
        circuit = assay.transpile(model)
        assert circuit.bits == 32
        check(circuit, model, X)


def test_whole_numbers_beyond_float32_need_doubles():
    rng = np.random.default_rng(0)
    X = (1_700_000_000 + rng.integers(0, 10**7, (600, 2))).astype(np.float64)
    y = X[:, 0] - X[:, 1]
    model = lgb.LGBMRegressor(n_estimators=10, verbose=-1).fit(X, y)
    circuit = assay.transpile(model)
    assert circuit.bits == 64
    check(circuit, model, around(circuit))
    small = lgb.LGBMRegressor(n_estimators=10, verbose=-1).fit(np.round(X / 1000) % 10_000, y)
    assert assay.transpile(small).bits == 32


def test_categories_among_doubles():
    pd = pytest.importorskip("pandas")
    X, y = prices()
    frame = pd.DataFrame(X, columns=list("abc")).assign(kind=pd.Categorical(np.arange(len(X)) % 7 * 100))
    model = lgb.LGBMRegressor(n_estimators=10, num_leaves=15, verbose=-1, min_child_samples=3)
    model.fit(frame, y + 3 * (frame.kind.cat.codes % 3))
    circuit = assay.transpile(model)
    assert circuit.features[3].kind == "float64"
    assert assay.fidelity(circuit, model, frame).ok


def test_libraries_that_round_need_no_doubles():
    X, y = prices()
    xgb = pytest.importorskip("xgboost")
    for model in (
        xgb.XGBRegressor(n_estimators=5).fit(X, y),
        ensembles.RandomForestRegressor(5).fit(X, y),
        ensembles.GradientBoostingRegressor(n_estimators=5).fit(X, y),
    ):
        circuit = assay.transpile(model)
        assert circuit.bits == 32
        assert assay.fidelity(circuit, model, X).ok
        with pytest.raises(OptionError, match="rounds rows to float32"):
            assay.transpile(model, precision="float64")
    with pytest.raises(OptionError, match="precision"):
        assay.transpile(model, precision="float16")
