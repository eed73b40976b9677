"""Categories by value, and numbers that stand for missing values."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import NotANumber
from assay.transpile.rows.columns import objects, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Feature
    from assay.transpile.rows.columns import Table


def codes(feature: Feature, table: Table, place: int, index: int) -> NDArray[Any]:
    """A column as numbers: the model's codes where it is categorical, else as it is.

    Parameters
    ----------
    feature
        What the column holds.
    table, place
        The rows, and the column's place in them.
    index
        The feature's number, for messages.

    Raises
    ------
    NotANumber
        A value is none of the model's categories and its library refuses such rows, or the model does not
        record its categories.
    """
    column = table.columns[place]
    where = f"column {index} ({feature.name})"
    if feature.categories is None:
        if place in table.categorical:
            raise NotANumber(
                f"{where} is categorical, and the model does not record which number it gave to which category",
                "Pass the numbers that it was trained on.",
            )
        return column
    known = feature.categories.known
    if not table.by_value and place not in table.categorical and not feature.categories.in_arrays:
        return _codes_in_range(column, len(known), where)
    code = {_key(value): number for number, value in enumerate(known)}
    if all(isinstance(value, bool) for value in known):
        code |= {_key(str(value)): number for number, value in enumerate(known)}
        code |= {_key(str(value).lower()): number for number, value in enumerate(known)}
    texts = table.texts[place] if table.texts is not None and any(isinstance(v, str) for v in known) else None
    found: list[float | None] = []
    for row, value in enumerate(column.tolist()):
        # Text of a file is compared as it stands: "010" and "NA" may be categories.
        number = code.get(_key(texts[row])) if texts is not None else None
        number = code.get(_key(value)) if number is None else number
        absent = value is None or value != value  # noqa: PLR0124 - NaN
        if number is None and not absent and feature.categories.others == "refuse":
            raise NotANumber(
                f"row {row}, {where}: {shown(value)} is none of the model's {len(known)} categories "
                f"({', '.join(map(shown, known[:5]))}{', ...' if len(known) > 5 else ''})",
                "Give one of them, or nothing if missing.",
            )
        if number is None and not absent and feature.categories.others == "apart":
            number = len(known)
        found.append(None if number is None else float(number))
    return objects(found)


def _codes_in_range(column: NDArray[Any], count: int, where: str) -> NDArray[Any]:
    """An array has no categories, so its numbers are codes, as the libraries take them."""
    if column.dtype.kind in "iuf":
        outside = np.flatnonzero(column >= count)
        if outside.size:
            row = int(outside[0])
            raise NotANumber(
                f"row {row}, {where}: {shown(column[row])} is no code of the model's {count} categories",
                "Arrays hold codes, counted from 0; pass a data frame to give the categories themselves.",
            )
    return column


def _key(value: Any) -> Any:
    """What two equal categories share: numbers by value, but never a truth value with a number."""
    if isinstance(value, bool | np.bool_):
        return ("bool", bool(value))
    if isinstance(value, numbers.Real):
        return ("number", value)
    return ("text", str(value))


def without(column: NDArray[Any], absent: float) -> NDArray[Any]:
    """A column with None in place of a number that stands for a missing value."""
    if column.dtype.kind == "f":
        same = column == absent
        # Compared as XGBoost does, which reads both as float32.
        same |= column.astype(np.float32) == np.float32(absent)
        return np.where(same, np.nan, column)
    listed = column.tolist()
    found = [isinstance(value, numbers.Real) and float(np.float32(absent)) == _float32(value) for value in listed]
    return (
        objects([None if gone else value for value, gone in zip(listed, found, strict=True)]) if any(found) else column
    )


def filled(column: NDArray[Any], fill: float) -> NDArray[Any]:
    """A column with a number in place of every missing value."""
    if column.dtype.kind == "f":
        return np.where(np.isnan(column), column.dtype.type(fill), column)
    if column.dtype.kind != "O":
        return column
    return objects([fill if value is None or value != value else value for value in column.tolist()])  # noqa: PLR0124


def _float32(value: Any) -> float:
    try:
        return float(np.float32(value))
    except OverflowError:
        return float("inf")
