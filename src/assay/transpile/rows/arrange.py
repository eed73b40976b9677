"""Which column of the rows is which feature: by name, all of them; by position only where there are no names."""

from __future__ import annotations

import itertools
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from assay.transpile.errors import ColumnsDiffer, RowsWidth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from assay.transpile.rows.columns import Table

# Features that have no names: XGBoost's and scikit-learn's f0, LightGBM's Column_0, a network's input[0] or input[0,0].
_UNNAMED = re.compile(r"(f|Column_|.*\[(?:0,)*)(0|[1-9][0-9]*)\]?\Z", re.ASCII)
# A feature of a network's only input, with its place: input[0,3,2].
_PLACED = re.compile(r"(.*)\[((?:[0-9]+,)+[0-9]+)\]\Z", re.ASCII)
_TODO = "Name the columns as the model does, or say that they stand in its order (by position)."


def order(table: Table, names: Sequence[str]) -> list[int]:
    """For each feature the column that holds it.

    Raises
    ------
    RowsWidth
        The rows are empty, or have no names and another number of values than the model has features, or another shape.
    ColumnsDiffer
        They have names, and these are not exactly the model's.
    """
    count = len(flattened(table, names).columns)
    if table.names is None or (_unnamed(names) and set(table.names) != set(names)):
        if count != len(names):
            raise RowsWidth(
                f"the rows have {count} values each and the model has {len(names)} features",
                "Give one value for each feature.",
            )
        found = list(range(count))
    else:
        found = _by_name(table.names, names)
    if not table.rows:
        raise RowsWidth("there are no rows", "Give at least one.")
    return found


def flattened(table: Table, names: Sequence[str]) -> Table:
    """Rows that were arrays as plain ones; raises `RowsWidth` unless their shape is the one that the names speak of."""
    if table.shape is None:
        return table
    own = _placed(names)
    given = list(table.shape)
    if own is None:
        raise RowsWidth(
            f"the rows are arrays of shape {given} each, and the model has {len(names)} features in no such order",
            "Pass an array of shape (rows, features).",
        )
    if [extent for extent in given if extent != 1] != [extent for extent in own if extent != 1]:
        raise RowsWidth(
            f"the rows are arrays of shape {given} each and the model's input is of shape {own}",
            "Bring their axes into the model's order.",
        )
    return replace(table, shape=None)


def _placed(names: Sequence[str]) -> list[int] | None:
    """The shape of the one input whose elements the names are, in C order."""
    last = _PLACED.match(names[-1]) if names else None
    if last is None:
        return None
    shape = [int(place) + 1 for place in last[2].split(",")]
    if math.prod(shape) != len(names):
        return None
    wanted = [f"{last[1]}[{','.join(map(str, place))}]" for place in itertools.product(*map(range, shape))]
    return shape if wanted == list(names) else None


def by_name(table: Table, names: Sequence[str]) -> list[NDArray[Any]]:
    """The columns in the order of the features; raises as `order` does."""
    return [table.columns[place] for place in order(table, names)]


def _unnamed(names: Sequence[str]) -> bool:
    """Whether the model was trained without names, so that position is all there is."""
    matches = [_UNNAMED.match(name) for name in names]
    counted = all(match is not None and int(match[2]) == index for index, match in enumerate(matches))
    return counted and len({match[1] for match in matches if match is not None}) == 1


def _by_name(given: Sequence[str], names: Sequence[str]) -> list[int]:
    if len(set(names)) < len(names):
        raise ColumnsDiffer("the model has two features of the same name, so its columns cannot be told apart", _TODO)
    twice = next((name for index, name in enumerate(given) if name in given[:index]), None)
    if twice is not None:
        raise ColumnsDiffer(f"two columns are called {twice!r:.60}", _TODO)
    if set(given) != set(names):
        # LightGBM writes spaces in names as underscores.
        joined = [name if name in names else name.replace(" ", "_") for name in given]
        if any(" " in name for name in names) or len(set(joined)) < len(joined):
            joined = list(given)
        if set(joined) != set(names):
            raise ColumnsDiffer(_difference(joined, names), _TODO)
        given = joined
    place = {name: index for index, name in enumerate(given)}
    return [place[name] for name in names]


def _difference(given: Sequence[str], names: Sequence[str]) -> str:
    """Which columns are too many and which are absent."""
    lacking = [name for name in names if name not in given]
    extra = [name for name in given if name not in names]
    start = "the rows' columns are not the model's features"
    if len(given) != len(names):
        start = f"the rows have {len(given)} values each and the model has {len(names)} features"
        if len(extra) == len(given):
            return start
    said = []
    for words, listed in (("no feature is called", extra), ("no column is called", lacking)):
        if listed:
            said.append(f"{words} {', '.join(f'{name:.60}' for name in listed[:5])}" + ", ..." * (len(listed) > 5))
    return f"{start}; {', and '.join(said)}"
