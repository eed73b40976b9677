"""Evidence: how sure an improvement on the test rows is, and what it is worth in a year."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.bench.bootstrap import draws, kinds, length_of, runs
from assay.bench.facts import Alone, Evidence, Interval, Net
from assay.data.features import series
from assay.models.metrics import HIGHER_IS_BETTER, require_measurable, score
from assay.models.search.trial import predictions
from assay.models.terms import Terms, terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.bench.facts import Unit
    from assay.models.families.family import Fitted
    from assay.models.rows import Problem, Rows
    from assay.task.task import Task

    Floats = NDArray[np.float64]

DAYS = 365
_FEWEST_KINDS = 10
"""Fewer entities or groups say nothing of others: they are then taken as those that there are."""
_FEWEST_RUNS = 10
_SAFETY = 2
"""Blocks of the length that estimates the variance best make intervals too narrow; simulated in the tests."""


@dataclass(frozen=True)
class Judged:
    """A candidate's metrics on the test rows, and the terms that the rows contribute to some of them."""

    metrics: dict[str, float]
    terms: dict[str, Terms]


@dataclass(frozen=True)
class Bound:
    """How much better one is than another on the same rows, and by how much it surely is.

    Attributes
    ----------
    improvement
        The share of the other's loss that is gone.
    least
        The same share with the chance `error` of being too high.
    error
        One-sided.
    blocks
        How many blocks of rows that hardly depend on each other it rests on.
    """

    improvement: float
    least: float
    error: float
    blocks: int


@dataclass(frozen=True)
class _Blocks:
    unit: Unit
    of: NDArray[np.int64]
    length: int = 0


def judged(task: Task, problem: Problem, fitted: Fitted, test: Rows, past: Rows) -> Judged:
    """Judge a candidate on the test rows; raises as `assay.models.metrics.score` does."""
    require_measurable(problem, test.y)
    return judge(task, problem, test, *predictions(problem, fitted, test, past))


def judge(task: Task, problem: Problem, test: Rows, prediction: Floats, probability: Floats) -> Judged:
    """Judge answers on the test rows, whoever gave them; the arguments are those of `assay.models.metrics.score`."""
    metrics = score(problem, test.y, prediction, test.frame, probability)
    wanted = {task.metric, *(one.metric for one in task.limits.requirements)} | ({"value"} if problem.loss else set())
    found = {
        name: terms(name, test.y, prediction, test.frame, probability=probability, loss=problem.loss)
        for name in sorted(wanted)
        if name in metrics
    }
    return Judged(metrics, found)


def alone(task: Task, problem: Problem, test: Rows, one: Judged) -> Alone:
    """How sure the task's metric of a candidate is, compared with nothing."""
    own, confidence = one.terms[task.metric], task.limits.confidence or 0.9
    plans = _plans(problem, test, _influence(own.rows, own.metric))
    found = _Drawn(own.rows, plans).intervals(own.metric, confidence)
    unit = _least_sure(plans, found)
    return Alone(
        confidence=confidence,
        unit=unit.unit,
        blocks=int(unit.of.max()) + 1,
        length=unit.length,
        interval=_widest(found),
    )


def evidence(task: Task, problem: Problem, test: Rows, one: Judged, existing: Judged) -> Evidence:
    """Compare a candidate with the existing process, row by row."""
    metric, confidence = task.metric, task.limits.confidence or 0.9
    pair = _Pair(metric, one.terms[metric], existing.terms[metric])
    plans = _plans(problem, test, _influence(pair.rows, pair.difference))
    value = _Pair("value", one.terms["value"], existing.terms["value"]) if "value" in one.terms else None
    drawn = _Drawn(pair.rows, plans)
    differences = drawn.intervals(pair.difference, confidence)
    unit = _least_sure(plans, differences)
    return Evidence(
        confidence=confidence,
        unit=unit.unit,
        blocks=int(unit.of.max()) + 1,
        length=unit.length,
        improvement=_widest(drawn.intervals(pair.improvement, confidence)),
        difference=_widest(differences),
        metrics={
            name: found
            for name, own in one.terms.items()
            if (found := _widest(_Drawn(own.rows, plans).intervals(own.metric, confidence))) is not None
        },
        loss=None if value is None else _widest(_Drawn(value.rows, plans).intervals(value.difference, confidence)),
    )


def bound(task: Task, problem: Problem, test: Rows, pair: tuple[Judged, Judged], error: float) -> Bound | None:
    """By how much the first of a pair is surely better than the second, row by row; None if rows are too few to say.

    For errors far below what draws can count: their deviation, and Student's t of as many blocks as there are.
    """
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # it has no stubs

    both = _Pair(task.metric, *(one.terms[task.metric] for one in pair))
    found = []
    for plan in _plans(problem, test, _influence(both.rows, both.difference)):
        drawn = draws(both.rows, plan.of)
        if drawn is None:
            return None
        base = abs(float(both.base(drawn.means)))
        if base == 0:
            return None
        gain = float(both.difference(drawn.means))
        deviation = float(both.difference(drawn.drawn).std()) * math.sqrt(drawn.blocks / (drawn.blocks - 1))
        least = gain - float(stdtrit(drawn.blocks - 1, 1 - error)) * deviation
        found.append(Bound(gain / base, least / base, error, drawn.blocks))
    least_sure = min(found, key=lambda one: one.least)
    return least_sure if math.isfinite(least_sure.least) else None


