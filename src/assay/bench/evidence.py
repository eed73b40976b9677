"""Evidence: how sure an improvement on the test rows is, and what it is worth in a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from assay.bench.bootstrap import draws, kinds, length_of, runs
from assay.data.features import series
from assay.models.metrics import HIGHER_IS_BETTER, require_measurable, score
from assay.models.search.trial import predictions
from assay.models.terms import Terms, terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

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

Unit = Literal["rows", "times", "entities", "groups"]


class Interval(BaseModel):
    """Where a figure lies with the confidence of the task."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float


class Net(BaseModel):
    """What a candidate is worth in a year, in USD: the gain in the loss less gas and machine."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    usd: float
    gain_usd: float
    cost_usd: float
    interval: Interval | None


class Evidence(BaseModel):
    """How sure the figures of a candidate on the test rows are.

    Attributes
    ----------
    confidence
        Of the intervals.
    unit, blocks, length
        What the rows were put together by for the bootstrap, how many blocks that made, and how many rows (of several
        series: times) a block of consecutive ones has; 0 for entities and groups.
    improvement
        Of the improvement over the existing process; None if it is relative to nothing.
    difference
        Of the loss that is gone, in the metric's own unit; None if there are too few rows.
    metrics
        Of the task's metric, and of those that it has absolute limits on.
    loss
        Of the gain in the mean of [value] loss, if there is one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence: float
    unit: Unit
    blocks: int
    length: int
    improvement: Interval | None
    difference: Interval | None
    metrics: dict[str, Interval]
    loss: Interval | None = None

    @property
    def is_gain(self) -> bool:
        """Whether the interval of the improvement holds gains alone."""
        found = self.improvement or self.difference
        return found is not None and found.low > 0


@dataclass(frozen=True)
class Judged:
    """A candidate's metrics on the test rows, and the terms that the rows contribute to some of them."""

    metrics: dict[str, float]
    terms: dict[str, Terms]


@dataclass(frozen=True)
class _Blocks:
    unit: Unit
    of: NDArray[np.int64]
    length: int = 0


def judged(task: Task, problem: Problem, fitted: Fitted, test: Rows, past: Rows) -> Judged:
    """Judge a candidate on the test rows; raises as `assay.models.metrics.score` does."""
    require_measurable(problem, test.y)
    prediction, probability = predictions(problem, fitted, test, past)
    metrics = score(problem, test.y, prediction, test.frame, probability)
    wanted = {task.metric, *(one.metric for one in task.limits.requirements)} | ({"value"} if problem.loss else set())
    found = {
        name: terms(name, test.y, prediction, test.frame, probability=probability, loss=problem.loss)
        for name in sorted(wanted)
        if name in metrics
    }
    return Judged(metrics, found)


def evidence(task: Task, problem: Problem, test: Rows, one: Judged, existing: Judged) -> Evidence:
    """Compare a candidate with the existing process, row by row."""
    metric, confidence = task.metric, task.limits.confidence or 0.9
    pair = _Pair(metric, one.terms[metric], existing.terms[metric])
    plans = _plans(problem, test, pair)
    value = _Pair("value", one.terms["value"], existing.terms["value"]) if "value" in one.terms else None
    widest = max(plans, key=lambda plan: _width(_interval(pair.rows, pair.difference, plan, confidence)))
    return Evidence(
        confidence=confidence,
        unit=widest.unit,
        blocks=int(widest.of.max()) + 1,
        length=widest.length,
        improvement=_widest(pair.rows, pair.improvement, plans, confidence),
        difference=_widest(pair.rows, pair.difference, plans, confidence),
        metrics={
            name: found
            for name, own in one.terms.items()
            if (found := _widest(own.rows, own.metric, plans, confidence)) is not None
        },
        loss=None if value is None else _widest(value.rows, value.difference, plans, confidence),
    )


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

    def improvement(self, means: Floats) -> Floats:
        """The share of the existing process's loss that is gone."""
        loss, base = self._losses(means)
        return np.asarray((base - loss) / np.abs(base))

    def influence(self) -> Floats:
        """(rows,): how much each row moves the difference, to first order."""
        means = self.rows.mean(axis=0)
        steps = 1e-6 * np.maximum(self.rows.std(axis=0), 1e-12)
        slopes = np.array(
            [
                (self.difference(means + step) - self.difference(means - step)) / (2 * steps[number])
                for number, step in enumerate(np.diag(steps))
            ]
        )
        return np.asarray((self.rows - means) @ np.nan_to_num(slopes))


def _plans(problem: Problem, test: Rows, pair: _Pair) -> list[_Blocks]:
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
        moved = np.bincount(moments, weights=pair.influence()).astype(np.float64)
        long = min(_SAFETY * length_of(moved), count // _FEWEST_RUNS)
        length = max(problem.reach, long, 1)
        found.append(_Blocks("times" if problem.entity else "rows", runs(moments, length), length))
    return found or [_Blocks("rows", runs(np.arange(len(test)), 1), 1)]


def _interval(rows: Floats, figure: Callable[[Floats], Floats], plan: _Blocks, confidence: float) -> Interval | None:
    drawn = draws(rows, plan.of)
    found = None if drawn is None else drawn.interval(figure, confidence)
    return None if found is None else Interval(low=found[0], high=found[1])


def _widest(
    rows: Floats, figure: Callable[[Floats], Floats], plans: list[_Blocks], confidence: float
) -> Interval | None:
    """The widest of the plans' intervals; None if one of them is not known."""
    found = [_interval(rows, figure, plan, confidence) for plan in plans]
    known = [one for one in found if one is not None]
    return max(known, key=_width) if len(known) == len(found) else None


def _width(found: Interval | None) -> float:
    return float("inf") if found is None else found.high - found.low
