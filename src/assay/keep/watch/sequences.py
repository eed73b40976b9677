"""Confidence sequences that also see what changed lately: one from the beginning, and one from every few units on.

The mean since the beginning moves slowly after a change. So a new sequence begins with every `EVERY`-th unit. The first
has half of alpha, the k-th of the others alpha / 2 times 1 / (k (k + 1)): the chance that any of them is ever wrong is
alpha at most (as in Shekhar and Ramdas, Reducing sequential change detection to sequential estimation, 2023, with a sum
in place of their run length).

A sequence learns its width from the very scores that it judges, and so a break that is large and wild is seen late.
`beyond` asks less and sees it soon: whether scores are as large as those of the test rows were. Each score's rank among
the test's and those before it is a draw from evenly spread ones if nothing changed, whatever their distribution; bets
against large ones, of which a part begins anew with each score, win more than 1 / alpha with chance alpha at most, ever
(Vovk, Nouretdinov and Gammerman, Testing exchangeability on-line, 2003; the jumper of Vovk and others, Retrain or not
retrain: conformal test martingales for change-point detection, 2021).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.compare.sequence import FEWEST, confidence_sequence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EVERY = FEWEST // 3
LIFE = 10 * FEWEST
"""Units after which a later sequence has seen what this one has."""
_HORIZON, _SHORT = 250, 2 * FEWEST
_BETS = np.array([0.05, 0.1, 0.2, 0.4, 0.7])
"""Powers of the bets: a small one wins much by few large scores, a large one little by many that are rather large."""
_PLAIN = 0.2
_JUMP = 0.02
"""Share of what is idle that begins to bet with each score."""


@dataclass(frozen=True)
class Crossing:
    """A sequence's mean is surely above a bound.

    Attributes
    ----------
    start, stop
        Units of it: from the first one up to the one that made it sure, which is not included.
    mean, low
        Of these units, and the least it may be.
    """

    start: int
    stop: int
    mean: float
    low: float


def above(scores: Floats, bound: float, alpha: float, inflation: float = 1.0, least: float = 0.0) -> Crossing | None:
    """The first time that a mean was surely above a bound; None if none ever was.

    Parameters
    ----------
    scores
        (units,): in the order in which they became known.
    alpha
        Chance that one is ever said without being so.
    inflation
        Units that tell as much as one that depends on none; 1 or more. Intervals are its root wider.
    least
        Their deviation on the test rows. Thirty scores of which the rare and far ones have not come yet look alike and
        off the mean: without this their interval is far too narrow.
    """
    first = slice(0, None)
    firsts = [_of(scores, first, alpha / 2, _HORIZON, bound=bound, inflation=inflation, least=least)]
    for place, start in enumerate(range(EVERY, len(scores) - FEWEST + 1, EVERY), 1):
        share = alpha / 2 / (place * (place + 1))
        own = slice(start, start + LIFE)
        firsts.append(_of(scores, own, share, _SHORT, bound=bound, inflation=inflation, least=least))
    known = [one for one in firsts if one is not None]
    return min(known, key=lambda one: one.stop, default=None)


def beyond(test: Floats, scores: Floats, alpha: float) -> Crossing | None:
    """The first time that scores were surely larger than the test's; None if they never were.

    Parameters
    ----------
    test, scores
        Of units that depend on none of their neighbours.
    alpha
        Chance that it is ever said while test and scores are alike.
    """
    idle, bets = 1.0, np.zeros(len(_BETS))
    known = np.sort(test)
    gain, least, start = 0.0, 0.0, 0
    for place, score in enumerate(scores):
        chance = (1 + len(known) - int(np.searchsorted(known, score, "left"))) / (1 + len(known))
        bets = (bets + _JUMP * idle / len(_BETS)) * _BETS * chance ** (_BETS - 1)
        idle *= 1 - _JUMP
        gain += math.log(_PLAIN) + (_PLAIN - 1) * math.log(chance)
        if gain < least:  # what came before speaks for no change
            least, start = gain, place + 1
        if idle + float(bets.sum()) >= 1 / alpha:
            first = min(start, place)
            own = scores[first : place + 1]
            return Crossing(first, place + 1, float(own.mean()), float(np.quantile(test, 1 - 1 / len(test))))
        known = np.insert(known, np.searchsorted(known, score), score)
    return None


def interval(scores: Floats, alpha: float, inflation: float = 1.0) -> tuple[Floats, Floats, Floats]:
    """The running mean and its interval from the beginning, for a drawing: NaN before enough is known."""
    found = confidence_sequence(scores, alpha, _HORIZON)
    width = (found.mean - found.low) * math.sqrt(inflation)
    return found.mean, found.mean - width, found.mean + width


def _of(
    scores: Floats, which: slice, alpha: float, horizon: int, *, bound: float, inflation: float, least: float
) -> Crossing | None:
    own, start = scores[which], int(which.start)
    found = confidence_sequence(own, alpha, horizon, least)
    low = found.mean - (found.mean - found.low) * math.sqrt(inflation)
    # However many equal scores there are, they make no mean certain.
    apart = np.maximum.accumulate(own) > np.minimum.accumulate(own) if len(own) else own > 0
    places = np.flatnonzero((low > bound) & apart)
    if not len(places):
        return None
    at = int(places[0])
    return Crossing(start, start + at + 1, float(found.mean[at]), float(low[at]))


def in_blocks(values: Floats, size: int) -> tuple[Floats, NDArray[np.int64]]:
    """Means of `size` consecutive values each (NaN does not count), and where each block begins; whole blocks only."""
    whole = len(values) // size
    starts = np.arange(whole, dtype=np.int64) * size
    table = values[: whole * size].reshape(whole, size)
    there = ~np.isnan(table)
    counts = there.sum(axis=1)
    means = np.where(there, table, 0.0).sum(axis=1) / np.maximum(counts, 1)
    return means[counts > 0], starts[counts > 0]
