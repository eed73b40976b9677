"""Folds that a model may learn from without seeing what it is judged on."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.models.small import panel, problem, rows

from assay.models.errors import TooFewRows
from assay.models.search.folds import folds


def test_in_time_training_ends_an_embargo_before_judging():
    found = folds(problem(timed=True, embargo=7, reach=5), rows(timed=True), 4, 0)
    assert len(found) == 4
    for fold in found:
        assert fold.train.max() + 7 < fold.test.min()
        assert fold.train.min() == 0
    tests = np.concatenate([fold.test for fold in found])
    assert np.array_equal(tests, np.arange(tests.min(), 400))


@settings(max_examples=40)
@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 5), st.integers(0, 6), st.integers(2, 5))
def test_of_several_series_no_time_is_divided_and_no_target_is_seen(seed, series, reach, more, count):
    own = panel(seed=seed, series=series, count=300)
    asked = problem(timed=True, reach=reach, ahead=reach, embargo=reach + more, entity="account", time="time")
    found = folds(asked, own, count, 0)
    times, accounts = own.frame["time"].to_numpy(), own.frame["account"].to_numpy()
    moments = np.unique(times)
    for fold in found:
        first = times[fold.test].min()
        between = np.searchsorted(moments, first) - np.searchsorted(moments, times[fold.train].max()) - 1
        assert between >= reach + more
        for row in fold.train:
            later = np.flatnonzero(accounts == accounts[row])
            sees = later[later > row][:reach]
            assert len(sees) == reach
            assert (times[sees] < first).all()
    for one, other in pairwise(found):
        assert times[one.test].max() < times[other.test].min()
        assert one.test[-1] + 1 == other.test[0]
    assert found[-1].test[-1] == len(own) - 1
    # Blocks are equal but for the rows of one time.
    most = np.unique(times, return_counts=True)[1].max()
    assert all(abs(len(fold.test) - len(own) // (count + 1)) <= most for fold in found)


def test_a_target_that_comes_with_its_row_leaves_no_row_out():
    own = rows(timed=True)
    alone = type(own)(own.X, own.y, own.frame.with_columns(pl.int_range(pl.len()).alias("account")))
    asked = problem(timed=True, embargo=1, entity="account", time="time")
    for one, other in zip(folds(asked, alone, 4, 0), folds(problem(timed=True, embargo=1), own, 4, 0), strict=True):
        assert np.array_equal(one.train, other.train)


def test_one_series_is_divided_as_ever():
    own = rows(timed=True)
    panelled = type(own)(own.X, own.y, own.frame.with_columns(pl.lit("A").alias("pool")))
    asked = problem(timed=True, embargo=7, reach=5)
    several = problem(timed=True, embargo=7, reach=5, entity="pool", time="time")
    for one, other in zip(folds(asked, own, 4, 0), folds(several, panelled, 4, 0), strict=True):
        assert np.array_equal(one.train, other.train)
        assert np.array_equal(one.test, other.test)


def test_classes_keep_their_shares():
    own = rows("binary")
    own.y[:] = np.arange(400) % 10 == 0
    for fold in folds(problem("binary"), own, 4, 0):
        assert own.y[fold.test].sum() == 10
        assert not set(fold.train) & set(fold.test)


def test_groups_stay_together():
    own = rows()
    frame = own.frame.with_columns(owner=np.arange(400) // 10)
    own = type(own)(own.X, own.y, frame)
    owner = frame["owner"].to_numpy()
    for fold in folds(problem(group="owner"), own, 4, 0):
        assert not set(owner[fold.train]) & set(owner[fold.test])
    with pytest.raises(TooFewRows, match="groups"):
        folds(problem(group="owner"), own, 50, 0)


def test_the_seed_decides_and_nothing_else():
    first, again, other = (folds(problem(), rows(), 3, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a.test, b.test) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a.test, b.test) for a, b in zip(first, other, strict=True))


def test_too_few_rows_or_one_class():
    with pytest.raises(TooFewRows, match="4 training rows"):
        folds(problem(), rows(count=4), 4, 0)
    own = rows("binary")
    own.y[:] = 0.0
    own.y[-1] = 1.0  # one row of the other class: no fold can both learn it and be judged on it
    with pytest.raises(TooFewRows, match="every class"):
        folds(problem("binary"), own, 4, 0)
