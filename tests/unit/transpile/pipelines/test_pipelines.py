"""Pipelines and searches around a model: the circuit of the whole says what the whole predicts."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.circuit.keys import keys_to_float64
from assay.transpile.errors import ModelUnsupported

pd = pytest.importorskip("pandas")
pytest.importorskip("sklearn")
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.ensemble import (  # noqa: E402
    GradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold  # noqa: E402
from sklearn.impute import KNNImputer, SimpleImputer  # noqa: E402
from sklearn.linear_model import LogisticRegression, Ridge  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import (  # noqa: E402
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    PolynomialFeatures,
    PowerTransformer,
    RobustScaler,
    StandardScaler,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def table(missing=0.15, rows=400):
    rng = np.random.default_rng(1)
    X = np.round(rng.normal(size=(rows, 4)) * [1, 10, 0.001, 1000], 5)
    y = X[:, 0] + X[:, 1] / 10 + (X[:, 3] > 300)
    X[rng.random(X.shape) < missing] = np.nan
    return X, y


def frame_of(X):
    return pd.DataFrame(X, columns=["a", "b", "c d", "e"])


def around(circuit, X, count=1500):
    """Rows at and beside every folded threshold, among ordinary ones."""
    rng = np.random.default_rng(0)
    near = [column.tolist() for column in X.T]
    for tree in circuit.trees:
        for node in np.flatnonzero(tree.view >= 0):
            feature = circuit.views[tree.view[node]].feature
            key = int(tree.key[node])
            if circuit.features[feature].kind == "float64" and 1 << 54 < key < (1 << 64) - (1 << 54):
                near[feature] += keys_to_float64(np.array([key - 2, key - 1, key, key + 1], np.uint64)).tolist() * 3
    return np.column_stack([rng.choice(np.array(own), count) for own in near])


def check(circuit, model, rows):
    again = type(circuit).from_json(circuit.to_json())
    report = assay.fidelity(again, model, rows)
    assert report.ok, str(report)
    assert not report.leaf_disagreements


def boosters():
    lgb, xgb = pytest.importorskip("lightgbm"), pytest.importorskip("xgboost")
    return {
        "forest": RandomForestClassifier(8, max_depth=5, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=8),
        "histogram": HistGradientBoostingRegressor(max_iter=8),
        "lightgbm": lgb.LGBMRegressor(n_estimators=8, verbose=-1, num_leaves=7),
        "xgboost": xgb.XGBRegressor(n_estimators=8, max_depth=4),
    }


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler(clip=True), RobustScaler(), MaxAbsScaler()], ids=str)
@pytest.mark.parametrize("name", ["forest", "boosting", "histogram", "lightgbm", "xgboost"])
def test_scalers_before_trees(name, scaler):
    model = boosters()[name]
    X, y = table(missing=0 if name in ("forest", "boosting") else 0.15)
    y = (y > 0.5).astype(int) if name in ("forest", "boosting") else y
    whole = make_pipeline(scaler, model).fit(X, y)
    circuit = assay.transpile(whole)
    # The scaler computes in doubles, so the splits are exact for doubles only with keys of doubles.
    assert circuit.bits == 64
    check(circuit, whole, X)
    check(circuit, whole, around(circuit, X))
    small = X.astype(np.float32)
    rounded = assay.transpile(whole, precision="float32")
    assert rounded.bits == 32
    check(rounded, whole, small)


@pytest.mark.parametrize("strategy", ["mean", "median", "most_frequent", "constant"])
@pytest.mark.parametrize("name", ["forest", "boosting", "histogram", "lightgbm", "xgboost"])
def test_imputers_before_trees(name, strategy):
    model = boosters()[name]
    X, y = table()
    y = (y > 0.5).astype(int) if name in ("forest", "boosting") else y
    imputer = SimpleImputer(strategy=strategy, fill_value=-7.5 if strategy == "constant" else None)
    whole = make_pipeline(imputer, model).fit(X, y)
    circuit = assay.transpile(whole)
    assert {view.missing for view in circuit.views} == {"refuse"}
    assert circuit.bits == (64 if name in ("histogram", "lightgbm") else 32)
    check(circuit, whole, X)
    scaled = make_pipeline(imputer, StandardScaler(), model).fit(X, y)
    circuit = assay.transpile(scaled)
    check(circuit, scaled, X)
    check(circuit, scaled, around(circuit, X))


def test_columns_are_transformed_apart(tmp_path):
    X, y = table()
    frame = frame_of(X)
    parts = ColumnTransformer(
        [
            ("scaled", make_pipeline(SimpleImputer(), StandardScaler()), ["e", "a"]),
            ("same", "passthrough", ["c d"]),
            ("gone", "drop", ["b"]),
            ("twice", SimpleImputer(), ["a"]),
        ]
    )
    for last in (HistGradientBoostingRegressor(max_iter=10), boosters()["lightgbm"], boosters()["xgboost"]):
        whole = make_pipeline(parts, last).fit(frame, y)
        circuit = assay.transpile(whole)
        assert [feature.name for feature in circuit.features] == list(frame.columns)
        check(circuit, whole, frame)
        check(circuit, whole, frame[["e", "c d", "b", "a"]])
        check(circuit, whole, frame_of(around(circuit, X)))
    few = make_pipeline(SelectKBest(k=2), RobustScaler(), GradientBoostingClassifier(n_estimators=4))
    full = np.nan_to_num(X)
    check(assay.transpile(few.fit(full, y > 0)), few, full)
    few = make_pipeline(VarianceThreshold(1e-4), RobustScaler(), GradientBoostingClassifier(n_estimators=4))
    check(assay.transpile(few.fit(full, y > 0)), few, full)
    path = tmp_path / "few.skops"
    pytest.importorskip("skops.io").dump(few, path)
    check(assay.transpile(path), path, full)


def test_what_stands_before_linear_models():
    X, y = table()
    frame = frame_of(X)
    parts = ColumnTransformer([("a", make_pipeline(SimpleImputer(), StandardScaler()), ["e", "a", "c d"])])
    for last, target in ((Ridge(), y), (LogisticRegression(), y > 0.5)):
        whole = make_pipeline(parts, last).fit(frame, target)
        circuit = assay.transpile(whole, frame)
        check(circuit, whole, frame)


def test_searches_are_unwrapped():
    X, y = table(missing=0)
    trees = GridSearchCV(RandomForestClassifier(4, random_state=0), {"max_depth": [2, 3]}, cv=2).fit(X, y > 0)
    whole = make_pipeline(StandardScaler(), Ridge())
    lines = GridSearchCV(whole, {"ridge__alpha": [0.1, 1]}, cv=2).fit(X, y)
    inside = make_pipeline(StandardScaler(), GridSearchCV(Ridge(), {"alpha": [0.1, 1]}, cv=2)).fit(X, y)
    for model in (trees, lines, inside):
        check(assay.transpile(model, X), model, X)
    with pytest.raises(ModelUnsupported, match="holds no trained model"):
        assay.transpile(GridSearchCV(Ridge(), {"alpha": [1]}, refit=False, cv=2).fit(X, y))


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([PowerTransformer()], "PowerTransformer is not supported.*Apply PowerTransformer"),
        ([KNNImputer()], "KNNImputer"),
        ([SimpleImputer(missing_values=-999)], "-999 as missing"),
        ([StandardScaler(), SimpleImputer()], "comes after a scaler"),
        (
            [
                ColumnTransformer(
                    [("a", SimpleImputer(), [0]), ("b", SimpleImputer(strategy="constant", fill_value=-1), [0])]
                )
            ],
            "two ways",
        ),
        ([KBinsDiscretizer(encode="ordinal")], "KBinsDiscretizer"),
        ([PolynomialFeatures()], "PolynomialFeatures"),
    ],
)
def test_steps_that_are_refused_by_name(steps, words):
    X, y = table(missing=0)
    X[:, 0] = np.arange(len(X)) % 3
    if "two" in words:
        X[::7, 0] = np.nan
    whole = make_pipeline(*steps, HistGradientBoostingRegressor(max_iter=2)).fit(X, y)
    with pytest.raises(ModelUnsupported, match=words):
        assay.transpile(whole)


def test_a_step_of_ones_own_is_refused():
    class Shifted(StandardScaler):
        def transform(self, X, copy=None):
            return super().transform(X, copy) + 1

    X, y = table(missing=0)
    with pytest.raises(ModelUnsupported, match="a transform of its own"):
        assay.transpile(make_pipeline(Shifted(), Ridge()).fit(X, y))


@pytest.mark.parametrize(
    "steps", [(StandardScaler(), MinMaxScaler()), (make_pipeline(RobustScaler(), StandardScaler()),)]
)
def test_scalers_that_overflow_one_another(steps):
    # Of the greatest doubles the first scaler makes infinity, which the second refuses.
    X = np.random.default_rng(3).normal(size=(400, 4)) * [1e-3, 1e-200, 1.0, 1e6]
    model = make_pipeline(*steps, HistGradientBoostingRegressor(max_iter=4)).fit(X, X @ [1e3, 1e200, 1.0, 1e-6])
    circuit = assay.transpile(model)
    report = assay.fidelity(circuit, model, X)
    assert report.ok
    assert report.leaf_disagreements in {0, None}
    np.testing.assert_allclose(circuit.predict(X)[:, 0], model.predict(X), rtol=1e-9)
