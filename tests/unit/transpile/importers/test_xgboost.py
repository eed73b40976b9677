from __future__ import annotations

import json

import numpy as np
import pytest

import assay
from assay.transpile.circuit.evaluate import trace
from assay.transpile.errors import ModelUnsupported, OptionError

xgb = pytest.importorskip("xgboost")

OBJECTIVES = [
    "binary:hinge",
    "binary:logistic",
    "binary:logitraw",
    "count:poisson",
    "multi:softmax",
    "multi:softprob",
    "rank:map",
    "rank:ndcg",
    "rank:pairwise",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:logistic",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
    "survival:cox",
    "survival:aft",
]


def target(objective, y):
    kind = objective.partition(":")[0]
    if objective in ("multi:softmax", "multi:softprob"):
        return np.digitize(y, [-0.5, 0.5])
    if kind in ("binary", "rank") or objective == "reg:logistic":
        return (y > 0).astype(int)
    if kind in ("count", "survival") or objective in ("reg:gamma", "reg:tweedie", "reg:squaredlogerror"):
        return np.exp(y)
    return y


def train(objective, X, y, rounds=12, **options):
    rows = xgb.DMatrix(X, label=target(objective, y))
    parameters = {"objective": objective, "max_depth": 4, "eta": 0.4, "nthread": 1} | options
    if objective.startswith("multi"):
        parameters["num_class"] = 3
    if objective == "reg:quantileerror":
        parameters["quantile_alpha"] = [0.1, 0.5, 0.9]
    if objective.startswith("rank"):
        rows.set_group([len(X) // 4] * 4)
    if objective == "survival:aft":
        rows.set_float_info("label_lower_bound", np.exp(y))
        rows.set_float_info("label_upper_bound", np.exp(y) + 1)
    return xgb.train(parameters, rows, rounds)


def margins(booster, X, rounds=0):
    return booster.inplace_predict(X, (0, rounds), predict_type="margin", validate_features=False).reshape(len(X), -1)


def agree(circuit, booster, X, rounds=0):
    """Every leaf and margin, without `fidelity`'s help: added in float32 our leaves give the library's margins."""
    leaves = trace(circuit, *circuit.encode(X))
    values = [tree.leaf[leaves[:, i]] * 2.0**-circuit.scale_bits for i, tree in enumerate(circuit.trees)]
    base = np.ldexp(np.array([circuit.base], dtype=np.float64), -circuit.scale_bits)
    size, running = np.abs(base) + np.abs(values).sum(axis=0), base.astype(np.float32)
    for value in values:
        running = running + value.astype(np.float32)
    expected = margins(booster, X, rounds)
    exact = circuit.predict(X)
    ulp = np.spacing(size.astype(np.float32))
    assert (np.abs(exact - (base + np.sum(values, axis=0))) <= 1e-9 * size).all()
    assert (np.abs(running - expected) <= 2 * ulp).all()
    assert (np.abs(exact - expected) <= 2 * ulp + np.abs(running - exact)).all()
    report = assay.fidelity(circuit, booster, X)
    assert report.ok, str(report)
    return report


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_objectives(objective, data, make_rows):
    X, y = data()
    booster = train(objective, X, y)
    circuit = assay.transpile(booster)
    assert circuit.meta["leaves_exact"]
    report = agree(circuit, booster, make_rows(circuit, 1500))
    assert report.leaf_disagreements == 0
    agree(circuit, booster, X)


@pytest.mark.parametrize(
    "options",
    [
        {"grow_policy": "lossguide", "max_leaves": 24, "max_depth": 0},
        {"num_parallel_tree": 4, "subsample": 0.7},
        {"booster": "dart", "rate_drop": 0.5, "skip_drop": 0.1},
        {"tree_method": "exact"},
        {"tree_method": "approx"},
        {"max_depth": 1},
        {"gamma": 1e9},
        {"base_score": 0.3},
    ],
    ids="-".join,
)
@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_kinds_of_trees(objective, options, data, make_rows):
    X, y = data()
    booster = train(objective, X, y, **options)
    circuit = assay.transpile(booster)
    assert agree(circuit, booster, make_rows(circuit, 1000)).leaf_disagreements == 0


def test_vector_leaves(data, make_rows):
    X, y = data()
    rows = xgb.DMatrix(X, label=np.stack([y, -y, y**2], axis=1))
    booster = xgb.train({"multi_strategy": "multi_output_tree", "tree_method": "hist", "max_depth": 4}, rows, 8)
    circuit = assay.transpile(booster)
    assert circuit.outputs == ["margin[0]", "margin[1]", "margin[2]"]
    assert len(circuit.trees) == 8
    agree(circuit, booster, make_rows(circuit, 1000, infinite=False))


def test_several_outputs_with_a_tree_each(data, make_rows):
    X, y = data()
    booster = xgb.train({"tree_method": "hist", "max_depth": 3}, xgb.DMatrix(X, label=np.stack([y, -y], axis=1)), 6)
    circuit = assay.transpile(booster)
    agree(circuit, booster, make_rows(circuit, 800))


@pytest.mark.parametrize("onehot", [1, 100])
def test_categorical_splits(onehot, data):
    X, y = data(missing=0.1)
    rng = np.random.default_rng(3)
    for column in (1, 3):
        codes = rng.integers(0, 9, len(X)).astype(np.float32)
        y = y + np.sin(5 * codes)
        codes[rng.random(len(X)) < 0.1] = np.nan
        X[:, column] = codes
    kinds = ["q", "c", "q", "c", "q"]
    rows = xgb.DMatrix(X, label=y, feature_types=kinds, enable_categorical=True)
    booster = xgb.train({"tree_method": "hist", "max_depth": 4, "max_cat_to_onehot": onehot}, rows, 10)
    circuit = assay.transpile(booster)
    assert '"categories":[' in booster.save_raw("json").decode()
    test = X.copy()
    # Codes never seen, fractions and negative numbers count as something too.
    test[:, 1] = rng.choice(np.array([np.nan, 0, 1, 8, 8.5, 9, 11, -0.0, 20, 3, 2.999], np.float32), len(X))
    codes = xgb.DMatrix(test, feature_types=kinds, enable_categorical=True)
    expected = booster.predict(codes, output_margin=True)
    assert np.abs(circuit.predict(test)[:, 0] - expected).max() < 1e-5
    told = booster.predict(codes, pred_leaf=True)
    leaves = trace(circuit, *circuit.encode(test))
    for index, tree in enumerate(json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]["model"]["trees"]):
        values = np.array(tree["split_conditions"], dtype=np.float32)[told[:, index].astype(int)]
        assert (circuit.trees[index].leaf[leaves[:, index], 0] * 2.0**-circuit.scale_bits == values).all()


@pytest.mark.parametrize("groups", [1, 3])
def test_gblinear(groups, data):
    X, y = data(missing=0)
    options = (
        {"booster": "gblinear", "objective": "multi:softprob", "num_class": 3}
        if groups == 3
        else {"booster": "gblinear"}
    )
    booster = xgb.train(options, xgb.DMatrix(X, label=np.digitize(y, [-1, 1]) if groups == 3 else y), 10)
    circuit = assay.transpile(booster, X)
    assert circuit.kind == "linear"
    report = assay.fidelity(circuit, booster, X)
    assert report.ok, str(report)
    expected = booster.predict(xgb.DMatrix(X), output_margin=True).reshape(len(X), -1)
    assert np.abs(circuit.predict(X) - expected).max() < 1e-5


@pytest.mark.parametrize("suffix", ["json", "ubj"])
@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob", "reg:gamma"])
def test_files(objective, suffix, data, make_rows, tmp_path):
    X, y = data()
    booster = train(objective, X, y)
    path = tmp_path / f"model.{suffix}"
    booster.save_model(path)
    circuit = assay.transpile(path)
    of_object = assay.transpile(booster)
    of_object.meta = circuit.meta
    assert circuit.to_json() == of_object.to_json()
    report = assay.fidelity(circuit, str(path), make_rows(circuit, 200))
    assert report.ok
    assert report.leaf_disagreements == 0


def test_a_json_file_is_read_without_the_library(data, tmp_path, monkeypatch):
    X, y = data()
    path = tmp_path / "model.json"
    train("binary:logistic", X, y).save_model(path)
    monkeypatch.setitem(__import__("sys").modules, "xgboost", None)
    assert assay.transpile(path).predict(X).shape == (len(X), 1)
    with pytest.raises(assay.AssayError, match="needs the library xgboost"):
        assay.fidelity(assay.transpile(path), path, X)


def test_wrappers(data, make_rows):
    X, y = data()
    labels = np.digitize(y, [-0.5, 0.5])
    for model in (
        xgb.XGBClassifier(n_estimators=8, max_depth=3).fit(X, y > 0),
        xgb.XGBClassifier(n_estimators=8, max_depth=3).fit(X, labels),
        xgb.XGBRegressor(n_estimators=8, max_depth=3).fit(X, y),
        xgb.XGBRFClassifier(n_estimators=8, max_depth=3).fit(X, y > 0),
        xgb.XGBRFRegressor(n_estimators=8, max_depth=3).fit(X, y),
        xgb.XGBRanker(n_estimators=8, max_depth=3).fit(X, labels, qid=np.arange(len(X)) // 20),
    ):
        circuit = assay.transpile(model)
        rows = make_rows(circuit, 500, infinite=False)
        expected = model.predict(rows, output_margin=True).reshape(len(rows), -1)
        assert np.abs(circuit.predict(rows) - expected).max() < 1e-5
        report = assay.fidelity(circuit, model, make_rows(circuit, 500))
        assert report.ok, str(report)
        assert report.leaf_disagreements == 0


def test_early_stopping_uses_what_predict_uses(data, tmp_path):
    X, y = data()
    noise = np.random.default_rng(0).permutation(y)
    model = xgb.XGBRegressor(n_estimators=30, early_stopping_rounds=3, learning_rate=0.5)
    model.fit(X, y, eval_set=[(X[:50], noise[:50])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    circuit = assay.transpile(model)
    assert circuit.meta["iterations"] == model.best_iteration + 1
    assert assay.fidelity(circuit, model, X).ok
    path = tmp_path / "model.json"
    model.save_model(path)
    assert assay.transpile(path).meta["iterations"] == model.best_iteration + 1
    assert assay.fidelity(assay.transpile(path), path, X).ok
    # The booster's own predict uses all rounds.
    booster = model.get_booster()
    whole = assay.transpile(booster)
    assert whole.meta["iterations"] == booster.num_boosted_rounds()
    assert assay.fidelity(whole, booster, X).ok
    assert not assay.fidelity(circuit, booster, X).ok


def test_chosen_iterations(data):
    X, y = data()
    booster = train("multi:softprob", X, y, rounds=9)
    circuit = assay.transpile(booster, iterations=4)
    assert len(circuit.trees) == 12
    expected = booster.predict(xgb.DMatrix(X), output_margin=True, iteration_range=(0, 4))
    assert np.abs(circuit.predict(X) - expected).max() < 1e-5
    assert assay.fidelity(circuit, booster, X).ok
    with pytest.raises(OptionError, match="9 rounds"):
        assay.transpile(booster, iterations=10)
    with pytest.raises(OptionError):
        assay.transpile(booster, iterations=0)


@pytest.mark.parametrize("version", [[0, 90, 0], [1, 7, 6], [2, 1, 4]])
@pytest.mark.parametrize("objective", ["binary:logistic", "reg:gamma", "reg:squarederror", "binary:logitraw"])
def test_older_files_store_one_base_score_as_plain_text(version, objective, data, tmp_path):
    X, y = data()
    document = json.loads(train(objective, X, y).save_raw("json"))
    document["version"] = version
    learner = document["learner"]
    learner["learner_model_param"]["base_score"] = "2.5E-1"
    model = learner["gradient_booster"]["model"]
    del model["iteration_indptr"], model["cats"]
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    circuit = assay.transpile(path)
    booster = xgb.Booster()
    booster.load_model(path)
    expected = booster.predict(xgb.DMatrix(X), output_margin=True)
    assert np.abs(circuit.predict(X)[:, 0] - expected).max() < 2e-6
    assert assay.fidelity(circuit, path, X).ok


@pytest.mark.parametrize("value", [0, 1])
def test_targets_of_one_class(value, data):
    """The base score is then 0 or 1, and the library bounds its margin."""
    X, _ = data()
    booster = xgb.train({"objective": "binary:logistic"}, xgb.DMatrix(X, label=np.full(len(X), value)), 3)
    circuit = assay.transpile(booster)
    assert abs(circuit.predict(X)[0, 0]) > 13
    agree(circuit, booster, X)


def test_hundreds_of_trees_of_one_sign(data):
    """The library's own float32 sum strays from the exact one; the report says how far, and stays ok."""
    X, y = data()
    booster = xgb.train({"eta": 0.01, "max_depth": 3, "base_score": 0.0}, xgb.DMatrix(X, label=y + 100), 600)
    report = assay.fidelity(assay.transpile(booster), booster, X)
    assert report.ok, str(report)
    assert report.leaf_disagreements == 0
    assert report.margin_error_ulps > 2 > report.unexplained_ulps


def test_feature_names(data):
    X, y = data()
    rows = xgb.DMatrix(X, label=y, feature_names=list("abcde"))
    assert [f.name for f in assay.transpile(xgb.train({}, rows, 2)).features] == list("abcde")


def test_refused_by_name(data):
    X, y = data()
    with pytest.raises(ModelUnsupported, match="-999"):
        assay.transpile(xgb.XGBRegressor(missing=-999, n_estimators=2, booster="gblinear").fit(X, y))
    with pytest.raises(ModelUnsupported, match="not fitted"):
        assay.transpile(xgb.XGBRegressor())
    document = json.loads(xgb.train({}, xgb.DMatrix(X, label=y), 1).save_raw("json"))
    document["learner"]["objective"]["name"] = "reg:future"
    from assay.transpile.importers.xgboost import from_document

    with pytest.raises(ModelUnsupported, match="reg:future"):
        from_document(document, "x", None, wrapper=False)
    document["learner"]["objective"]["name"] = "reg:squarederror"
    document["learner"]["gradient_booster"]["name"] = "gbforest"
    with pytest.raises(ModelUnsupported, match="gbforest"):
        from_document(document, "x", None, wrapper=False)
