"""Series side by side: rows of many pools, accounts or borrowers, told apart by one column, the entity.

Features and labels are made while the rows of a series lie together, in the order of time; what would reach over
the edge of a series is missing. Everything here leaves the rows of one series (no entity) as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from assay.data.errors import ContractBroken, Duplicated, MixedTypes, SettingsUnfit
from assay.data.expressions import require

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    import polars as pl

    from assay.data.tables.table import Table

_CALLED = ("pool", "symbol", "ticker", "pair", "market", "contract", "address", "coin")
"""What a column of text is called that tells series apart, and hardly anything else."""

KNOWN = "\x00known"
"""A column for the time by which a row's label is known."""


def require_entity(schema: pl.Schema, entity: str, where: str) -> None:
    """Raise ColumnMissing or MixedTypes if a table has no column that tells series apart."""
    import polars as pl

    require(entity, [name for name in schema if not name.startswith("\x00")], where)
    dtype = schema[entity]
    if not (dtype.is_integer() or dtype in {pl.String, pl.Binary} or isinstance(dtype, pl.Categorical | pl.Enum)):
        raise MixedTypes(
            f"{where}: the column {entity} is of type {dtype}, which tells no series apart",
            f'Give text, whole numbers or addresses; in a CSV, types = {{{entity} = "text"}}.',
        )


def telling(table: Table, spoken: Iterable[str | None]) -> list[str]:
    """Columns that would tell several series of a table apart, if nobody named one in [data] entity.

    In logs that is the contract's address; elsewhere a column of text that is called so. One that the task's
    expressions speak of (`spoken`) is known to whoever wrote them.
    """
    import polars as pl

    said = " ".join(filter(None, spoken))
    names = ["address"] if table.log_order else list(_CALLED)
    texts = {pl.String, pl.Binary, pl.Categorical}
    return [
        name
        for name, dtype in table.schema.items()
        if name.lower() in names and dtype in texts and not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", said)
    ]


def refuse_missing(rows: pl.DataFrame, entity: str, table: str, first: int = 0) -> None:
    """Raise ContractBroken if a row is of no series; `first` is the number of the first row."""
    missing = rows[entity].null_count()
    if missing:
        row = first + int(rows[entity].is_null().arg_max() or 0)
        raise ContractBroken(
            f"{missing} rows of {table} have no {entity} ([data] entity), first row {row + 1}",
            f'Correct them, or add a check of {entity} with table = "{table}", rule "not missing" and on_fail '
            '"quarantine".',
        )


def ordered(rows: pl.DataFrame, time: str | None, entity: str, table: str) -> pl.DataFrame:
    """The rows of a table in the order of time, then entity.

    Raises
    ------
    SettingsUnfit
        If they have no time.
    Duplicated
        If a series has two rows of one time.
    """
    import polars as pl

    if time is None:
        raise SettingsUnfit(
            f"[data] entity is {entity}, and the rows of {table} have no time: series are ordered by it",
            'Set [data] time, or for chain data collect "blocks" as well.',
        )
    again = rows.select(~pl.struct(time, entity).is_first_distinct()).to_series()
    if again.any():
        row = int(again.arg_max() or 0)
        which = named(entity, rows[entity][row])
        raise Duplicated(
            f"{table} has {which} at {time} {rows[time][row]} more than once (row {row + 1})",
            "Remove the copy, or gather the rows by [data.bars].",
        )
    return in_time(rows, time, entity)


def together(rows: pl.DataFrame, entity: str | None) -> pl.DataFrame:
    """The rows of each series one after the other, in the order that they have."""
    return rows if entity is None else rows.sort(entity, maintain_order=True)


def in_time(rows: pl.DataFrame, time: str | None, entity: str | None) -> pl.DataFrame:
    """The rows of all series in the order of time, then entity."""
    return rows if time is None or entity is None else rows.sort(time, entity, maintain_order=True)


def before(entity: str | None) -> pl.Expr:
    """How many rows of its series come before a row."""
    import polars as pl

    return pl.int_range(pl.len()) if entity is None else pl.int_range(pl.len()).over(entity)


def after(entity: str | None) -> pl.Expr:
    """How many rows of its series come after a row."""
    import polars as pl

    count = pl.len() if entity is None else pl.len().over(entity)
    return count.cast(pl.Int64) - 1 - before(entity)


def known(time: str, entity: str, reach: int, window: int = 1) -> pl.Expr:
    """The time of the last row that a row's label sees, where the rows of a series are in the order of time.

    With a window, that of the last row whose window sees one that the label sees, or of the series' last row.
    """
    import polars as pl

    label = pl.col(time).shift(-reach).over(entity)
    if window == 1:
        return label.alias(KNOWN)
    last = pl.col(time).shift(1 - reach - window).over(entity).fill_null(pl.col(time).last().over(entity))
    return pl.when(label.is_not_null()).then(last).alias(KNOWN)


def moments(rows: pl.DataFrame, time: str | None) -> np.ndarray[Any, Any]:
    """The number of each row's time, counted from 0; without a time each row counts, as if it had its own."""
    if time is None:
        return np.arange(rows.height)
    return rows[time].rank("dense").to_numpy().astype(np.int64) - 1


def whole(moments: np.ndarray[Any, Any], row: int) -> int:
    """The row nearest to `row` that begins a time: a boundary there parts no rows of one time."""
    if not 0 < row < len(moments):
        return row
    first, following = (int(np.searchsorted(moments, moments[row], side)) for side in ("left", "right"))
    return first if row - first <= following - row else following


def embargoed(moments: np.ndarray[Any, Any], start: int, count: int) -> int:
    """The first row of the `count` times before the row `start`, which begins a time or is the end."""
    end = moments[start] if start < len(moments) else moments[-1] + 1
    return int(np.searchsorted(moments, end - count, "left"))


def named(entity: str, value: object) -> str:
    """A series, for messages: "pool A"."""
    return f"{entity} {'0x' + value.hex() if isinstance(value, bytes) else value!s:.44}"
