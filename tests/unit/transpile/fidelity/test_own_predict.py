"""Circuits against what the model's own predict answers to rows in the user's own types."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.transpile.errors import ColumnsDiffer, LibraryRefuses, ModelUnsupported, NotANumber, OptionError
from assay.transpile.rows.rows import read_rows

lgb = pytest.importorskip("lightgbm")
pd = pytest.importorskip("pandas")
xgb = pytest.importorskip("xgboost")
sk = pytest.importorskip("sklearn.linear_model")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

TIERS = [10, 20, 30, 40]


def close(got, expected):
    assert np.allclose(np.asarray(got).reshape(np.shape(expected)), expected, rtol=1e-6, atol=1e-6)


def shop(kinds=TIERS, rows=400):
    """A frame with a categorical column that decides, and the target."""
    rng = np.random.default_rng(0)
    tier = pd.Categorical(rng.choice(len(kinds), rows).astype(int)).rename_categories(kinds)
    frame = pd.DataFrame({"tier": tier, "v": rng.normal(size=rows).astype(np.float32)})
    return frame, np.array([5.0, -3, 1, 9])[frame.tier.cat.codes] + frame.v


def boosters(frame, y):
    few = lgb.LGBMRegressor(n_estimators=5, num_leaves=7, verbose=-1).fit(frame, y)
    return few, xgb.XGBRegressor(n_estimators=5, max_depth=3, enable_categorical=True).fit(frame, y)


def saved(model, folder):
    if isinstance(model, lgb.LGBMModel):
        model.booster_.save_model(folder / "l.txt")
        return folder / "l.txt"
    model.save_model(folder / "x.json")
    return folder / "x.json"


@pytest.mark.parametrize("kinds", [TIERS, ["10", "020", "NA", "d e"], [3, 1, 2, 0]])
def test_categories_go_by_value(kinds, tmp_path):
    frame, y = shop(kinds)
    for model in boosters(frame, y):
        path, few = saved(model, tmp_path), frame.head(40)
        few.to_csv(tmp_path / "rows.csv", index=False)
        listed = few.astype(object).to_numpy().tolist()
        # The same categories in another order are other codes of pandas.
        turned = few.assign(tier=few.tier.cat.reorder_categories(list(reversed(kinds))))
        for circuit in (assay.transpile(model), assay.transpile(path)):
            again = type(circuit).from_json(circuit.to_json())
            for rows in (few, turned, read_rows(tmp_path / "rows.csv"), listed):
                close(again.predict(rows), model.predict(few))
                for judge in (model, path):
                    report = assay.fidelity(again, judge, rows)
                    assert report.ok, str(report)
            codes = np.column_stack([few.tier.cat.codes, few.v])
            close(circuit.predict(codes), model.predict(codes))


def test_a_category_that_the_model_does_not_know():
    frame, y = shop()
    few, strict = boosters(frame, y)
    unknown = pd.DataFrame({"tier": pd.Categorical([10, 99]), "v": np.float32([0.5, 0.5])})
    # LightGBM reads it as missing, XGBoost refuses the row; arrays hold codes, which have no 99.
    close(assay.transpile(few).predict(unknown), few.predict(unknown))
    with pytest.raises(NotANumber, match=r"row 1, column 0 \(tier\): 99 is none of the model's 4 categories"):
        assay.transpile(strict).encode(unknown)
    with pytest.raises(NotANumber, match=r"99\.0 is no code"):
        assay.transpile(strict).encode(np.array([[0, 0.5], [99, 0.5]]))


def test_categories_that_the_file_does_not_place():
    frame, y = shop()
    frame["rank"] = pd.Categorical(np.arange(len(frame)) % 3, ordered=True)
    model = lgb.LGBMRegressor(n_estimators=2, verbose=-1).fit(frame, y)
    with pytest.raises(ModelUnsupported, match="2 categorical columns and has 1 categorical"):
        assay.transpile(model)


@pytest.mark.parametrize("absent", [-999.0, 0.0, 0.1])
def test_a_number_that_means_missing(absent, tmp_path):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)).round(3)
    X[rng.random(X.shape) < 0.3] = absent
    model = xgb.XGBRegressor(n_estimators=5, max_depth=3, missing=absent)
    model.fit(X, np.where(X[:, 0] == absent, 5, X[:, 0]))
    model.save_model(tmp_path / "m.json")
    for circuit, judge in (
        (assay.transpile(model), model),
        (assay.transpile(tmp_path / "m.json", missing=absent), tmp_path / "m.json"),
    ):
        again = type(circuit).from_json(circuit.to_json())
        close(again.predict(X), model.predict(X))
        close(again.predict(X.tolist()), model.predict(X))
        assert assay.fidelity(again, judge, X).ok
    # The file does not say it, and the circuit says what it does not know.
    plain = assay.transpile(tmp_path / "m.json")
    assert not np.allclose(plain.predict(X)[:, 0], model.predict(X))
    assert "--missing" in plain.summary()
    with pytest.raises(OptionError, match="the model itself says"):
        assay.transpile(model, missing=absent + 1)


def test_what_missing_does_not_apply_to():
    X = np.random.default_rng(0).normal(size=(50, 2))
    for model in (sk.Ridge(), pytest.importorskip("sklearn.ensemble").GradientBoostingRegressor(n_estimators=2)):
        with pytest.raises(OptionError, match=r"missing does not apply"):
            assay.transpile(model.fit(X, X[:, 0]), missing=-1)
    with pytest.raises(OptionError, match="missing is nan"):
        assay.transpile(xgb.XGBRegressor(n_estimators=2).fit(X, X[:, 0]), missing=float("nan"))


@pytest.mark.parametrize("model", [sk.RidgeClassifier(), sk.RidgeClassifierCV()])
def test_several_labels_at_once_are_refused(model):
    X = np.random.default_rng(0).normal(size=(100, 3))
    with pytest.raises(ModelUnsupported, match="3 labels at once"):
        assay.transpile(model.fit(X, (X > 0).astype(int)))


def test_several_labels_of_xgboost():
    X = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    Y = (X > [0, 0.5, 1]).astype(int)
    model = xgb.XGBClassifier(n_estimators=3, max_depth=2).fit(X, Y)
    circuit = assay.transpile(model)
    report = assay.fidelity(circuit, model, X, Y)
    assert report.ok
    assert report.metric_before == report.metric_after == (model.predict(X) == Y).all(axis=1).mean()


def large_integers():
    rng = np.random.default_rng(4)
    X = np.c_[2**25 + rng.integers(0, 40, 400), rng.integers(0, 5, 400)].astype(np.int64)
    return X, X[:, 0] % 2


def test_rows_in_the_users_own_types():
    X, y = large_integers()
    model = lgb.LGBMClassifier(n_estimators=20, num_leaves=31, min_child_samples=2, verbose=-1).fit(X, y)
    own = model.predict(X, raw_score=True)
    differ = int((own != model.predict(X.astype(float), raw_score=True)).sum())
    assert differ
    plain = assay.transpile(model)
    close(plain.predict(X), own)
    assert assay.fidelity(plain, model, X).ok
    exact = assay.transpile(model, integer_features={0: (0, 2**40), 1: (0, 10)})
    assert int((np.abs(exact.predict(X)[:, 0] - own) > 1e-9).sum()) == differ
    report = assay.fidelity(exact, model, X)
    assert not report.ok
    assert report.leaf_disagreements
    # A data frame's integers go through doubles, so there the exact circuit is right.
    assert assay.fidelity(exact, model, pd.DataFrame(X, columns=["Column_0", "Column_1"])).ok


@pytest.mark.parametrize(
    ("settings", "y"),
    [
        ({"objective": "poisson"}, lambda x: np.exp(3 * x)),
        ({"objective": "regression", "reg_sqrt": True}, lambda x: np.exp(3 * x)),
        ({"objective": "regression", "reg_sqrt": True}, lambda x: -np.exp(3 * x)),
        ({"objective": "cross_entropy_lambda"}, lambda x: x),
        ({"objective": "cross_entropy"}, lambda x: x),
        ({"objective": "tweedie"}, lambda x: np.exp(3 * x)),
        ({"objective": "binary", "sigmoid": 3.0}, lambda x: (x > 0.5).astype(int)),
    ],
)
def test_the_metric_is_of_what_predict_answers(settings, y):
    X = np.random.default_rng(4).random((2000, 3)).astype(np.float32)
    target = y(X[:, 0])
    booster = lgb.train({**settings, "verbose": -1, "num_leaves": 7}, lgb.Dataset(X, target), 20)
    circuit = assay.transpile(booster)
    report = assay.fidelity(circuit, booster, X, target)
    predicted = booster.predict(X)
    if report.metric == "accuracy":
        right = np.mean((predicted > 0.5) == target)
        close(circuit.answers.probabilities(circuit.predict(X))[:, 1], predicted)
    else:
        right = np.sqrt(np.mean((predicted - target) ** 2))
        close(circuit.answers.values(circuit.predict(X)), predicted)
    assert report.metric_before == pytest.approx(right, rel=1e-6)
    assert report.metric_after == pytest.approx(right, rel=1e-6)


def test_classes_above_another_threshold_than_zero():
    X = np.random.default_rng(0).normal(size=(500, 2)).astype(np.float32)
    for objective in ("binary:logitraw", "binary:hinge", "binary:logistic"):
        model = xgb.XGBClassifier(n_estimators=4, max_depth=2, objective=objective).fit(X, X[:, 0] > 0.7)
        circuit = assay.transpile(model)
        assert assay.fidelity(circuit, model, X).ok
        assert (np.array(circuit.answers.labels(circuit.predict(X))) == model.predict(X)).all()


def priced():
    rng = np.random.default_rng(0)
    columns = ["fee tier", "volume 24h", "tvl"]
    frame = pd.DataFrame(rng.normal(size=(300, 3)).astype(np.float32), columns=columns)
    return frame, 3 * frame["fee tier"] - frame.tvl


def test_columns_go_by_name_all_of_them(tmp_path):
    frame, y = priced()
    few = lgb.LGBMRegressor(n_estimators=20, num_leaves=7, verbose=-1).fit(frame, y)
    strict = xgb.XGBRegressor(n_estimators=20, max_depth=3).fit(frame, y)
    rows = frame.head(30)[["tvl", "volume 24h", "fee tier"]]
    rows.to_csv(tmp_path / "rows.csv", index=False)
    renamed = rows.rename(columns={"tvl": "TVL"})
    renamed.to_csv(tmp_path / "renamed.csv", index=False)
    for model in (few, strict):
        path = saved(model, tmp_path)
        circuit = assay.transpile(path)
        # LightGBM's file says fee_tier.
        for given in (rows, read_rows(tmp_path / "rows.csv")):
            close(circuit.predict(given), model.predict(frame.head(30)))
            assert assay.fidelity(circuit, path, given).ok
        for given in (renamed, read_rows(tmp_path / "renamed.csv")):
            with pytest.raises(ColumnsDiffer, match="no feature is called TVL, and no column is called tvl"):
                circuit.encode(given)
        for given in (rows[["tvl"]], frame.assign(more=1.0), pd.concat([frame, frame[["tvl"]]], axis=1)):
            with pytest.raises(
                ColumnsDiffer, match=r"no column is called|no feature is called more|two columns are called 'tvl'"
            ):
                circuit.encode(given)
        by_position = read_rows(tmp_path / "rows.csv", by_position=True)
        close(circuit.predict(by_position), model.predict(rows.set_axis(frame.columns, axis=1)))
    with pytest.raises(ColumnsDiffer, match="fee_tier"):
        assay.transpile(strict).encode(rows.rename(columns={"fee tier": "fee_tier"}))


def test_a_model_without_names_takes_columns_by_position():
    frame, y = priced()
    for model in (
        xgb.XGBRegressor(n_estimators=3).fit(frame.to_numpy(), y),
        lgb.LGBMRegressor(n_estimators=3, verbose=-1).fit(frame.to_numpy(), y),
    ):
        circuit = assay.transpile(model)
        close(circuit.predict(frame), model.predict(frame.to_numpy()))
        assert assay.fidelity(circuit, model, frame).ok


@pytest.mark.parametrize(
    "settings",
    [
        {"pred_early_stop": True, "pred_early_stop_freq": 2, "pred_early_stop_margin": 0.5},
        {"num_iteration_predict": 3},
        {"start_iteration_predict": 2},
        {"predict_raw_score": True},
        {"a_setting_of_tomorrow": 1},
    ],
)
def test_settings_that_predict_reads_are_refused(settings):
    X = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    model = lgb.LGBMClassifier(n_estimators=4, verbose=-1, **settings).fit(X, X[:, 0] > 0)
    with pytest.raises(ModelUnsupported, match=next(iter(settings))):
        assay.transpile(model)


def test_settings_of_training_are_not():
    X = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    model = lgb.LGBMClassifier(
        n_estimators=4,
        verbose=-1,
        pred_early_stop=False,
        bagging_freq=1,
        eta=0.2,
        extra_trees=True,
        zero_as_missing=True,
    ).fit(X, X[:, 0] > 0)
    assert assay.fidelity(assay.transpile(model), model, X).ok


def shifted(base, method="predict"):
    def changed(self, X, *args, **more):
        return getattr(base, method)(self, X, *args, **more) + 1

    return type("Shifted", (base,), {method: changed})


def test_subclasses_that_answer_otherwise_are_refused():
    trees = pytest.importorskip("sklearn.ensemble")
    X = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    for base in (lgb.LGBMRegressor, xgb.XGBRegressor, trees.RandomForestRegressor, sk.Ridge):
        same = type("Same", (base,), {})
        settings = {"n_estimators": 2} if base is not sk.Ridge else {}
        assay.transpile(same(**settings).fit(X, X[:, 0]))
        with pytest.raises(ModelUnsupported, match=r"Shifted has a predict of its own"):
            assay.transpile(shifted(base)(**settings).fit(X, X[:, 0]))
    model = sk.Ridge().fit(X, X[:, 0])
    model.predict = lambda rows: rows[:, 0]
    with pytest.raises(ModelUnsupported, match="the object itself"):
        assay.transpile(model)


def test_rows_that_the_library_does_not_take():
    X = np.random.default_rng(0).normal(size=(100, 2))
    model = pytest.importorskip("sklearn.ensemble").HistGradientBoostingRegressor(max_iter=2)
    model.fit(pd.DataFrame(X, columns=["a", "b"]), X[:, 0])
    # A model that was saved for other columns than it asks for: its own words, in one line, not a bug of ours.
    circuit = assay.transpile(model)
    model.n_features_in_, model.feature_names_in_ = 3, np.array(["a", "b", "c"], dtype=object)
    with pytest.raises((LibraryRefuses, assay.AssayError), match=r"predict does not take these rows|another model"):
        assay.fidelity(circuit, model, X)
