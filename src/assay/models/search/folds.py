"""Cross-validation inside the training rows: forward in time with an embargo, else stratified or by groups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from assay.data.features import series
from assay.models.errors import TooFewRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.models.rows import Problem, Rows

    Index = NDArray[np.int64]

_LEAST_TRAINING = 20


@dataclass(frozen=True)
class Fold:
    """Row numbers to train on and to be judged on; in time, every `train` row lies before every `test` row."""

    train: Index
    test: Index


def folds(problem: Problem, rows: Rows, count: int, seed: int) -> list[Fold]:
    """Divide the training rows.

    With time, each fold trains on all rows up to a point and is judged on the next ones, `embargo` rows
    later: the target of the last training row is made of rows before the first that is judged. Rows of several
    series that are of one time are in one block, and the embargo counts times.

    Raises
    ------
    TooFewRows
        A fold would have too few rows, or only one class.
    """
    if len(rows) < count + 1:
        raise _too_few(f"{len(rows)} training rows cannot make {count} folds")
    found = _in_time(problem, rows, count) if problem.timed else _shuffled(problem, rows, count, seed)
    usable = [fold for fold in found if _usable(problem, rows, fold)]
    if not usable:
        raise _too_few(f"no fold of {len(rows)} training rows has enough rows, with every class among them")
    return usable


def _in_time(problem: Problem, rows: Rows, count: int) -> list[Fold]:
    moments = series.moments(rows.frame, problem.time)
    part = len(rows) // (count + 1)
    edges = [series.whole(moments, len(rows) - part * left) for left in range(count, 0, -1)]
    return [
        Fold(_train(problem, rows, series.embargoed(moments, start, problem.embargo), start), np.arange(start, stop))
        for start, stop in pairwise([*edges, len(rows)])
    ]


def _train(problem: Problem, rows: Rows, stop: int, start: int) -> Index:
    """The rows up to `stop` whose targets are known at the row `start`: a series' next row may be many times away."""
    train = np.arange(stop)
    sees = problem.ahead + problem.window - 1
    if problem.time is None or problem.entity is None or not sees or start == len(rows):
        return train
    known = rows.frame.select(series.known(problem.time, problem.entity, problem.ahead, problem.window)).to_series()
    # What lies behind a series' last row here may be of any time.
    late = (known >= rows.frame[problem.time][start]).fill_null(value=True).to_numpy()
    return np.flatnonzero(~late[:stop])


def _shuffled(problem: Problem, rows: Rows, count: int, seed: int) -> list[Fold]:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold

    classes = problem.kind != "regression"
    if problem.group is not None and problem.group in rows.frame.columns:
        groups = rows.frame[problem.group].to_numpy()
        if len(np.unique(groups)) < count:
            raise _too_few(f"the column {problem.group} has {len(np.unique(groups))} groups for {count} folds")
        parts = GroupKFold(count).split(rows.X, rows.y, groups)
    elif classes and np.unique(rows.y, return_counts=True)[1].min() >= count:
        parts = StratifiedKFold(count, shuffle=True, random_state=seed).split(rows.X, rows.y)
    else:
        parts = KFold(count, shuffle=True, random_state=seed).split(rows.X)
    return [Fold(np.asarray(train), np.asarray(test)) for train, test in parts]


def _usable(problem: Problem, rows: Rows, fold: Fold) -> bool:
    if not len(fold.test) or len(fold.train) < min(_LEAST_TRAINING, len(rows) // 2):
        return False
    if problem.kind == "regression":
        return True
    # Libraries want to have seen every class, and some metrics want to be judged on more than one.
    return len(np.unique(rows.y[fold.train])) == problem.classes and len(np.unique(rows.y[fold.test])) > 1


def _too_few(what: str) -> TooFewRows:
    return TooFewRows(what, "Give more rows, or fewer folds in [explore].")
