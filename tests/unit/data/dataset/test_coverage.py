"""What the training rows lack is found, and nothing else."""

import numpy as np
import polars as pl

from assay.data.dataset.coverage import lacking


def frame(train, test, **more):
    values = [*train, *test]
    return pl.DataFrame({"a": values, "split": ["train"] * len(train) + ["test"] * len(test), **more})


def test_equal_parts_lack_nothing():
    random = np.random.default_rng(0)
    values = random.normal(size=4000)
    found = lacking(frame([*values, -9.0, 9.0], values), ["a"], None)
    assert found == {"test_rows": 4000, "beyond": [], "regimes": [], "entities": None}


def test_values_beyond_any_seen():
    found = lacking(frame([1.0, 2.0, 3.0, None], [0.5, 2.5, 4.0, 5.0, float("nan")]), ["a"], None)
    assert found["beyond"] == [{"column": "a", "low": 1.0, "high": 3.0, "below": 1, "above": 2}]


def test_a_regime_that_training_did_not_see():
    random = np.random.default_rng(1)
    calm, wild = random.uniform(0, 1, 3000), random.uniform(0, 5, 1000)
    found = lacking(frame([*calm, 5.1], wild), ["a"], None)
    (regime,) = found["regimes"]
    assert 0.9 < regime["low"] <= 1.6
    assert regime["high"] > 4.9
    assert regime["train"] < 0.01
    assert regime["test"] > 0.6


def test_entities_that_training_did_not_see():
    rows = frame([1.0, 2.0], [1.0, 2.0, 1.5], pool=["x", "y", "x", "z", "z"])
    assert lacking(rows, ["a"], "pool")["entities"] == {"count": 1, "rows": 2, "names": ["z"]}


def test_columns_without_values_or_of_few_kinds():
    rows = frame([None, None], [1.0, 2.0]).with_columns(b=pl.Series([0, 1, 1, 1]))
    found = lacking(rows, ["a", "b"], None)
    assert (found["beyond"], found["regimes"]) == ([], [])
