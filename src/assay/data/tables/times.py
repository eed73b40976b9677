"""Time columns: whatever a source holds becomes microseconds in UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.data.errors import MixedTypes
from assay.data.tables.table import collect

if TYPE_CHECKING:
    import polars as pl

    from assay.data.tables.table import Table

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
_FIRST, _END = -62_135_596_800, 253_402_300_800
"""Seconds from 1970 to the years 1 and 10000."""
_NAIVE = ("%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M")
_ZONED = ("%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z")


def in_utc(table: Table, column: str, *, unit: str | None = None) -> Table:
    """The table with one column turned into Datetime in microseconds, UTC, which is its time and its order.

    Parameters
    ----------
    table
        Its column holds dates, times, text in ISO 8601, or numbers that count since 1970.
    column
        The column.
    unit
        What numbers count: "s", "ms", "us" or "ns"; guessed from the largest if None.

    Raises
    ------
    MixedTypes
        If the column's type can be no time, or one of its values is none; the message names its row.
    """
    import polars as pl

    dtype, value = table.schema[column], pl.col(column)
    if dtype == pl.String:
        made = _iso(value)
        _require(table, column, made.is_null(), " is no time in ISO 8601", "Write it like 2024-03-01T12:30:00Z.")
    elif isinstance(dtype, pl.Datetime):
        _require_years(table, column, _PER_SECOND[dtype.time_unit])
        zoned = value.dt.replace_time_zone("UTC") if dtype.time_zone is None else value.dt.convert_time_zone("UTC")
        made = zoned.dt.cast_time_unit("us")
    elif dtype == pl.Date:
        _require_years(table, column, 1 / 86_400)
        made = value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    elif dtype.is_numeric():
        counts = unit or _guess(table, column)
        _require_years(table, column, _PER_SECOND[counts], f", counted in {counts} since 1970,")
        made = _counted(value, counts, whole=dtype.is_integer())
    else:
        raise MixedTypes(
            f"the time column {column} is of type {dtype}",
            "Give dates, ISO 8601 text, or numbers of seconds since 1970.",
        )
    timed = table.map(lambda part: part.with_columns(made.alias(column)))
    return replace(timed, time=column, order=(column,))


def _iso(text: pl.Expr) -> pl.Expr:
    """Text that begins with year, month and day, and goes on with a time or not; a time without a zone is UTC."""
    import polars as pl

    plain = (
        text.str.strip_chars().str.replace(r"^(\d{4}-\d{2}-\d{2})[Tt]", "$1 ").str.replace(r"( ?UTC|[Zz])$", "+00:00")
    )
    naive = [plain.str.to_datetime(form, time_unit="us", strict=False) for form in _NAIVE]
    naive.append(plain.str.to_date("%Y-%m-%d", strict=False).cast(pl.Datetime("us")))
    zoned = [plain.str.to_datetime(form, time_unit="us", strict=False) for form in _ZONED]
    known = pl.coalesce(*(time.dt.replace_time_zone("UTC") for time in naive), *zoned)
    return pl.when(plain.str.contains(r"^\d{4}-\d{2}-\d{2}")).then(known)


def _counted(value: pl.Expr, unit: str, *, whole: bool) -> pl.Expr:
    """Numbers that count since 1970, as times; NaN is a missing one."""
    import polars as pl

    per = _PER_SECOND[unit]
    if not whole:
        micro = value.cast(pl.Float64).fill_nan(None) * (1_000_000 / per)
    else:
        micro = value.cast(pl.Int64) * (1_000_000 // per) if per <= 1_000_000 else (value // 1_000).cast(pl.Int64)
    return micro.cast(pl.Datetime("us", "UTC"))


def _guess(table: Table, column: str) -> str:
    """What numbers count: seconds reach 1e11 in the year 5138, milliseconds 1e14, microseconds 1e17."""
    import polars as pl

    size = pl.col(column).cast(pl.Float64).fill_nan(None).abs().max()
    found = [collect(part.select(size), table.path).item() for part in table.parts]
    largest = max((value for value in found if value is not None), default=0.0)
    return next((unit for unit, end in (("s", 1e11), ("ms", 1e14), ("us", 1e17)) if largest < end), "ns")


def _require_years(table: Table, column: str, per_second: float, counted: str = "") -> None:
    import polars as pl

    seconds = pl.col(column).to_physical().cast(pl.Float64).fill_nan(None) / per_second
    beyond = (seconds < _FIRST) | (seconds >= _END)
    todo = "Correct it" + (", or set `time_unit` to s, ms, us or ns." if counted else ".")
    _require(table, column, beyond, f"{counted} lies in no year from 1 to 9999", todo)


def _require(table: Table, column: str, bad: pl.Expr, what: str, todo: str) -> None:
    """Refuse the first value that is bad, with its row; a missing one is never bad here."""
    import polars as pl

    row = 0
    own = pl.col(column)
    for part in table.parts:
        frame = collect(
            part.select(own.to_physical().alias("value"), (bad & own.is_not_null()).alias("bad")), table.path
        )
        at = frame["bad"].arg_max() if frame["bad"].any() else None
        if at is not None:
            shown = repr(frame["value"].cast(pl.String)[at])
            raise MixedTypes(f"the time {shown:.60} of {column} in row {row + at + 1} of {table.path}{what}", todo)
        row += frame.height
