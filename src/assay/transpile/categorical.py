"""Categorical splits as threshold splits, exactly.

A set of category codes is a union of intervals of the number line, so membership is a search among the
intervals' ends. The subtrees below are repeated once for each interval that the path has left open, which
is why `grow` bounds the number of nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Category:
    """A split of the number line into ``len(thresholds) + 1`` regions.

    Attributes
    ----------
    thresholds
        Ascending, in the comparison of the ensemble (``x < t`` or ``x <= t``).
    goes_left
        For each region, from the lowest, whether its values go left.
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
