"""Columns of another table beside the rows: the last that was known by then, or those of an equal key."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.data.errors import ColumnMissing, Duplicated, MixedTypes, SettingsUnfit, TimeBackwards
from assay.data.expressions import require, wide
from assay.data.tables import repeats
from assay.task.fields import seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from assay.data.tables.table import Table
    from assay.task.data import Join

_THEIR_TIME = "\x00their_time"


def join(
    rows: pl.DataFrame,
    spec: Join,
    other: Table,
    *,
    time: str | None,
    entity: str | None = None,
    once: bool = True,
) -> pl.DataFrame:
    """Add columns of another table.

    Parameters
    ----------
    rows
        The rows, in the order of `time` if they have one.
    spec
        An entry of [[data.joins]].
    other
        The table to take from. If it has a time and the rows do, the last of its rows whose time, plus the delay,
        is at most the row's; else the one row with equal keys.
    time
        The rows' time column.
    entity
        The column that tells series apart. If it is one of `on`, the other table has series too, each in order.
    once
        Whether two rows of the other table of one time (and equal `on`) are refused.

    Raises
    ------
    ColumnMissing
        If a column is not there, or neither time nor keys tell which row to take.
    Duplicated
        If a key or a time is there twice, or a column has the name of one of the rows'.
    SettingsUnfit
        If one time is a moment and the other a number that only orders rows, or `delay` or `tolerance` mean nothing.
    """
    where = f"[[data.joins]] {spec.table}"
    by_time = time is not None and other.time is not None
    if not by_time and not spec.on:
        raise ColumnMissing(f"{where}: neither a time nor `on` tells which row to take", "Give `on`.")
    for column in spec.on:
        require(column, rows.columns, where)
        require(column, other.columns, where)
    for column in spec.columns:
        require(column, other.columns, where)
    _require_alike(rows, spec, other, where)
    _require_durations(rows.schema[time] if by_time and time is not None else None, spec, other, where)
    taken = [name for name in spec.columns or other.columns if name not in {*spec.on, other.time}]
    for name in taken:
        if name in rows.columns:
            raise Duplicated(f"{where}: both tables have a column {name}", "Take others by `columns`, or `rename` it.")
    if not by_time:
        theirs = _keyed(other.frame([*spec.on, *taken]), rows, spec.on)
        twice = theirs.filter(theirs.select(spec.on).is_duplicated())
        if twice.height:
            raise Duplicated(f"{where}: {spec.on[0]} {twice[spec.on[0]][0]!r:.40} is there twice", "Make it a key.")
        return rows.join(theirs, on=list(spec.on), how="left", maintain_order="left")
    theirs = _known(other, spec, taken, entity, once=once)
    return rows.join_asof(
        _keyed(theirs, rows, spec.on),
        left_on=time,
        right_on=_THEIR_TIME,
        by=list(spec.on) or None,
        strategy="backward",
        tolerance=None if spec.tolerance is None else f"{seconds(spec.tolerance)}s",
        check_sortedness=False,
    ).drop(_THEIR_TIME, strict=False)


def _known(other: Table, spec: Join, taken: list[str], entity: str | None, *, once: bool) -> pl.DataFrame:
    """Their rows by the time at which each becomes known."""
    import polars as pl

    assert other.time is not None  # noqa: S101 - the caller looked
    each = entity if entity in spec.on and other.order == (other.time,) else None
    found = list(replace(other, within=each).ordered([*spec.on, other.time, *taken]))
    if not found:
        raise other.nothing()
    _require_times(found, other.time, other.name)
    known, at = pl.concat(found), pl.col(other.time)
    if once and not other.log_order:
        repeats.refuse_joined(known, other.time, spec.on, other.name)
    if spec.delay != "0s":
        at += pl.duration(seconds=seconds(spec.delay))
    return known.with_columns(at.alias(_THEIR_TIME)).drop(other.time)


def _require_alike(rows: pl.DataFrame, spec: Join, other: Table, where: str) -> None:
    """Refuse keys that can never be equal because of their types."""
    for column in spec.on:
        own, their = rows.schema[column], other.schema[column]
        if own != their and not (wide.is_whole(own) and wide.is_whole(their)):
            raise MixedTypes(
                f"{where}: the column {column} is {own} in the rows and {their} in {other.name}",
                "Give both one type, such as by `types` of a CSV source.",
            )


def _require_durations(dtype: pl.DataType | None, spec: Join, other: Table, where: str) -> None:
    """Refuse times of two kinds, and durations where there are no times."""
    fields = [name for name, given in (("delay", spec.delay != "0s"), ("tolerance", spec.tolerance)) if given]
    if dtype is not None and dtype.is_temporal() != other.schema[str(other.time)].is_temporal():
        raise SettingsUnfit(
            f"{where}: the time of the rows and that of {other.name} are of two kinds: moments, and numbers that only "
            'order rows (time_unit = "order")',
            "Join by `on`, or give both tables the same kind.",
        )
    if fields and (dtype is None or not dtype.is_temporal()):
        why = "rows are joined by equal keys" if dtype is None else "the rows are ordered by numbers, not by times"
        raise SettingsUnfit(f"{where}: {fields[0]} means nothing, as {why}", "Remove it, or give both tables a time.")


def _keyed(theirs: pl.DataFrame, rows: pl.DataFrame, on: Sequence[str]) -> pl.DataFrame:
    """With whole numbers as wide as the rows' own; a key that does not fit is none of theirs."""
    import polars as pl

    other = [name for name in on if theirs.schema[name] != rows.schema[name]]
    cast = [_as(pl.col(name), theirs.schema[name], rows.schema[name]).alias(name) for name in other]
    return theirs.with_columns(cast).drop_nulls(other) if other else theirs


def _as(key: pl.Expr, own: pl.DataType, to: pl.DataType) -> pl.Expr:
    """Whole numbers of one type as another; missing where they do not fit."""
    if wide.is_wide(to):
        return wide.widened(key)
    return (wide.to_int128(key) if wide.is_wide(own) else key).cast(to, strict=False)


def _require_times(frames: list[pl.DataFrame], time: str, name: str) -> None:
    missing = sum(frame[time].null_count() for frame in frames)
    if missing:
        raise TimeBackwards(f"{missing} rows of {name} have no time ({time})", "Correct or remove them.")
