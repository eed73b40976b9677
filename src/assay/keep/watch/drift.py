"""Whether a column of live rows is still as it was in training: how far it moved, and how sure that is.

Neighbouring rows of a market depend on each other, and two hundred of them may say no more than five: each column has
a *dependence*, the number of neighbours that tell as much as one row that depends on none, by the method of batch
means (Flegal and Jones, Batch means and spectral variance estimators, 2010). Every test counts rows in these units.

Looks are taken after every so many rows. Of look k the chance of a false alarm is alpha / (k (k + 1)), shared evenly by
all columns and both scales (the last rows, and all since the release decides): over all looks of all columns together
it is at most alpha (Bonferroni), however many are taken and however they depend on each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 10
QUARTERS = 4
_BATCHES = 20
_LONG, _MOST_ALIKE = 4.0, 0.8
"""Batches so many times as long as what depends on each other are taken to depend on none; and the most they may."""
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")
_PSEUDO = 0.5
"""Rows that each bin of a PSI has before any is counted, so that an empty one is not infinitely far."""


@dataclass(frozen=True)
class Trained:
    """A column as it was in training.

    Attributes
    ----------
    name
        The feature or output.
    values
        (known,): sorted, without those that are missing.
    rows
        All rows, those without a value too.
    dependence, missing_dependence
        Neighbours that tell as much as one row, of the values, and of whether one is missing; 1 or more.
    """

    name: str
    values: Floats
    rows: int
    dependence: float
    missing_dependence: float

    @classmethod
    def of(cls, name: str, column: Floats, *, timed: bool) -> Trained:
        """From a column in the order of time, NaN where missing; not `timed`: no row depends on its neighbours."""
        known = column[~np.isnan(column)]
        own, missing = 1.0, 1.0
        if timed:
            levels = np.unique(np.quantile(known, np.arange(1, 10) / 10)) if len(known) else known
            own = max((dependence((known <= level).astype(np.float64)) for level in levels), default=1.0)
            missing = dependence(np.isnan(column).astype(np.float64))
        return cls(name, np.sort(known), len(column), own, missing)

    @cached_property
    def edges(self) -> Floats:
        """Between its tenths."""
        return np.unique(np.quantile(self.values, np.arange(1, BINS) / BINS))

    @cached_property
    def counts(self) -> list[int]:
        """Rows in each tenth, and without a value."""
        return [*_counts(self.values, self.edges), self.rows - len(self.values)]


@dataclass(frozen=True)
class Moved:
    """How a column's live rows differ from training; each `p_` is the chance of so large a difference without a change.

    Attributes
    ----------
    psi, ks
        Population stability index and Kolmogorov-Smirnov distance of the last rows.
    p_moved
        Of the distance, of the last rows or of all, whichever is less likely, for both scales already.
    missing, missing_trained
        Shares of rows without a value.
    beyond
        Share of the last rows below the least or above the greatest value of training.
    p_beyond
        Of the last rows or of the last quarter of them, whichever is less likely, for both already.
    """

    name: str
    psi: float
    ks: float
    p_moved: float
    missing: float
    missing_trained: float
    p_missing: float
    beyond: float
    p_beyond: float


def share_of(alpha: float, look: int) -> float:
    """The chance of a false alarm that look number 1, 2, .. may have; all of them together have `alpha`."""
    return alpha / (look * (look + 1))


def moved(trained: Trained, last: Floats, every: Floats) -> Moved:
    """Compare the last rows, and all of them, with training; NaN where missing."""
    lately, since = last[~np.isnan(last)], every[~np.isnan(every)]
    missing = float(np.isnan(last).mean()) if len(last) else 0.0
    absent = trained.rows - len(trained.values)
    outside = (lately < trained.values[:1]) | (lately > trained.values[-1:]) if len(trained.values) else lately > 0
    return Moved(
        name=trained.name,
        psi=psi(trained, last),
        ks=distance(trained.values, lately),
        p_moved=min(1.0, 2 * min(_p_distance(trained, lately), _p_distance(trained, since))),
        missing=missing,
        missing_trained=absent / max(trained.rows, 1),
        p_missing=_p_missing(trained, last),
        beyond=float(outside.mean()) if len(outside) else 0.0,
        p_beyond=min(1.0, 2 * min(_p_beyond(trained, own) for own in (lately, lately[-(len(last) // QUARTERS) :]))),
    )


def psi(trained: Trained, seen: Floats) -> float:
    """The population stability index over tenths of the training values, with a bin for those that are missing."""
    if not len(trained.values) or not len(seen):
        return 0.0
    known = seen[~np.isnan(seen)]
    now = [*_counts(known, trained.edges), len(seen) - len(known)]
    old, new = (np.array(part, dtype=np.float64) + _PSEUDO for part in (trained.counts, now))
    old, new = old / old.sum(), new / new.sum()
    return float(((new - old) * np.log(new / old)).sum())


def _counts(values: Floats, edges: Floats) -> list[int]:
    found: list[int] = np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1).tolist()
    return found


def distance(values: Floats, seen: Floats) -> float:
    """Kolmogorov and Smirnov's distance of two samples, the first one sorted; 0 where one is empty."""
    if not len(values) or not len(seen):
        return 0.0
    other = np.sort(seen)
    # Between two neighbours of the shorter sample only the other share moves: the ends of each such stretch suffice.
    gaps = [
        np.searchsorted(values, other, side) / len(values) - np.searchsorted(other, other, side) / len(other)
        for side in _SIDES
    ]
    return float(np.abs(gaps).max())


