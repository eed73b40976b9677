"""Sequences: the rows that a model sees at once, a row and those before it in its own series.

A dataset keeps each row once. What is made here says which rows have a whole window, and reads windows out of one
array: where the rows follow each other in it, as those of one series do, nothing is copied.

The numbers of a window have one order everywhere, in arrays, in files of rows and on chain: the oldest row first, and
within a row the features as the dataset has them. `name@-3` is the feature `name` three rows before; `name` is that of
the row itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.data.features import series

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

PLACE = "\x00place"
"""A column for the number of a row in its series, counted before any row is set aside."""
MOST_NUMBERS = 1 << 16
"""Words of one row that a verifier reads."""


def names(features: Sequence[str], window: int) -> list[str]:
    """Names of the numbers of a window, in their order."""
    return [f"{name}@-{back}" if back else name for back in reversed(range(window)) for name in features]


def place(entity: str | None) -> pl.Expr:
    """`PLACE`, where the rows of a series lie together in the order of time."""
    return series.before(entity).alias(PLACE)


def whole(rows: pl.DataFrame, window: int, entity: str | None) -> NDArray[np.bool_]:
    """Whether the `window` - 1 rows before each row are there, none of them set aside.

    The rows are in the order of time and have `PLACE`.
    """
    if window == 1:
        return np.ones(rows.height, dtype=bool)
    import polars as pl

    first = pl.col(PLACE).shift(window - 1)
    first = first if entity is None else first.over(entity)
    return rows.select((pl.col(PLACE) - first == window - 1).fill_null(value=False)).to_series().to_numpy()


def seen(rows: pl.DataFrame, own: NDArray[np.bool_], window: int, entity: str | None) -> NDArray[np.bool_]:
    """Which rows the windows of the rows `own` hold, each of which has a whole one."""
    order = _order(rows, entity)
    ends = np.flatnonzero(own[order])
    edges = np.zeros(rows.height + 1, dtype=np.int64)
    np.add.at(edges, ends - window + 1, 1)
    np.add.at(edges, ends + 1, -1)
    found = np.empty(rows.height, dtype=bool)
    found[order] = np.cumsum(edges[:-1]) > 0
    return found


def windows(
    rows: pl.DataFrame, features: Sequence[str], own: NDArray[np.bool_], window: int, entity: str | None
) -> NDArray[np.float32]:
    """The windows of the rows `own`, in the order of the rows.

    Returns
    -------
    ndarray of float32, shape (rows, window * features)
        In the order of `names`, NaN where a value is missing. Read-only: where the rows follow each other, it is a
        view of one array of (all rows, features), in which neighbouring windows share their numbers.
    """
    import polars as pl

    order = _order(rows, entity)
    columns = [rows[name].cast(pl.Float32).fill_null(float("nan")).to_numpy()[order] for name in features]
    base = np.ascontiguousarray(np.column_stack(columns), dtype=np.float32)
    step = base.strides[0]
    if len(base) < window:
        return np.zeros((0, window * len(features)), dtype=np.float32)
    shape = (len(base) - window + 1, window * len(features))
    every = np.lib.stride_tricks.as_strided(base, shape, (step, base.itemsize), writeable=False)
    where = np.empty(rows.height, dtype=np.int64)
    where[order] = np.arange(rows.height)
    return every[selector(where[own] - window + 1)]


def selector(index: NDArray[np.int64]) -> slice | NDArray[np.int64]:
    """Rows of these numbers as a slice where they follow each other, so that taking them copies nothing."""
    if len(index) and bool((np.diff(index) == 1).all()):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def gaps(rows: pl.DataFrame, own: NDArray[np.bool_], window: int, time: str, entity: str | None) -> tuple[int, str]:
    """How many windows of the rows `own` span a longer time than the usual step between rows, and that step.

    0 where the times only order rows, or have no usual step (fewer than half of the steps are alike).
    """
    if not rows.schema[time].is_temporal():
        return 0, ""
    order = _order(rows, entity)
    moments = rows[time][order]
    steps = moments.diff()
    within = np.arange(len(order)) > 0 if entity is None else _same(rows, entity, order)
    usual = steps.filter(within).mode()
    if not len(usual) or 2 * int((steps.filter(within) == usual[0]).sum()) < int(within.sum()):
        return 0, ""
    longer = np.cumsum(within & (steps > usual[0]).fill_null(value=False).to_numpy())
    ends = np.flatnonzero(own[order])
    return int((longer[ends] > longer[ends - window + 1]).sum()), str(usual[0])


def _order(rows: pl.DataFrame, entity: str | None) -> NDArray[np.int64]:
    """The numbers of the rows, those of a series one after the other."""
    if entity is None:
        return np.arange(rows.height)
    numbered = rows.select(entity).with_row_index("\x00row")
    return series.together(numbered, entity)["\x00row"].to_numpy().astype(np.int64)


def _same(rows: pl.DataFrame, entity: str, order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each row, in this order, is of the series of the row before it."""
    of = rows[entity][order]
    return (of == of.shift(1)).fill_null(value=False).to_numpy()
