from __future__ import annotations

import json

import numpy as np
import pytest

import assay
from assay.transpile.circuit.evaluate import trace
from assay.transpile.circuit.keys import keys_to_float32
from assay.transpile.errors import ModelError, RowsWidth

xgb = pytest.importorskip("xgboost")


@pytest.fixture
def trained(data):
    X, y = data()
    booster = xgb.train({"objective": "binary:logistic", "max_depth": 4}, xgb.DMatrix(X, label=y > 0), 20)
    return booster, X, (y > 0).astype(int)


def test_a_good_circuit(trained):
    booster, X, y = trained
    report = assay.fidelity(assay.transpile(booster), booster, X, y)
    assert report.ok
    assert (report.rows, report.rows_differing, report.rows_tied, report.leaf_disagreements) == (400, 0, 0, 0)
    predicted = booster.predict(xgb.DMatrix(X), output_margin=True) > 0
    assert report.metric == "accuracy"
    assert report.metric_before == report.metric_after == (predicted == y).mean()
    assert str(report).startswith("ok: 0 of 400 rows differ")
    content = json.loads(json.dumps(report.to_dict()))
    assert content["ok"] is True
    assert len(content["worst_rows"]) == 5


def test_one_wrong_threshold_is_found(trained):
    booster, X, _ = trained
    circuit = assay.transpile(booster)
    tree = circuit.trees[0]
    view = circuit.views[tree.view[0]]
    # The first split is moved by one unit in the last place; a row lies exactly there.
    rows = X.copy()
    rows[11] = 0
    threshold = np.array([int(tree.key[0])], np.uint64)
    rows[11, view.feature] = keys_to_float32(threshold)[0]
    assert assay.fidelity(circuit, booster, rows).ok
    tree.key[0] += np.uint64(1)
    report = assay.fidelity(circuit, booster, rows)
    assert not report.ok
    at_threshold = np.flatnonzero(rows[:, view.feature] == rows[11, view.feature]).tolist()
    assert report.leaf_disagreements == len(at_threshold) >= 1
    assert 11 in at_threshold
    assert {worst.row for worst in report.worst_rows[: len(at_threshold)]} == set(at_threshold)


def test_one_wrong_leaf_is_found(trained):
    booster, X, _ = trained
    circuit = assay.transpile(booster)
    leaf = int(np.flatnonzero(circuit.trees[3].view < 0)[0])
    circuit.trees[3].leaf[leaf] += 1 << (circuit.scale_bits - 10)
    report = assay.fidelity(circuit, booster, X)
    assert not report.ok
    assert report.leaf_disagreements == 0
    assert report.margin_error == pytest.approx(2**-10, rel=1e-2)
    assert report.unexplained_ulps > 2
    assert "NOT OK" in str(report)
    assert "row " in str(report)


def test_classes_that_differ_are_counted(trained):
    booster, X, y = trained
    circuit = assay.transpile(booster)
    circuit.base = [circuit.base[0] + (1 << circuit.scale_bits)]
    report = assay.fidelity(circuit, booster, X, y)
    own = booster.predict(xgb.DMatrix(X), output_margin=True)
    assert report.rows_differing == ((own > 0) != (own + 1 > 0)).sum() > 0
    assert report.metric_before != report.metric_after
    assert report.worst_rows[0].error_ulps > 1000


def test_another_model_is_found(trained, data):
    booster, X, _ = trained
    other = xgb.train({"objective": "binary:logistic", "max_depth": 3}, xgb.DMatrix(X, label=X[:, 0] > 0), 20)
    report = assay.fidelity(assay.transpile(other), booster, X)
    assert not report.ok
    narrow = xgb.train({}, xgb.DMatrix(X[:, :3], label=X[:, 0] > 0), 2)
    with pytest.raises(ModelError, match="another model"):
        assay.fidelity(assay.transpile(narrow), booster, X)


def test_rounding_ties_are_not_differences(data):
    ensemble = pytest.importorskip("sklearn.ensemble")
    X, _ = data(rows=60, missing=0)
    rng = np.random.default_rng(5)
    # Leaves of thirds: sums of probabilities tie exactly, and the library's rounding decides.
    model = ensemble.RandomForestClassifier(6, min_samples_leaf=3, max_depth=3, random_state=0)
    model.fit(np.round(X), rng.integers(0, 2, len(X)))
    rows = np.round(rng.normal(size=(3000, 5)))
    report = assay.fidelity(assay.transpile(model), model, rows)
    assert report.ok
    assert report.leaf_disagreements == 0


def test_numbers_that_are_no_float32_are_counted(data):
    lightgbm = pytest.importorskip("lightgbm")
    X, y = data()
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, lightgbm.Dataset(X, label=y), 5)
    circuit = assay.transpile(booster)
    assert assay.fidelity(circuit, booster, X).rows_rounded == 0
    rows = X.astype(np.float64)
    rows[4, 0] = 0.1
    assert assay.fidelity(circuit, booster, rows).rows_rounded == 1


def test_integer_features(data):
    rng = np.random.default_rng(0)
    wei = rng.integers(0, 2**62, 400)
    X = np.stack([wei.astype(np.float64), rng.normal(size=400)], axis=1)
    booster = xgb.train({"max_depth": 3}, xgb.DMatrix(X, label=np.log1p(X[:, 0]) + X[:, 1]), 5)
    circuit = assay.transpile(booster, integer_features={"f0": (0, 2**63 - 1)})
    # The library rounds the integers to float32 first. Those it was trained on lie at its thresholds; others do not.
    rows = [[int(a), float(np.float32(b))] for a, b in zip(rng.integers(0, 2**62, 400), X[:, 1], strict=True)]
    assert assay.fidelity(circuit, booster, rows).ok
    assert circuit.views[circuit.trees[0].view[0]].feature == 0
    exact = int(circuit.trees[0].key[0])
    assert exact > 2**53
    near = [[exact - 1, 0.5], [exact, 0.5], [exact + 1, 0.5]]
    below, at, above = trace(circuit, *circuit.encode(near))[:, 0]
    assert at == above != below


def test_targets_of_another_length(trained):
    booster, X, y = trained
    with pytest.raises(RowsWidth, match="399 targets for 400 rows"):
        assay.fidelity(assay.transpile(booster), booster, X, y[1:])
