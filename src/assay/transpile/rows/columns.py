"""Rows of any form as one table of columns: NumPy, pandas, polars, pyarrow, or plain lists and dictionaries.

No number changes here: 64-bit integers, and Python's of any size, stay exact.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import NotANumber, OptionError, RowsWidth

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass
class Table:
    """Columns of equal length.

    Attributes
    ----------
    columns
        Each a NumPy array of bool, integers or floats, or of objects: numbers, and None where missing.
    rows
        The length.
    names
        Column names, if the source had any.
    by_value
        Whether categorical columns hold values; in a NumPy array they hold the model's codes, as its library reads it.
    categorical
        Columns of a categorical type of their own.
    texts
        The cells of a file of text as they stand in it, by column.
    shape
        Of a row that was an array of more than one dimension; its columns stand in C order.
    """

    columns: list[NDArray[Any]]
    rows: int
    names: list[str] | None = None
    by_value: bool = True
    categorical: set[int] = field(default_factory=set)
    texts: list[list[str]] | None = None
    shape: tuple[int, ...] | None = None


def to_table(X: Any) -> Table:
    """Read rows of any supported form; a single row may be given without the outer brackets.

    Raises
    ------
    RowsWidth
        If the rows differ in length or shape.
    NotANumber
        If this is no form of rows, or a column cannot be numbers.
    """
    if isinstance(X, Table):
        return X
    library = type(X).__module__.partition(".")[0]
    if library == "scipy":
        raise NotANumber("the rows are a sparse matrix", "Pass X.toarray(), with NaN where a value is missing.")
    for frames, attribute, read in _FRAMES:
        if library == frames and hasattr(type(X), attribute):
            return read(X)
    if isinstance(X, np.ndarray):
        return _array(X)
    if library in {"pandas", "polars"} and hasattr(X, "to_list"):
        X = _series(X)
    found = _plain(X)
    if found is not None:
        return found
    raise NotANumber(
        f"rows of type {type(X).__name__} cannot be read",
        "Pass a NumPy array, a pandas or polars data frame, a pyarrow table, or a list of lists or dictionaries.",
    )


def _plain(X: Any) -> Table | None:
    """Lists and dictionaries; None if it is neither."""
    if isinstance(X, Mapping):
        return _mapping(X)
    if not isinstance(X, Sequence) or isinstance(X, str | bytes):
        return None
    if len(X) and all(isinstance(row, Mapping) for row in X):
        return _records(X)
    if len(X) and all(isinstance(row, np.ndarray) for row in X):
        return _stack(X)
    return _lists(X)


def _mapping(X: Mapping[Any, Any]) -> Table:
    """One row by name, or columns by name where every value is a list or an array of them."""
    columns = list(X.values())
    if columns and all(isinstance(column, list | tuple | np.ndarray) for column in columns):
        names = [str(name) for name in X]
        for name, column in zip(names, columns, strict=True):
            deep = isinstance(column, np.ndarray) and column.ndim != 1
            if deep or len(column) != len(columns[0]):
                what = f"the columns {names[0]:.60} and {name:.60} are no lists of equal length"
                raise RowsWidth(what, "Give each column one value for each row.")
        arrays = [column if isinstance(column, np.ndarray) else objects(list(column)) for column in columns]
        return Table(arrays, len(columns[0]), names)
    return replace(_lists([columns]), names=[str(name) for name in X])


def _records(rows: Sequence[Mapping[Any, Any]]) -> Table:
    """Rows that are dictionaries: columns by name, all of them in every row."""
    names = list(rows[0])
    for index, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            name = next(iter(rows[0].keys() ^ row.keys()))
            has, lacks = (index, 0) if name in row else (0, index)
            raise RowsWidth(
                f"row {has} has {name!r:.60}, and row {lacks} has not",
                "Give every row the same names, with None where a value is missing.",
            )
    columns = [objects([row[name] for row in rows]) for name in names]
    return Table(columns, len(rows), [str(name) for name in names])


def _series(X: Any) -> Any:
    """A row of a pandas data frame with the columns' names, which are its labels; any other series as a list."""
    labels = list(X.index) if type(X).__module__.partition(".")[0] == "pandas" else []
    named = len(set(labels)) == len(labels) > 0 and all(isinstance(label, str) for label in labels)
    return dict(zip(labels, X.to_list(), strict=True)) if named else X.to_list()


def _array(X: NDArray[Any]) -> Table:
    if X.ndim == 1 and X.dtype == object and len(X) and isinstance(X[0], list | tuple | np.ndarray):
        return _lists(list(X))
    if X.ndim == 0:
        raise RowsWidth("the rows are a single number", "Pass an array of shape (rows, features).")
    shape = X.shape[1:] if X.ndim > 2 else None
    X = X[np.newaxis] if X.ndim == 1 else X.reshape(len(X), math.prod(X.shape[1:]))
    if isinstance(X, np.ma.MaskedArray):
        absent, X = np.ma.getmaskarray(X), np.asarray(X).astype(object)
        X[absent] = None
    return Table(list(np.ascontiguousarray(X.T)), len(X), by_value=False, shape=shape)


def _stack(rows: Sequence[NDArray[Any]]) -> Table:
    if len({row.shape for row in rows}) == 1 and len({row.dtype for row in rows}) == 1:
        return _array(np.stack(rows))
    return _lists([row.tolist() for row in rows])


