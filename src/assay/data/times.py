"""Time columns: whatever a source holds becomes microseconds in UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.errors import MixedTypes

if TYPE_CHECKING:
    import polars as pl

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000}


def in_utc(frame: pl.LazyFrame, column: str, *, unit: str | None = None, first: object = None) -> pl.Expr:
    """The expression that turns a column of `frame` into Datetime in microseconds, UTC.

    Parameters
    ----------
    frame
        Has the column: dates, times, text in ISO 8601, or numbers that count since 1970.
    unit
        What numbers count: "s", "ms" or "us"; guessed from `first` if None.
    first
        One value of the column, to guess from.

    Raises
    ------
    MixedTypes
        If the column's type can be no time.
    """
    import polars as pl

    dtype, value = frame.collect_schema()[column], pl.col(column)
    if isinstance(dtype, pl.Datetime):
        zoned = value.dt.replace_time_zone("UTC") if dtype.time_zone is None else value.dt.convert_time_zone("UTC")
        return zoned.dt.cast_time_unit("us")
    if dtype == pl.Date:
        return value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if dtype == pl.String:
        return value.str.to_datetime(time_unit="us", time_zone="UTC", strict=True)
    if dtype.is_numeric():
        scale = 1_000_000 // _PER_SECOND[unit or _guess(first)]
        return (value.cast(pl.Float64) * scale if dtype.is_float() else value.cast(pl.Int64) * scale).cast(
            pl.Datetime("us", "UTC")
        )
    raise MixedTypes(
        f"the time column {column} is of type {dtype}", "Give dates, ISO 8601 text, or numbers of seconds since 1970."
    )


def _guess(first: object) -> str:
    """What a number counts since 1970: seconds reach 1e11 in the year 5138, milliseconds 1e14."""
    size = abs(float(first)) if isinstance(first, int | float) else 0.0
    if size < 1e11:
        return "s"
    return "ms" if size < 1e14 else "us"
