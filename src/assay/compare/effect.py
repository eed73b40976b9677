"""What the new arm changes: one score a unit, whose mean is the effect, whatever the outcomes depend on.

A unit (an entity, or a block of time in one pool) is put into the new arm with a known chance, by a draw that nobody
could foresee. A score is the augmented inverse-propensity estimate of Robins, Rotnitzky and Zhao (1994),

    m1 - m0 + A/p (Y - m1) - (1 - A)/(1 - p) (Y - m0),

where the guesses m1 and m0 of the unit's outcome see only units before it and what was known before the draw. Given
the past it is then unbiased for the unit's own effect, by the draw alone: outcomes may drift and depend on each other.
What was known before (the period before, for CUPED: Deng, Xu, Kohavi, Walker, 2013) makes the guesses good and the
scores small; bad guesses cost width, never truth. The first cluster has no score: there is nothing to guess it by, and
a guess of nothing would be as wrong as outcomes are large.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.compare.errors import NotComparable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PER_COEFFICIENT = 10
"""Clusters for each coefficient before a regression is believed; the mean of the past is guessed until then."""
_RIDGE = 1e-12


@dataclass(frozen=True)
class Units:
    """What an experiment saw, in the order in which outcomes became known.

    Attributes
    ----------
    outcome
        (units,): in the metric's units.
    treated
        (units,): whether the new arm decided.
    share
        The chance of the new arm, in (0, 1).
    before
        (units, k): what was known of a unit before its draw; k may be 0.
    cluster
        (units,): whole numbers that do not fall; units of one cluster are judged together (drawn at once, or dependent
        on each other), and each cluster counts once.
    """

    outcome: Floats
    treated: NDArray[np.bool_]
    share: float
    before: Floats
    cluster: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Refuse what fits nothing.

        Raises
        ------
        NotComparable
            Lengths differ, clusters fall, a value is not finite, or the share leaves an arm empty.
        """
        count = len(self.outcome)
        if not len(self.treated) == len(self.before) == len(self.cluster) == count or self.before.ndim != 2:
            raise NotComparable("outcomes, arms, covariates and clusters differ in length", "Give one of each a unit.")
        if not 0 < self.share < 1:
            raise NotComparable(f"a share of {self.share} leaves an arm empty", "Take a share between 0 and 1.")
        if count and (np.diff(self.cluster) < 0).any():
            raise NotComparable("clusters are out of order", "Order units by when their outcome was known.")
        if not (np.isfinite(self.outcome).all() and np.isfinite(self.before).all()):
            raise NotComparable("an outcome or a covariate is not finite", "Leave such units out, and say so.")


def scores(units: Units) -> Floats:
    """(clusters - 1,): the effect that each cluster but the first shows, the mean of its units' scores."""
    if not len(units.outcome):
        return np.zeros(0)
    starts = starts_of(units)
    sizes = np.diff(starts, append=len(units.cluster))
    new, old = _guesses(units, starts, sizes)
    outcome, share = units.outcome, units.share
    rest = np.where(units.treated, (outcome - new) / share, -(outcome - old) / (1 - share))
    return np.asarray(np.add.reduceat(new - old + rest, starts) / sizes)[1:]


def starts_of(units: Units) -> NDArray[np.int64]:
    """The place of each cluster's first unit."""
    return np.flatnonzero(np.append(True, np.diff(units.cluster) > 0))


def _guesses(units: Units, starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """(units,) twice: the outcome in the new and in the old arm, by least squares on the clusters before each unit's.

    Each guess is kept within the outcomes seen so far, so that a wild regression cannot make a wild score.
    """
    rows = np.column_stack([units.treated, ~units.treated, units.before]).astype(np.float64)
    outcome, size = units.outcome, rows.shape[1]
    gram = _before(rows[:, :, np.newaxis] * rows[:, np.newaxis, :], starts)
    moment = _before(rows * outcome[:, np.newaxis], starts)
    count = np.maximum(gram[:, 0, 0] + gram[:, 1, 1], 1)
    mean = (moment[:, 0] + moment[:, 1]) / count
    # A trace of the rows' own size keeps what is constant or missing so far from having no solution.
    scale = np.einsum("tii->ti", gram).max(axis=1, initial=1e-300)
    weights = np.linalg.solve(gram + _RIDGE * scale[:, np.newaxis, np.newaxis] * np.eye(size), moment[..., np.newaxis])
    believed = np.arange(len(starts)) >= _PER_COEFFICIENT * size
    low, high = (_before(outcome, starts, extreme) for extreme in (np.minimum, np.maximum))
    found = []
    for arm in (0, 1):
        own = np.repeat(weights[:, arm, 0], sizes)
        own = own + np.einsum("uk,uk->u", units.before, np.repeat(weights[:, 2:, 0], sizes, axis=0))
        own = np.clip(own, np.repeat(low, sizes), np.repeat(high, sizes))
        found.append(np.where(np.repeat(believed, sizes), own, np.repeat(mean, sizes)))
    return found[0], found[1]


def _before(values: Floats, starts: NDArray[np.int64], gather: np.ufunc = np.add) -> Floats:
    """(clusters, ..): what the units of all clusters before each one gather to; of the first, nothing: zero."""
    held = gather.accumulate(gather.reduceat(values, starts, axis=0), axis=0)
    return np.concatenate([np.zeros_like(held[:1]), held[:-1]])
