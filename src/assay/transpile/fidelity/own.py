"""Rows as the model's own library takes them: in the user's types wherever there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.rows.arrange import order
from assay.transpile.rows.categories import without
from assay.transpile.rows.columns import Table, to_floats, to_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit, Feature


def own_rows(circuit: Circuit, X: Any, *, from_file: bool) -> Any:
    """Rows to call the model's predict with.

    A two-dimensional array and a pandas data frame stay as they are, but for the order of the columns; all else
    becomes a data frame where there are names or categories (these of the type that the model records), and
    otherwise an array of doubles.

    Parameters
    ----------
    circuit
        Says names, categories and what stands for a missing value.
    X
        As for `Circuit.encode`.
    from_file
        Whether the model was read from a file, which does not say what stands for a missing value.
    """
    names = [feature.name for feature in circuit.features]
    absent = circuit.missing_value if from_file else None
    plain = isinstance(X, np.ndarray) and X.dtype.kind in "iubf" and not isinstance(X, np.ma.MaskedArray)
    if plain and X.ndim <= 2:
        rows = X if X.ndim == 2 else X[np.newaxis]
        return rows if absent is None else _floats([without(column, absent) for column in rows.T], names)
    encoded = any(one.categories is not None and one.categories.in_arrays for one in circuit.features)
    if encoded and isinstance(X, np.ndarray) and X.ndim == 2:
        return X
    table = to_table(X)
    places = order(table, names)
    if absent is None and type(X).__module__.partition(".")[0] == "pandas" and X.ndim == 2:
        return X if places == list(range(X.shape[1])) else X.iloc[:, places]
    columns = [table.columns[place] for place in places]
    if absent is not None:
        columns = [without(column, absent) for column in columns]
    categorical = any(feature.categories is not None for feature in circuit.features)
    if table.names is None and not (categorical and table.by_value):
        listed = np.asarray(X) if isinstance(X, list | tuple) and absent is None else None
        return (
            listed
            if listed is not None and listed.dtype.kind in "iuf" and listed.ndim == 2
            else _floats(columns, names)
        )
    return _frame(circuit, table, places, columns)


def _named(column: NDArray[Any]) -> NDArray[Any]:
    """Categories as an encoder takes them: a missing one is NaN, as pandas reads it."""
    if column.dtype.kind != "O":
        return column
    return np.array([np.nan if value is None else value for value in column.tolist()], dtype=object)


def _floats(columns: list[NDArray[Any]], names: list[str]) -> NDArray[np.float64]:
    return np.ascontiguousarray(to_floats(columns, names))


def _frame(circuit: Circuit, table: Table, places: list[int], columns: list[NDArray[Any]]) -> Any:
    names = [feature.name for feature in circuit.features]
    try:
        import pandas as pd
    except ImportError:
        from assay.transpile.rows.encode import arrange

        return _floats(arrange(circuit, table), names)
    content: dict[str, Any] = {}
    for feature, place, column in zip(circuit.features, places, columns, strict=True):
        if feature.categories is not None and feature.categories.in_arrays:
            content[feature.name] = _named(column)
        elif feature.categories is not None:
            content[feature.name] = pd.Categorical(
                _values(feature, table, place), categories=list(feature.categories.known)
            )
        elif column.dtype.kind == "O" and any(isinstance(value, str) for value in column.tolist()):
            content[feature.name] = column
        else:
            content[feature.name] = column if column.dtype.kind in "iubf" else to_floats([column], [feature.name])[:, 0]
    return pd.DataFrame(content)


def _values(feature: Feature, table: Table, place: int) -> list[Any]:
    """The categories that the rows name, None where a value is missing or unknown."""
    from assay.transpile.rows.categories import codes

    known = feature.categories.known if feature.categories is not None else ()
    numbers = codes(feature, table, place, place).tolist()
    return [None if number is None or number != number else known[int(number)] for number in numbers]  # noqa: PLR0124
