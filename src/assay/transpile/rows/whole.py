"""Whole numbers and truth values that a network's inputs are of: what is neither is refused, not rounded."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import NotANumber, OutOfRange
from assay.transpile.rows.columns import as_float, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_KINDS = {"bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))}


def types_of(meta: Mapping[str, Any]) -> list[tuple[slice, str]]:
    """Which features are of which type, of those that are of whole numbers or truth values."""
    found, start = [], 0
    types = meta.get("types", {})
    for name, shape in meta.get("inputs", {}).items():
        end = start + math.prod(shape)
        if types.get(name) in _KINDS:
            found.append((slice(start, end), str(types[name])))
        start = end
    return found


def check_whole(meta: Mapping[str, Any], columns: Sequence[NDArray[Any]], names: Sequence[str]) -> None:
    """Refuse the first value that its input's type does not have; what is missing or no number is others' business.

    Raises
    ------
    NotANumber
        It has a part after the point, or is a truth value's and neither 0 nor 1.
    OutOfRange
        It is beyond the type's range.
    """
    for features, kind in types_of(meta):
        for index in range(features.start, min(features.stop, len(columns))):
            _check(columns[index], kind, f"column {index} ({names[index]})")


def limits(kind: str) -> tuple[float, float]:
    """The least and largest number of a type."""
    if kind == "bool":
        return 0.0, 1.0
    found = np.iinfo(kind)
    return float(found.min), float(found.max)


def _check(column: NDArray[Any], kind: str, where: str) -> None:
    values = column if column.dtype.kind in "iubf" else np.array([_number(value) for value in column], dtype=np.float64)
    numbers = values.astype(np.float64)
    low, high = limits(kind)
    with np.errstate(invalid="ignore"):
        parts = np.isfinite(numbers) & (numbers != np.rint(numbers))
        beyond = (numbers < low) | (numbers > high)
    if not (parts | beyond).any():
        return
    row = int(np.flatnonzero(parts | beyond)[0])
    value = shown(column[row])
    if kind == "bool":
        raise NotANumber(
            f"row {row}, {where}: {value} is neither 0 nor 1, and the model takes bool there", "Give 0 or 1."
        )
    if parts[row]:
        raise NotANumber(
            f"row {row}, {where}: {value} is no whole number, and the model takes {kind} there",
            "Give a whole number.",
        )
    raise OutOfRange(
        f"row {row}, {where}: {value} is beyond {kind}, which the model takes there", "Give a number that it holds."
    )


def _number(value: Any) -> float:
    try:
        return math.nan if value is None else as_float(value)
    except (TypeError, ValueError):
        return math.nan
