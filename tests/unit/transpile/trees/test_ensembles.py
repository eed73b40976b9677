"""Random ensembles against the obvious evaluator, and against treelite's reference predictor."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay
from assay.transpile.categorical import lightgbm_category, xgboost_category
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.ensemble import Ensemble, RawTree
from assay.transpile.trees.assemble import assemble

FEATURES = 3
TINIEST = float(np.float32(1e-45))
values = st.floats(width=32) | st.sampled_from(
    [math.nan, math.inf, -math.inf, 0.0, -0.0, 1.0, 3.0, 4.5, -1.0, TINIEST, -TINIEST, 2.0**24]
)
thresholds = values.filter(lambda x: not math.isnan(x)) | st.floats(allow_nan=False)
leaves = st.floats(-100, 100, width=32) | st.floats(-1, 1)


@st.composite
def raw_trees(draw, outputs, strict, depth=4, zero=False, categories=False):
    nodes = []

    def grow(level):
        here = len(nodes)
        nodes.append(None)
        if level == 0 or draw(st.booleans()):
            own = [draw(leaves) for _ in range(len(outputs))]
            nodes[here] = (-1, 0.0, -1, -1, False, False, own, None)
            return here
        category = None
        if categories and draw(st.booleans()):
            codes = draw(st.sets(st.integers(0, 6), min_size=1 if strict else 0, max_size=3))
            category = (xgboost_category if strict else lightgbm_category)(codes), codes
        left, right = grow(level - 1), grow(level - 1)
        threshold = draw(st.floats(width=32, allow_nan=False) if strict else thresholds)
        feature = draw(st.integers(0, FEATURES - 1))
        # LightGBM sends missing values right at categorical splits.
        default_left = draw(st.booleans()) and (strict or category is None)
        nodes[here] = (
            feature,
            threshold,
            left,
            right,
            default_left,
            zero and draw(st.booleans()),
            [0.0] * len(outputs),
            category,
        )
        return here

    grow(depth)
    columns = list(zip(*nodes, strict=True))
    tree = RawTree(
        feature=np.array(columns[0], dtype=np.int64),
        threshold=np.array(columns[1], dtype=np.float64),
        left=np.array(columns[2], dtype=np.int64),
        right=np.array(columns[3], dtype=np.int64),
        default_left=np.array(columns[4], dtype=np.bool_),
        zero_missing=np.array(columns[5], dtype=np.bool_),
        value=np.array(columns[6], dtype=np.float64).reshape(len(nodes), len(outputs)),
        outputs=outputs,
        runtime_leaf=np.arange(len(nodes)),
        categories={i: c[0] for i, c in enumerate(columns[7]) if c},
    )
    return tree, {i: c[1] for i, c in enumerate(columns[7]) if c}


@st.composite
def ensembles(draw, missing=None, categories=False):
    strict = draw(st.booleans())
    rule = missing or draw(st.sampled_from(["directions", "zero", "refuse"]))
    outputs = draw(st.integers(1, 5))
    zero = rule == "directions" and not strict and draw(st.booleans())
    drawn = [
        draw(
            raw_trees(
                draw(st.sampled_from([[k] for k in range(outputs)] + [list(range(outputs))])),
                strict,
                zero=zero,
                categories=categories,
                depth=2 if categories else 4,
            )
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    ensemble = Ensemble(
        trees=[tree for tree, _ in drawn],
        features=[f"f{i}" for i in range(FEATURES)],
        outputs=[f"o{i}" for i in range(outputs)],
        base=np.array([draw(leaves) for _ in range(outputs)]),
        strict=strict,
        missing=rule,
        meta={"task": "regression"},
    )
    return ensemble, [sets for _, sets in drawn]


def member(x, codes, strict):
    """Whether a value goes left at a categorical split, as the two libraries write it."""
    if strict:
        return x < 0 or x >= 2.0**24 or int(x) not in codes
    return math.isfinite(x) and x > -1 and int(x) in codes


def walk(ensemble, tree, sets, row):
    node = 0
    while tree.feature[node] >= 0:
        x = float(row[tree.feature[node]])
        absent = math.isnan(x)
        if node in sets:
            left = bool(tree.default_left[node]) if absent else member(x, sets[node], ensemble.strict)
        else:
            if tree.zero_missing[node] and abs(x) <= float(np.float32(1e-35)):
                absent = True
            if absent and ensemble.missing == "zero":
                absent, x = False, 0.0
            threshold = tree.threshold[node]
            left = bool(tree.default_left[node]) if absent else (x < threshold if ensemble.strict else x <= threshold)
        node = int(tree.left[node] if left else tree.right[node])
    return node


def obvious(ensemble, sets, row):
    totals = [[float(base)] for base in ensemble.base]
    for tree, own in zip(ensemble.trees, sets, strict=True):
        node = walk(ensemble, tree, own, row)
        for column, output in enumerate(tree.outputs):
            totals[output].append(float(tree.value[node, column]))
    return [math.fsum(parts) for parts in totals]


rows = st.lists(st.lists(values, min_size=FEATURES, max_size=FEATURES), min_size=1, max_size=6)


@given(ensembles(), rows)
@settings(max_examples=300, deadline=None)
def test_random_ensembles(drawn, X):
    ensemble, sets = drawn
    if ensemble.missing == "refuse":
        X = [[0.0 if math.isnan(x) else x for x in row] for row in X]
    circuit = assemble(ensemble, {}, "public")
    got = circuit.predict(np.array(X, dtype=np.float32))
    for row, margins in zip(X, got, strict=True):
        assert margins.tolist() == pytest.approx(obvious(ensemble, sets, row), abs=1e-12)
    again = Circuit.from_json(circuit.to_json())
    assert again.to_json() == circuit.to_json()
    assert (again.predict(np.array(X, dtype=np.float32)) == got).all()


@given(ensembles(missing="directions", categories=True), rows)
@settings(max_examples=300, deadline=None)
def test_random_categorical_ensembles(drawn, X):
    ensemble, sets = drawn
    circuit = assemble(ensemble, {}, "public")
    for row, margins in zip(X, circuit.predict(np.array(X, dtype=np.float32)), strict=True):
        assert margins.tolist() == pytest.approx(obvious(ensemble, sets, row), abs=1e-12)


spans = st.tuples(st.integers(-(2**63), 2**63), st.integers(0, 2**64 - 1))


@given(ensembles(missing="directions"), spans, st.data())
@settings(max_examples=150, deadline=None)
def test_integer_features_compare_as_integers(drawn, span, data):
    ensemble, _ = drawn
    for tree in ensemble.trees:
        tree.zero_missing[:] = False
    low, high = span[0], span[0] + span[1]
    circuit = assemble(ensemble, {1: (low, high)}, "public")
    near = [
        math.ceil(t) + step
        for tree in ensemble.trees
        for t in tree.threshold
        if math.isfinite(t)
        for step in (-1, 0, 1)
    ]
    whole = st.sampled_from([low, high, *[x for x in near if low <= x <= high]]) | st.integers(low, high)
    X = data.draw(st.lists(st.tuples(values, whole, values), min_size=1, max_size=5))
    got = circuit.predict([list(row) for row in X])
    for row, margins in zip(X, got, strict=True):
        expected = exact_walk(ensemble, row)
        assert margins.tolist() == pytest.approx(expected, abs=1e-12)
    assert Circuit.from_json(circuit.to_json()).to_json() == circuit.to_json()


def exact_walk(ensemble, row):
    """The obvious evaluator where feature 1 is a Python integer, which Python compares exactly with floats."""
    totals = [[float(base)] for base in ensemble.base]
    for tree in ensemble.trees:
        node = 0
        while tree.feature[node] >= 0:
            x = row[tree.feature[node]]
            if isinstance(x, float) and math.isnan(x):
                left = bool(tree.default_left[node])
            else:
                threshold = float(tree.threshold[node])
                left = x < threshold if ensemble.strict else x <= threshold
            node = int(tree.left[node] if left else tree.right[node])
        for column, output in enumerate(tree.outputs):
            totals[output].append(float(tree.value[node, column]))
    return [math.fsum(parts) for parts in totals]


def test_views_do_not_depend_on_what_is_used(data):
    xgb = pytest.importorskip("xgboost")
    X, y = data()
    y[:] = X[:, 0] > 0
    circuit = assay.transpile(xgb.train({"max_depth": 1}, xgb.DMatrix(X, label=y), 1))
    assert [(view.feature, view.missing) for view in circuit.views] == [
        (feature, missing) for feature in range(5) for missing in ("low", "high")
    ]


def test_treelite_agrees(data, make_rows, tmp_path):
    treelite = pytest.importorskip("treelite")
    xgb = pytest.importorskip("xgboost")
    X, y = data()
    for objective, target in (("binary:logistic", y > 0), ("reg:squarederror", y)):
        booster = xgb.train({"objective": objective, "max_depth": 5}, xgb.DMatrix(X, label=target), 10)
        booster.save_model(tmp_path / "model.json")
        circuit = assay.transpile(tmp_path / "model.json")
        rows_ = make_rows(circuit, 1000)
        model = treelite.frontend.load_xgboost_model(tmp_path / "model.json")
        told = treelite.gtil.predict(model, rows_, pred_margin=True).reshape(-1, 1)
        assert np.abs(circuit.predict(rows_) - told).max() < 1e-5
        leaves_ = treelite.gtil.predict_leaf(model, rows_)
        from assay.transpile.circuit.evaluate import trace

        own = trace(circuit, *circuit.encode(rows_))
        for index in range(len(circuit.trees)):
            # Same partition of the rows: the numbering differs.
            pairs = set(zip(own[:, index].tolist(), leaves_[:, index].tolist(), strict=True))
            assert len({pair[0] for pair in pairs}) == len(pairs) == len({pair[1] for pair in pairs})


def test_ten_thousand_rows_take_seconds_not_minutes(data):
    xgb = pytest.importorskip("xgboost")
    X, y = data()
    circuit = assay.transpile(xgb.train({"max_depth": 6}, xgb.DMatrix(X, label=y), 100))
    assert circuit.predict(np.tile(X, (25, 1))).shape == (10_000, 1)
