"""Folds that a model may learn from without seeing what it is judged on."""

import numpy as np
import pytest

from assay.models.errors import TooFewRows
from assay.models.folds import folds

from .small import problem, rows


def test_in_time_training_ends_an_embargo_before_judging():
    found = folds(problem(timed=True, embargo=7, reach=5), rows(timed=True), 4, 0)
    assert len(found) == 4
    for fold in found:
        assert fold.train.max() + 7 < fold.test.min()
        assert fold.train.min() == 0
    tests = np.concatenate([fold.test for fold in found])
    assert np.array_equal(tests, np.arange(tests.min(), 400))


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
