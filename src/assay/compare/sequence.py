"""Confidence sequences: intervals that hold at every look at once, however often one looks and whenever one stops.

Source: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas, Time-uniform central limit theory and asymptotic confidence
sequences (Annals of Statistics, 2024; arXiv 2103.06476), Theorem 2.2 and, for means that move, Section 2.4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.compare.errors import NotComparable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 30
"""Looks before this many units say nothing: the sequence holds for long runs, and so few are none."""


@dataclass(frozen=True)
class Sequence:
    """The mean of the first t scores and where the true one lies, for every t.

    Attributes
    ----------
    mean, low, high
        (units,): NaN before `FEWEST` units.
    alpha
        The chance that the true mean of the units so far is outside at any look.
    """

    mean: Floats
    low: Floats
    high: Floats
    alpha: float

    @property
    def first_above(self) -> int | None:
        """The first number of units at which the mean is surely above zero."""
        return _first(self.low > 0)

    @property
    def first_below(self) -> int | None:
        """The first number of units at which the mean is surely below zero."""
        return _first(self.high < 0)


def confidence_sequence(scores: Floats, alpha: float, horizon: int, least: float = 0.0) -> Sequence:
    """The running mean of scores with its confidence sequence.

    Parameters
    ----------
    scores
        (units,): in the order in which they became known; each unbiased, given those before it.
    alpha
        Chance of error over all looks, such as 0.05.
    horizon
        The number of units at which the interval is narrowest: the planned length.
    least
        Their deviation is taken to be this at least.

    Raises
    ------
    NotComparable
        `alpha` or `horizon` is out of range, or a score is not finite.
    """
    if not 0 < alpha < 1 or horizon < 1:
        raise NotComparable(f"alpha {alpha} or length {horizon} is out of range", "Take alpha in (0, 1), length >= 1.")
    if not np.isfinite(scores).all():
        place = int(np.flatnonzero(~np.isfinite(scores))[0])
        raise NotComparable(f"the outcome of unit {place} is not finite", "Leave units without an outcome out.")
    count = np.arange(1, len(scores) + 1, dtype=np.float64)
    mean = np.cumsum(scores) / count
    width = np.fmax(_deviation(scores), least) * _boundary(count, _rho2(alpha, horizon), alpha)
    early = count < FEWEST
    mean, width = np.where(early, np.nan, mean), np.where(early, np.nan, width)
    return Sequence(mean, mean - width, mean + width, alpha)


def half_width(count: int, alpha: float, horizon: int) -> float:
    """Half the interval's width after `count` scores of deviation 1."""
    return float(_boundary(np.array([float(count)]), _rho2(alpha, horizon), alpha)[0])


def _boundary(count: Floats, rho2: float, alpha: float) -> Floats:
    """Half the width for scores of deviation 1: equation (4) of the paper."""
    scaled = count * rho2 + 1
    return np.asarray(np.sqrt(2 * scaled / (count**2 * rho2) * np.log(np.sqrt(scaled) / alpha)))


def _rho2(alpha: float, horizon: int) -> float:
    """The mixture's variance that makes the interval narrowest at `horizon`: the zero of the width's derivative."""
    from scipy.special import lambertw  # type: ignore[import-untyped]  # it has no stubs

    return float(-lambertw(-(alpha**2) / math.e, -1).real - 1) / horizon


def _deviation(scores: Floats) -> Floats:
    """(units,): the standard deviation of the scores so far, by Welford's sums, which do not cancel."""
    found = np.full(len(scores), np.nan)
    mean = squares = 0.0
    for place, score in enumerate(scores):
        step = score - mean
        mean += step / (place + 1)
        squares += step * (score - mean)
        if place:
            found[place] = math.sqrt(squares / place)
    return found


def _first(held: NDArray[np.bool_]) -> int | None:
    places = np.flatnonzero(held)
    return int(places[0]) + 1 if len(places) else None
