"""Features as fixed point: declared ranges, from rows or by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.errors import OptionError
from assay.transpile.rows.whole import limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Interval = tuple[float, float]

HEADROOM = 2.0  # ranges from rows are this many times as wide
_FAR = 8.0  # a range this many times its own half width away from 0 has a centre of its own


def from_rows(rows: Floats) -> list[Interval]:
    """Twice the range of each column; a column that never changes gets its own size."""
    low, high = rows.min(axis=0), rows.max(axis=0)
    middle, half = (low + high) / 2, (high - low) / 2
    half = np.where(half > 0, half * HEADROOM, np.maximum(np.abs(middle), 1.0))
    return list(zip((middle - half).tolist(), (middle + half).tolist(), strict=True))


def declared(
    names: Sequence[str],
    ranges: Mapping[str | int, Sequence[float]] | Sequence[float],
    found: list[Interval] | None,
    types: Sequence[tuple[slice, str]] = (),
) -> list[Interval]:
    """The range of each feature: what is declared for it, else what rows say.

    Parameters
    ----------
    ranges
        One pair for all features, or pairs by name or number.
    types
        Which features are of whole numbers or truth values; what their types do not hold is no part of their ranges.

    Raises
    ------
    OptionError
        If a range is none, or beyond a feature's type, or a feature has neither a range nor rows.
    """
    if not isinstance(ranges, Mapping):
        return _of_types(names, [_pair("all features", ranges)] * len(names), types)
    result: list[Interval | None] = list(_of_types(names, found, types)) if found else [None] * len(names)
    for feature, pair in ranges.items():
        index = names.index(feature) if isinstance(feature, str) and feature in names else feature
        if type(index) is not int or not 0 <= index < len(names):
            raise OptionError(f"ranges names {feature!r:.40}, which the model does not have", "Check the name.")
        result[index] = _within_type(names[index], index, _pair(names[index], pair), types)
    missing = next((index for index, pair in enumerate(result) if pair is None), None)
    if missing is not None:
        raise OptionError(
            f"the feature {names[missing]} has no range",
            "Pass calibration rows, which choose the fixed-point range of every feature, or declare it in ranges.",
        )
    return [pair for pair in result if pair is not None]


def _within_type(name: str, index: int, pair: Interval, types: Sequence[tuple[slice, str]]) -> Interval:
    """A declared range, unless its feature's type does not hold it."""
    for part, kind in types:
        low, high = limits(kind)
        if part.start <= index < part.stop and not low <= pair[0] < pair[1] <= high:
            raise OptionError(
                f"the range of {name}, {pair[0]:g} to {pair[1]:g}, is beyond {kind}, which the model takes there",
                "Declare what it holds.",
            )
    return pair


def _of_types(names: Sequence[str], ranges: list[Interval], types: Sequence[tuple[slice, str]]) -> list[Interval]:
    """As far as the types of features hold them."""
    result = list(ranges)
    for part, kind in types:
        limit = limits(kind)
        for index in range(part.start, part.stop):
            low, high = ranges[index]
            result[index] = max(low, limit[0]), min(high, limit[1])
            if result[index][0] >= result[index][1]:
                raise OptionError(
                    f"the range of {names[index]}, {low:g} to {high:g}, holds no two numbers of {kind}, which the "
                    "model takes there",
                    "Declare a wider one.",
                )
    return result


def of_index(name: str, found: Interval, count: int) -> Interval:
    """The range of a feature that chooses among so many entries of a table, as far as there are any."""
    low, high = found
    if high < 0 or low > count - 1:
        raise OptionError(
            f"the feature {name} chooses one of {count} entries, and its range is {low:g} to {high:g}",
            "Give indices from 0 on.",
        )
    return max(low, 0.0), min(high, count - 1.0)


def _pair(name: str, pair: Sequence[float]) -> Interval:
    try:
        low, high = (float(bound) for bound in pair)
    except (TypeError, ValueError):
        raise OptionError(f"the range of {name} is {pair!r:.60}", "Give two numbers.") from None
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise OptionError(f"the range of {name}, {low:g} to {high:g}, is empty or not finite", "Give two numbers.")
    return low, high


def centres(ranges: list[Interval]) -> Floats:
    """What each feature is counted from: 0, but for ranges far away from it."""
    low, high = np.array(ranges).T
    middle, half = (low + high) / 2, (high - low) / 2
    # On a grid that every step divides.
    grid = np.exp2(np.floor(np.log2(half)) - 3)
    return np.where(np.abs(middle) > _FAR * half, np.rint(middle / grid) * grid, 0.0)


def draw(ranges: list[Interval], count: int, whole: Sequence[int], seed: int = 0) -> Floats:
    """Rows drawn evenly from the declared ranges."""
    low, high = np.array(ranges).T
    rows = np.random.default_rng(seed).uniform(low, high, (count, len(low)))
    rows[:, list(whole)] = np.clip(
        np.rint(rows[:, list(whole)]), np.ceil(low[list(whole)]), np.floor(high[list(whole)])
    )
    return rows