def _lists(X: Sequence[Any]) -> Table:
    if len(X) and not any(map(_listed, X)):
        X = [X]
    shape = None
    if X and all(_listed(row) and len(row) and _listed(row[0]) for row in X):
        X, shape = _flat(X)
    width = _width(X)
    columns = [objects([row[index] for row in X]) for index in range(width)]
    return Table(columns, len(X), shape=shape)


def _listed(value: Any) -> bool:
    return isinstance(value, Sequence | np.ndarray) and not isinstance(value, str | bytes)


def _flat(rows: Sequence[Any]) -> tuple[list[list[Any]], tuple[int, ...]]:
    """Rows that are lists of lists as flat ones, and their shape."""
    first: tuple[int, ...] | None = None
    for index, row in enumerate(rows):
        found = _shape(row)
        first = found if first is None else first
        if found is None or found != first:
            raise RowsWidth(f"row {index} is a list of lists of different shapes", "Give every row one shape.")
    flat = list(rows)
    for _ in (first or ())[1:]:
        flat = [[value for part in row for value in part] for row in flat]
    return flat, first or ()


def _shape(value: Any) -> tuple[int, ...] | None:
    """The shape of nested lists; None if they have none."""
    if not _listed(value):
        return ()
    shapes = {_shape(part) for part in value}
    inner = shapes.pop() if len(shapes) == 1 else None
    return None if inner is None else (len(value), *inner)


def _width(rows: Sequence[Any]) -> int:
    first = 0
    for index, row in enumerate(rows):
        if isinstance(row, str | bytes) or not isinstance(row, Sequence | np.ndarray):
            raise RowsWidth(f"row {index} is {shown(row)}, not a list of values", "Give each row as a list.")
        if index == 0:
            first = len(row)
        elif len(row) != first:
            raise RowsWidth(
                f"row {index} has {len(row)} values and row 0 has {first}", "Give every row the same number of values."
            )
    return first


def objects(values: Sequence[Any]) -> NDArray[Any]:
    """A column of Python values: float64 where all are floats or missing, else objects."""
    kinds = set(map(type, values))
    if kinds <= {float, type(None)}:
        return np.array(values, dtype=np.float64)
    # Not by assignment, which would take lists among the values apart.
    return np.fromiter((None if _is_missing(value) else value for value in values), dtype=object, count=len(values))


def _is_missing(value: Any) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, numbers.Real) and bool(value != value)  # noqa: PLR0124 - NaN


def _pandas(frame: Any) -> Table:
    columns, categorical = [], set()
    for index in range(frame.shape[1]):
        series = frame.iloc[:, index]
        if str(series.dtype) == "category":
            categorical.add(index)
        plain = isinstance(series.dtype, np.dtype) and series.dtype != object
        columns.append(series.to_numpy() if plain else objects(series.tolist()))
    return Table(columns, len(frame), [str(name) for name in frame.columns], categorical=categorical)


def _polars(frame: Any) -> Table:
    if hasattr(frame, "collect"):
        frame = frame.collect()
    columns = []
    for series in frame.get_columns():
        plain = series.dtype.is_numeric() and not series.dtype.is_decimal() and not series.null_count()
        columns.append(series.to_numpy() if plain else objects(series.to_list()))
    return Table(columns, frame.height, list(frame.columns))


def _arrow(table: Any) -> Table:
    columns = [objects(column.to_pylist()) for column in table.columns]
    return Table(columns, table.num_rows, list(table.column_names))


_FRAMES = (("pandas", "columns", _pandas), ("polars", "columns", _polars), ("pyarrow", "column_names", _arrow))


def shown(value: Any) -> str:
    """A value for an error message: its start, if it is long."""
    try:
        text = repr(value.item() if isinstance(value, np.generic) else value)
    except ValueError:  # an integer of thousands of digits
        return f"a {type(value).__name__} of thousands of digits"
    return text if len(text) <= 40 else f"{text[:37]}..."


def to_floats(columns: Sequence[NDArray[Any]], names: Sequence[str]) -> NDArray[np.float64]:
    """Columns as float64[B, F] with NaN where missing; raises `NotANumber` naming row and column."""
    table = np.empty((len(columns[0]) if len(columns) else 0, len(columns)))
    for index, column in enumerate(columns):
        if column.dtype.kind in "iubf":
            table[:, index] = column
            continue
        for row, value in enumerate(column.tolist()):
            try:
                table[row, index] = np.nan if value is None else as_float(value)
            except (TypeError, ValueError):
                raise NotANumber(
                    f"row {row}, column {index} ({names[index]}): {shown(value)} is no number", "Give a number."
                ) from None
    return table


def as_float(value: Any) -> float:
    """A number as a double, infinite if it is too large; raises TypeError if it is none."""
    if not isinstance(value, numbers.Number | np.bool_) or isinstance(value, complex):
        raise TypeError
    try:
        return float(value)  # type: ignore[arg-type]
    except OverflowError:
        return float("inf")


def named_each(names: Sequence[str], width: int) -> list[str]:
    """Names of so many features as a list; raises OptionError if they are not so many."""
    listed = list(names)
    if len(listed) != width or not all(isinstance(name, str) for name in listed):
        raise OptionError(
            f"feature_names has {len(listed)} entries and the model {width} features", "Give one name each."
        )
    return listed
