"""Rows one after the other as the windows that a model of sequences reads: `name@-3` is `name` three rows before."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.transpile.errors import RowsWidth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.transpile.rows.columns import Table

_BACK = re.compile(r"(.+)@-([1-9][0-9]{0,8})\Z", re.ASCII | re.DOTALL)


def window_of(names: Sequence[str]) -> tuple[int, list[str]]:
    """How many rows the features of a model are of, and what one row has; (1, names) where each is of one row."""
    last = [name for name in names if _BACK.match(name) is None]
    if not last or len(names) % len(last):
        return 1, list(names)
    count = len(names) // len(last)
    wanted = [f"{name}@-{back}" if back else name for back in reversed(range(count)) for name in last]
    return (count, last) if wanted == list(names) else (1, list(names))


def windowed(table: Table, names: Sequence[str]) -> tuple[Table, int]:
    """Windows of rows whose columns are those of one row of a window; any other table as it is.

    Parameters
    ----------
    table
        Rows of one series in the order of time.
    names
        The model's features.

    Returns
    -------
    Table, int
        A row for each whole window, the oldest row's numbers first; and of how many rows a window is, 1 where the
        table is as it was.

    Raises
    ------
    RowsWidth
        There are fewer rows than a window has.
    """
    count, last = window_of(names)
    if count == 1 or table.names is None or set(table.names) != set(last) or len(table.names) != len(last):
        return table, 1
    if table.rows < count:
        raise RowsWidth(
            f"there are {table.rows} rows, and the model reads {count} at once", "Give a row and those before it."
        )
    place = {name: index for index, name in enumerate(table.names)}
    kept = table.rows - count + 1
    starts = [(place[name], start) for start in range(count) for name in last]
    texts = table.texts
    found = replace(
        table,
        columns=[table.columns[index][start : start + kept] for index, start in starts],
        rows=kept,
        names=list(names),
        categorical={at for at, (index, _) in enumerate(starts) if index in table.categorical},
        texts=None if texts is None else [texts[index][start : start + kept] for index, start in starts],
    )
    return found, count
