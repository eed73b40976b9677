"""Categories: their values, and categorical splits as threshold splits, exactly.

A set of category codes is a union of intervals of the number line, so membership is a search among the
intervals' ends. The subtrees below are repeated once for each interval that the path has left open, which
is why `grow` bounds the number of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


# LightGBM's kZeroThreshold: a float32 constant, compared with doubles.
ZERO_THRESHOLD = float(np.float32(1e-35))


Others = Literal["missing", "refuse", "apart"]


@dataclass(frozen=True)
class Values:
    """The values of a categorical feature, as the model records them.

    Attributes
    ----------
    known
        The model's code of a value is its place in here.
    others
        What its library does with a value that is not: reads it as "missing", "refuse"s the row, or takes it for a
        category "apart", whose code is the number of known ones.
    in_arrays
        Whether NumPy arrays hold values too: an encoder of a pipeline reads them; else they hold codes.
    """

    known: tuple[bool | int | float | str, ...]
    others: Others = "refuse"
    in_arrays: bool = False


@dataclass(frozen=True)
class Category:
    """A split of the number line into ``len(thresholds) + 1`` regions.

    Attributes
    ----------
    thresholds
        Ascending, in the comparison of the ensemble (``x < t`` or ``x <= t``).
    goes_left
        For each region, from the lowest, whether its values go left; by turns.
    """

    thresholds: tuple[float, ...]
    goes_left: tuple[bool, ...]


def xgboost_category(codes: Iterable[int]) -> Category:
    """Members go right. The code of x is its integer part; negative values are no members."""
    return _regions(_runs(codes), member_left=False, below=float)


def lightgbm_category(codes: Iterable[int]) -> Category:
    """Members go left. The code of x is x rounded towards zero, so values above -1 have the code 0."""

    def below(code: int) -> float:
        return -1.0 if code == 0 else float(np.nextafter(float(code), -np.inf))

    return _regions(_runs(codes), member_left=True, below=below)


def zero_is_missing(threshold: float, *, default_left: bool) -> Category:
    """LightGBM's split ``x <= t`` where ``|x| <= 1e-35`` is missing and goes the default way; t finite or not."""
    below = float(np.nextafter(-ZERO_THRESHOLD, -np.inf))
    ends = sorted({below, ZERO_THRESHOLD} | ({threshold} if not below <= threshold <= ZERO_THRESHOLD else set()))
    sides = [default_left if end == ZERO_THRESHOLD else end <= threshold for end in ends]
    sides.append(bool(threshold == np.inf))
    # Regions side by side that go the same way are one: `grow` relies on it.
    edges = [index for index in range(len(ends)) if sides[index] != sides[index + 1]]
    return Category(tuple(ends[index] for index in edges), (*(sides[index] for index in edges), sides[-1]))


def _runs(codes: Iterable[int]) -> list[tuple[int, int]]:
    """Maximal runs of consecutive codes, as half-open intervals."""
    runs: list[tuple[int, int]] = []
    for code in sorted(set(codes)):
        if runs and runs[-1][1] == code:
            runs[-1] = (runs[-1][0], code + 1)
        else:
            runs.append((code, code + 1))
    return runs


def _regions(runs: list[tuple[int, int]], *, member_left: bool, below: Callable[[int], float]) -> Category:
    thresholds: list[float] = []
    sides = [not member_left]
    for start, end in runs:
        thresholds += [below(start), below(end)]
        sides += [member_left, not member_left]
    return Category(tuple(thresholds), tuple(sides))
