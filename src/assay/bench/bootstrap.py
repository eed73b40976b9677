"""Block bootstrap: how far a figure on the test rows may be off, where neighbouring rows depend on each other.

Rows are put into blocks that hardly depend on each other: runs of consecutive times, or all rows of an entity. Blocks
are drawn with replacement, as many as there are, and the figure is computed anew from each draw (Carlstein, 1986). An
interval is between two quantiles of the draws, which lie further out the fewer blocks there are, as Student's t does
(the expanded percentile interval of Hesterberg, What Teachers Should Know About the Bootstrap, 2015).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Index = NDArray[np.int64]

DRAWS = 2000
MOST_BLOCKS = 1000
"""More blocks tell no more, and take memory: neighbours are then joined."""

_SEED = 7
_AT_ONCE = 250
_FEWEST = 2


@dataclass(frozen=True)
class Draws:
    """Means of the rows' terms in all rows, and in each draw.

    Attributes
    ----------
    means
        (terms,): over all rows.
    drawn
        (draws, terms): over the rows of the blocks that were drawn.
    blocks
        How many blocks there are.
    """

    means: Floats
    drawn: Floats
    blocks: int

    def interval(self, figure: Callable[[Floats], Floats], confidence: float) -> tuple[float, float] | None:
        """Where a figure lies: two-sided, or None where it is not finite in some draw.

        Parameters
        ----------
        figure
            From means (..., terms) to the figure (...).
        confidence
            Share of such intervals that hold the true figure, such as 0.9.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            found = figure(self.drawn)
        if not np.isfinite(found).all():
            return None
        tail = tail_of(confidence, self.blocks)
        low, high = np.quantile(found, [tail, 1 - tail])
        return float(low), float(high)


def draws(terms: Floats, blocks: Index) -> Draws | None:
    """Draw blocks; None if there are fewer than two.

    Parameters
    ----------
    terms
        (rows, terms): what each row contributes.
    blocks
        (rows,): the number of each row's block, from 0.
    """
    count = int(blocks.max()) + 1 if len(blocks) else 0
    if count < _FEWEST:
        return None
    sizes = np.bincount(blocks, minlength=count).astype(np.float64)
    sums = np.stack([np.bincount(blocks, weights=column, minlength=count) for column in terms.T], axis=1)
    source = np.random.default_rng(_SEED)
    parts = []
    for start in range(0, DRAWS, _AT_ONCE):
        times = source.multinomial(count, np.full(count, 1 / count), min(_AT_ONCE, DRAWS - start)).astype(np.float64)
        parts.append((times @ sums) / (times @ sizes)[:, np.newaxis])
    return Draws(terms.mean(axis=0), np.concatenate(parts), count)


def tail_of(confidence: float, blocks: int) -> float:
    """The share of the draws beyond each end of an interval."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]  # it has no stubs

    student = float(stdtrit(blocks - 1, (1 - confidence) / 2))
    return NormalDist().cdf(student * math.sqrt(blocks / (blocks - 1)))


def runs(moments: Index, length: int) -> Index:
    """The block of each row: `length` consecutive times in one, and what is left over in the last.

    Parameters
    ----------
    moments
        (rows,): the number of each row's time, from 0, in order.
    length
        Times in a block.
    """
    count = int(moments[-1]) + 1 if len(moments) else 0
    length = max(length, -(-count // MOST_BLOCKS), 1)
    return np.minimum(moments // length, max(count // length, 1) - 1).astype(np.int64)


def kinds(values: NDArray[np.generic]) -> Index:
    """The block of each row where rows of equal value are together; many are joined to `MOST_BLOCKS`."""
    _, places = np.unique(values, return_inverse=True)
    return np.asarray(places % MOST_BLOCKS, dtype=np.int64)


def length_of(series: Floats) -> int:
    """How many neighbours a block has to hold so that blocks hardly depend on each other, by the data itself.

    The rule of Politis and White, Automatic Block-Length Selection for the Dependent Bootstrap (2004), corrected with
    Patton (2009), for blocks of fixed length.
    """
    count = len(series)
    if count < 10 or float(np.ptp(series)) == 0.0:
        return 1
    most = math.ceil(min(3 * math.sqrt(count), count / 3))
    centred = series - series.mean()
    quiet = max(5, math.ceil(math.sqrt(math.log10(count))))
    farthest = min(math.ceil(math.sqrt(count)) + quiet, count - 1)
    covariances = np.array([centred[: count - lag] @ centred[lag:] / count for lag in range(2 * farthest + 1)[:count]])
    bound = 2 * math.sqrt(math.log10(count) / count)
    loud = np.abs(covariances[1 : farthest + 1]) >= bound * covariances[0]
    width = min(2 * max(_last_before_quiet(loud, quiet), 1), len(covariances) - 1, farthest)
    lags = np.arange(1, width + 1)
    weights = np.clip(2 * (1 - lags / width), 0, 1) * covariances[1 : width + 1]
    slope, spectrum = 2 * float(lags @ weights), float(covariances[0] + 2 * weights.sum())
    if spectrum <= 0 or not math.isfinite(slope):
        return most
    return int(min(max(math.ceil((1.5 * (slope / spectrum) ** 2 * count) ** (1 / 3)), 1), most))


def _last_before_quiet(loud: NDArray[np.bool_], quiet: int) -> int:
    """The lag after which the next `quiet` ones are all without correlation; else the last with one."""
    for lag in range(len(loud) - quiet + 1):
        if not loud[lag : lag + quiet].any():
            return lag
    return int(np.flatnonzero(loud)[-1]) + 1 if loud.any() else 0
