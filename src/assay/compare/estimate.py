"""The effect with its interval at every look, from the look on at which the interval's promise is worth something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.compare.effect import scores, starts_of
from assay.compare.sequence import FEWEST, Sequence, confidence_sequence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.compare.effect import Units

    Floats = NDArray[np.float64]

LEAST = FEWEST + 1
"""Units before anything is said: the first has no score."""
CARRYING = 10.0
"""Units that an arm's spread has to rest on where its share is next to nothing; fewer of a larger one, see `wanted`."""


def wanted(share: float) -> float:
    """How many units the spread of an arm with this share has to rest on.

    Of a share of 0.05, of which each unit counts twenty times, 9: about 27 units that are normally distributed, or 9
    rare events. Of one half or more any unit that differs is enough: played, the promise was kept from the first look.
    """
    return max(1.0, CARRYING * (1 - 2 * share))


def estimate(units: Units, alpha: float, horizon: int) -> Sequence:
    """The mean effect of the units so far with its confidence sequence; NaN where both arms do not carry it.

    The sequence's promise is asymptotic: it rests on the spread seen so far. Of an arm of few units, or of which one or
    two make all the difference (rare events, heavy tails), the spread is not known, and the interval would be wrong far
    more often than it says: played, 10 to 50 % instead of 5 % with a share of 0.05. So there is one at the looks where
    the spread of both arms rests on enough units (`wanted`), by their kurtosis.

    Parameters
    ----------
    units
        In the order in which outcomes became known.
    alpha, horizon
        Of `confidence_sequence`.
    """
    clusters = starts_of(units) if len(units.outcome) else np.zeros(0, np.int64)
    if not len(clusters):
        return Sequence(np.zeros(0), np.zeros(0), np.zeros(0), alpha)
    found = confidence_sequence(scores(units), alpha, horizon)
    last = np.append(clusters[1:], len(units.outcome)) - 1
    new, old = (carrying(units.outcome, of)[last] for of in (units.treated, ~units.treated))
    early = (new < wanted(units.share)) | (old < wanted(1 - units.share))
    mean, low, high = (np.where(early, np.nan, np.append(np.nan, one)) for one in (found.mean, found.low, found.high))
    return Sequence(mean, low, high, alpha)


def carrying(outcome: Floats, of: NDArray[np.bool_]) -> Floats:
    """(units,): of how many of an arm's units so far its spread is made: the number by the kurtosis, 0 without spread.

    The variance of n values has itself a relative variance of about kurtosis / n. Of values from a normal distribution
    this is a third of their number, of rare events about the number of events.
    """
    if not of.any():
        return np.zeros(len(outcome))
    # Powers of what differs from the first value do not cancel where all are large.
    apart = np.where(of, outcome - outcome[of][0], 0.0)
    scale = np.abs(apart).max() or 1.0
    count = np.maximum(np.cumsum(of), 1)
    one, two, three, four = (np.cumsum((apart / scale) ** power) / count for power in (1, 2, 3, 4))
    variance = two - one**2
    fourth = four - 4 * one * three + 6 * one**2 * two - 3 * one**4
    there = fourth > np.finfo(np.float64).eps * np.maximum(four, np.finfo(np.float64).tiny)
    return np.where(there, count * variance**2 / np.where(there, fourth, 1.0), 0.0)