def net(task: Task, one: Judged, existing: Judged, usd_per_inference: float, found: Evidence | None) -> Net | None:
    """What a proven candidate is worth in a year; None if the loss is not money."""
    unit = task.value.usd
    if unit is None:
        return None
    yearly = task.value.decisions_per_day * DAYS
    gain = (existing.metrics["value"] - one.metrics["value"]) * unit * yearly
    cost = usd_per_inference * yearly
    interval = None
    if found is not None and found.loss is not None:
        low, high = (end * unit * yearly - cost for end in (found.loss.low, found.loss.high))
        interval = Interval(low=low, high=high)
    return Net(usd=gain - cost, gain_usd=gain, cost_usd=cost, interval=interval)


class _Pair:
    """The terms of a candidate and of the existing process side by side, and figures of both."""

    def __init__(self, metric: str, one: Terms, existing: Terms) -> None:
        self._metric = metric
        self._parts = (one, existing)
        self._width = one.rows.shape[1]
        self.rows = np.concatenate([one.rows, existing.rows], axis=1)

    def _losses(self, means: Floats) -> tuple[Floats, Floats]:
        one, existing = self._parts
        parts = one.metric(means[..., : self._width]), existing.metric(means[..., self._width :])
        higher = self._metric in HIGHER_IS_BETTER
        return (1 - parts[0], 1 - parts[1]) if higher else parts

    def difference(self, means: Floats) -> Floats:
        """The loss that is gone."""
        loss, base = self._losses(means)
        return base - loss

    def base(self, means: Floats) -> Floats:
        """The other's loss."""
        return self._losses(means)[1]

    def improvement(self, means: Floats) -> Floats:
        """The share of the existing process's loss that is gone."""
        loss, base = self._losses(means)
        return np.asarray((base - loss) / np.abs(base))


def _influence(rows: Floats, figure: Callable[[Floats], Floats]) -> Floats:
    """(rows,): how much each row moves the figure, to first order."""
    means = rows.mean(axis=0)
    steps = 1e-6 * np.maximum(rows.std(axis=0), 1e-12)
    slopes = np.array(
        [
            (figure(means + step) - figure(means - step)) / (2 * steps[number])
            for number, step in enumerate(np.diag(steps))
        ]
    )
    return np.asarray((rows - means) @ np.nan_to_num(slopes))


def _plans(problem: Problem, test: Rows, influence: Floats) -> list[_Blocks]:
    """Ways to put the rows together such that blocks hardly depend on each other; the widest interval counts."""
    found: list[_Blocks] = []
    apart: tuple[tuple[Unit, str | None], ...] = (("groups", problem.group), ("entities", problem.entity))
    for unit, column in apart:
        if column is not None and column in test.frame.columns:
            of = kinds(np.array([str(value) for value in test.frame[column].to_list()]))
            if int(of.max()) + 1 >= _FEWEST_KINDS:
                found.append(_Blocks(unit, of))
    if problem.timed or problem.ahead:
        moments = series.moments(test.frame, problem.time)
        count = int(moments[-1]) + 1
        moved = np.bincount(moments, weights=influence).astype(np.float64)
        long = min(_SAFETY * length_of(moved), count // _FEWEST_RUNS)
        length = max(problem.reach, long, 1)
        found.append(_Blocks("times" if problem.entity else "rows", runs(moments, length), length))
    return found or [_Blocks("rows", runs(np.arange(len(test)), 1), 1)]


class _Drawn:
    """Draws of the rows by each plan, made once: figures of the same rows share them."""

    def __init__(self, rows: Floats, plans: list[_Blocks]) -> None:
        self._drawn = [draws(rows, plan.of) for plan in plans]

    def intervals(self, figure: Callable[[Floats], Floats], confidence: float) -> list[Interval | None]:
        """Where a figure lies, by each plan; None where that is not known."""
        found = [None if drawn is None else drawn.interval(figure, confidence) for drawn in self._drawn]
        return [None if one is None else Interval(low=one[0], high=one[1]) for one in found]


def _least_sure(plans: list[_Blocks], found: list[Interval | None]) -> _Blocks:
    """The plan with the widest interval."""
    return max(zip(plans, found, strict=True), key=lambda one: _width(one[1]))[0]


def _widest(found: list[Interval | None]) -> Interval | None:
    """The widest of the plans' intervals; None if one of them is not known."""
    known = [one for one in found if one is not None]
    return max(known, key=_width) if len(known) == len(found) else None


def _width(found: Interval | None) -> float:
    return float("inf") if found is None else found.high - found.low