def _p_distance(trained: Trained, seen: Floats) -> float:
    from scipy.special import kolmogorov  # type: ignore[import-untyped]  # it has no stubs

    if not len(trained.values) or not len(seen):
        return 1.0
    old, new = (max(count / trained.dependence, 1.0) for count in (len(trained.values), len(seen)))
    # The limit for many rows: of few it says a larger chance than there is, so that it alarms less.
    return float(kolmogorov(math.sqrt(old * new / (old + new)) * distance(trained.values, seen)))


def _p_missing(trained: Trained, last: Floats) -> float:
    """Fisher's exact test, one-sided: more are missing than in training."""
    from scipy.stats import hypergeom  # type: ignore[import-untyped]  # it has no stubs

    gone = int(np.isnan(last).sum())
    if not gone:
        return 1.0
    unit = trained.missing_dependence
    old, new = max(round(trained.rows / unit), 1), max(round(len(last) / unit), 1)
    k = min(max(round(gone / unit), 1), new)
    before = min(round((trained.rows - len(trained.values)) / unit), old)
    return float(hypergeom.sf(k - 1, old + new, before + k, new))


def _p_beyond(trained: Trained, lately: Floats) -> float:
    """That so many blocks of the last rows have the most extreme values of all blocks, were any order as likely."""
    if not len(trained.values) or not len(lately):
        return 1.0
    size = math.ceil(trained.dependence)
    starts = np.arange(0, len(lately), size)
    old, new = max(len(trained.values) // size, 1), len(starts)
    sides = (
        int((np.maximum.reduceat(lately, starts) > trained.values[-1]).sum()),
        int((np.minimum.reduceat(lately, starts) < trained.values[0]).sum()),
    )
    found = [math.prod((new - place) / (old + new - place) for place in range(k)) for k in sides]
    return min(1.0, 2 * min(found))


def dependence(series: Floats) -> float:
    """Neighbours of a series that tell as much of its mean as one value that depends on none; at least 1."""
    count, size = len(series), math.ceil(len(series) / _BATCHES)
    spread = float(series.var())
    if size < 2 or spread == 0.0:
        return 1.0
    whole = series[: count // size * size].reshape(-1, size).mean(axis=1)
    if len(whole) < 2:
        return 1.0
    found = max(1.0, size * float(whole.var(ddof=1)) / spread)
    return found if found <= size / _LONG else found * _between(whole)


def _between(batches: Floats) -> float:
    """By how much more batches tell too little because they depend on each other, as an autoregression would."""
    off = batches - batches.mean()
    first = float((off[1:] * off[:-1]).sum() / (off**2).sum())
    first += (1 + 4 * first) / len(batches)  # of few it is too low (Kendall, Note on bias in autocorrelation, 1954)
    first = min(max(first, 0.0), _MOST_ALIKE)
    return (1 + first) / (1 - first)
