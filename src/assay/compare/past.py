"""What the past says of an experiment's length: the existing process's losses on the project's own data."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from assay.compare.effect import Units, scores
from assay.compare.errors import NotComparable
from assay.compare.estimate import LEAST
from assay.compare.power import Design, Past, power
from assay.compare.sequence import half_width
from assay.core import files, sheet
from assay.data.dataset.dataset import Dataset
from assay.models.existing import decide
from assay.models.metrics import values
from assay.models.rows import joined, problem_of, rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.task.task import Task

    Floats = NDArray[np.float64]

MOST_UNITS = 20_000
_FEWEST_SCORES = 500
_SHARES = (0.25, 0.5, 0.75, 1.0, 1.3)
_LONGER = (1.7, 2.2, 3.0, 4.0)


def losses(task: Task, project: Path) -> Floats:
    """(rows,): what the existing process's decisions cost, one a row of the dataset, in order of time.

    Raises
    ------
    NotComparable
        The task says no loss.
    NoDataset, ExistingFailed, LossFailed
        What the loss is computed from is missing.
    """
    if task.value.loss is None:
        raise NotComparable(
            "task.toml has no [value] loss, so the past says nothing", "Write it, or give --past FILE, measured losses."
        )
    dataset = Dataset.load(project / "data")
    problem = problem_of(task, dataset)
    rows = joined([rows_of(dataset, part) for part in ("train", "validation", "test")])
    found = values(task.value.loss, rows.y, decide(problem, rows.frame, project), rows.frame)
    return found[~np.isnan(found)]


def recorded(path: Path) -> Past:
    """Measured losses of past units, in their order: a CSV file's columns `outcome` and, if it has one, `before`."""
    try:
        rows = sheet.rows(files.read(path))
    except ValueError as error:
        raise NotComparable(f"{path}{error}", "Give a CSV file with a column outcome.") from None
    found: dict[str, list[float]] = {"outcome": [], "before": []}
    for line, row in rows:
        for column in ("outcome", *(["before"] if "before" in row else [])):
            try:
                value = sheet.number(row[column])
            except (KeyError, ValueError):
                value = math.nan
            if not math.isfinite(value):
                raise NotComparable(
                    f"{path}, line {line}: there is no number for {'an outcome' if column == 'outcome' else 'before'}",
                    "Leave out units of which nothing is known.",
                )
            found[column].append(value)
    outcome, before = (np.array(found[column], dtype=np.float64) for column in ("outcome", "before"))
    return Past(outcome, before.reshape(len(outcome), -1 if len(outcome) else 0))


def units(single: Floats, each: int, dropped: int = 0) -> Past:
    """Past units of `each` decisions, of which the first `dropped` are not counted; the unit before explains each."""
    whole = each + dropped
    count = len(single) // whole
    means = single[: count * whole].reshape(count, whole)[:, dropped:].mean(axis=1)
    return Past(means[1:], means[:-1, np.newaxis])


def unexplained(past: Past) -> Past:
    """The same units, of which nothing was known before."""
    return Past(past.outcome, np.zeros((len(past), 0)))


def curve(
    past: Past, design: Design, wanted: float, told: Callable[[str], None] = lambda _: None
) -> list[tuple[int, float]]:
    """Power by length, around the length that is enough.

    The arithmetic of the interval says about where that is; experiments are played there, and at shares of it.

    Raises
    ------
    NotComparable
        The past has too few units to say.
    """
    middle = about(past, design, wanted)
    lengths = _lengths(middle, _SHARES)
    found: list[tuple[int, float]] = []
    for length in [*lengths, *_lengths(middle, _LONGER)]:
        if length > lengths[-1] and (enough(found, wanted) is not None or length > MOST_UNITS):
            break
        told(f"Playing {length} units on the past")
        found.append((length, power(past, design, length)))
    return found


def length_for(past: Past, design: Design, wanted: float) -> int:
    """The length that a plan is to have: about that of the arithmetic, and longer if experiments played ask for it.

    They do where the interval begins late: few of one arm, or a few units that make all the difference.
    """
    middle = about(past, design, wanted)
    lengths = _lengths(middle, [share for share in (*_SHARES, *_LONGER) if share >= 1])
    return next(
        (length for length in lengths if length >= MOST_UNITS or power(past, design, length) >= wanted), lengths[-1]
    )


def _lengths(middle: int, shares: Iterable[float]) -> list[int]:
    return sorted({max(LEAST, round(middle * share)) for share in shares})


def about(past: Past, design: Design, wanted: float) -> int:
    """The length, by arithmetic, after which the least effect that is seen is the design's; at most `MOST_UNITS`."""
    low, high = LEAST, MOST_UNITS
    deviation = _deviation(past, design)
    while low < high:
        middle = (low + high) // 2
        if _least(deviation, design, middle, wanted) <= abs(design.effect):
            high = middle
        else:
            low = middle + 1
    return low


def enough(found: list[tuple[int, float]], wanted: float) -> int | None:
    """The shortest length whose power is enough; None if none is."""
    return next((length for length, share in found if share >= wanted), None)


def detectable(past: Past, design: Design, length: int, wanted: float) -> float:
    """The least effect that `length` units show at their end with the chance `wanted`.

    Half the interval, and as much more as the mean may lie too low in all but `wanted` of cases.
    """
    return _least(_deviation(past, design), design, length, wanted)


def _least(deviation: float, design: Design, length: int, wanted: float) -> float:
    more = NormalDist().inv_cdf(wanted) / math.sqrt(length)
    return deviation * (half_width(length, design.alpha, length) + more)


def _deviation(past: Past, design: Design) -> float:
    """The deviation of scores on the past, where nothing had an effect."""
    if len(past) < LEAST:
        raise NotComparable(f"{len(past)} past units say nothing of an effect", f"Give {LEAST} units of the past.")
    count = max(len(past), _FEWEST_SCORES)
    places = np.arange(count) % len(past)
    treated = np.random.default_rng(7).random(count) < design.share
    known = Units(past.outcome[places], treated, design.share, past.before[places], np.arange(count))
    return float(scores(known)[LEAST:].std())
