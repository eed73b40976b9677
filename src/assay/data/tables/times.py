"""Time columns: whatever a source holds becomes microseconds in UTC, or stays a number that only orders the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay.data.errors import MixedTypes, SettingsUnfit
from assay.data.tables.table import collect
from assay.task import times

if TYPE_CHECKING:
    import polars as pl

    from assay.data.tables.table import Table

_FIRST, _END = -62_135_596_800, 253_402_300_800
"""Seconds from 1970 to the years 1 and 10000."""
_LOOKED_AT = 20_000
_UNITS = "s, ms, us, ns, d (days), excel or order (a number that only orders the rows, such as a block)"


def in_utc(table: Table, column: str, *, unit: str | None = None, form: str | None = None) -> Table:
    """The table with one column turned into Datetime in microseconds, UTC, which is its time and its order.

    Parameters
    ----------
    table
        Its column holds dates, times, text, or numbers that count since 1970.
    column
        The column.
    unit
        What numbers count: "s", "ms", "us", "ns", "d" (days), "excel" (days of a spreadsheet), or "order": the
        numbers stay as they are and only order the rows. If None, the only unit of the first four in which all values
        lie in plausible years; values of several units are each read in their own, and a note says so.
    form
        How texts, or numbers that are dates written as digits, are read; ISO 8601 if None.

    Raises
    ------
    MixedTypes
        If the column's type can be no time, or one of its values is none; the message names its row.
    SettingsUnfit
        If unit or form do not suit the column's type.
    """
    dtype = table.schema[column]
    _require_suited(table, column, unit, form)
    if unit == "order":
        return _numbered(table, column)
    if form is not None:
        return _formed(table, column, form)
    if unit is None and not dtype.is_numeric():
        return _plain(table, column)
    return _counted(table, column, unit)


def _require_suited(table: Table, column: str, unit: str | None, form: str | None) -> None:
    import polars as pl

    dtype = table.schema[column]
    said = "time_format" if form is not None else "time_unit"
    numbers = dtype.is_numeric() or (dtype == pl.String and (form is not None or unit not in {None, "order"}))
    if (form is not None or unit is not None) and not numbers:
        raise SettingsUnfit(
            f"{said} is given, and the time column {column} of {table.path} is of type {dtype}", f"Remove {said}."
        )
    if not (numbers or dtype in {pl.String, pl.Date} or isinstance(dtype, pl.Datetime)):
        raise MixedTypes(
            f"the time column {column} is of type {dtype}",
            "Give dates, ISO 8601 text, or numbers of seconds since 1970.",
        )


def _finished(table: Table, column: str, made: pl.Expr, note: str | None = None) -> Table:
    timed = table.map(lambda part: part.with_columns(made.alias(column)))
    notes = (*table.notes, note) if note else table.notes
    return replace(timed, time=column, order=(column,), notes=notes)


def _numbered(table: Table, column: str) -> Table:
    """Numbers that order the rows: not one may be NaN, which has no place among them."""
    import polars as pl

    if table.schema[column].is_float():
        todo = "Correct or remove it."
        _require(table, column, pl.col(column).is_nan(), " has no place in an order", todo)
    return replace(table, time=column, order=(column,))


def _formed(table: Table, column: str, form: str) -> Table:
    import polars as pl

    value, dtype = pl.col(column), table.schema[column]
    text = value if dtype == pl.String else times.digits(value, form)
    made = times.parsed(text, form)
    _require(table, column, made.is_null(), f" does not have the form {form!r}", "Correct it, or `time_format`.")
    return _finished(table, column, made)


def _plain(table: Table, column: str) -> Table:
    """Dates, times, and text in ISO 8601."""
    import polars as pl

    dtype, value = table.schema[column], pl.col(column)
    if dtype == pl.String:
        made = times.iso(value)
        _require(table, column, made.is_null(), " is no time in ISO 8601", lambda: _form_of(table, column))
    elif isinstance(dtype, pl.Datetime):
        _require_years(table, column, value.to_physical() / times.PER_SECOND[dtype.time_unit])
        zoned = value.dt.replace_time_zone("UTC") if dtype.time_zone is None else value.dt.convert_time_zone("UTC")
        made = zoned.dt.cast_time_unit("us")
    else:
        _require_years(table, column, value.to_physical().cast(pl.Float64) * times.DAY)
        made = value.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return _finished(table, column, made)


def _form_of(table: Table, column: str) -> str:
    """What to do about texts that are not ISO 8601: the form that they have, if it is known."""
    found = [one.written for one in times.readings(_head(table, column)) if one.form is not None]
    if not found:
        return 'Write it like 2024-03-01T12:30:00Z, or say how it is written: time_format = "%d/%m/%Y %H:%M".'
    return f"Say how it is written: {' or '.join(found[:3])}, in its [[data.sources]]."


def _head(table: Table, column: str) -> pl.Series:
    """The first values of a column, to say what they look like."""
    return collect(table.parts[0].select(column).head(_LOOKED_AT), table.path).to_series()


def _counted(table: Table, column: str, unit: str | None) -> Table:
    """Numbers that count since 1970, or days of a spreadsheet."""
    import polars as pl

    value, dtype = pl.col(column), table.schema[column]
    whole = dtype.is_integer()
    if dtype == pl.String:
        text = value.str.strip_chars()
        _require(table, column, ~text.str.contains(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"), " is no number", "")
        whole = _all(table, text.str.contains(r"^[+-]?\d{1,18}$"))
        value = text.cast(pl.Int64 if whole else pl.Float64, strict=False)
    if unit is not None:
        _require_years(table, column, times.seconds(value, unit), f", counted in {unit} since 1970,")
        _require_one_unit(table, column, value, unit)
        return _finished(table, column, times.counted(value, unit, whole=whole))
    nowhere = " lies in no year from 1980 to 2099, in whatever unit it counts since 1970"
    _require(table, column, times.own_unit(value).is_null() & _there(value), nowhere, lambda: _digits_of(table, column))
    counts = _units(table, value) or [("s", 0)]
    if len(counts) == 1:
        _require_no_digits(table, column, value, counts)
        note = f"{column} of {table.name} is read as numbers of {counts[0][0]} since 1970"
        return _finished(table, column, times.counted(value, counts[0][0], whole=whole), note)
    shown = " and ".join(f"{name} in {count}" for name, count in counts)
    note = f"{column} of {table.name} counts {shown} rows: each value is read in the unit in which it is plausible"
    return _finished(table, column, times.mixed(value, whole=whole), note)


def _there(value: pl.Expr) -> pl.Expr:
    import polars as pl

    return value.cast(pl.Float64).fill_nan(None).is_not_null()


def _all(table: Table, fits: pl.Expr) -> bool:
    return all(collect(part.select(fits.all()), table.path).item() is not False for part in table.parts)


def _units(table: Table, value: pl.Expr) -> list[tuple[str, int]]:
    """The units in which values lie in plausible years, and how many do."""
    import polars as pl

    counts = [times.plausible(value, unit).sum().alias(unit) for unit in times.UNITS]
    total = pl.concat([collect(part.select(counts), table.path) for part in table.parts]).sum().row(0, named=True)
    return [(unit, int(total[unit])) for unit in times.UNITS if total[unit]]


def _require_no_digits(table: Table, column: str, value: pl.Expr, counts: list[tuple[str, int]]) -> None:
    """Refuse numbers that also read as dates written as digits: 2034020112 counts seconds, or is an hour."""
    form = "%Y%m%d%H"
    if counts[0][1] and _all(table, times.written_as(value, form)):
        raise MixedTypes(
            f"the times of {column} of {table.path} may count {counts[0][0]} since 1970, or be dates written as digits",
            f'Say which: time_unit = "{counts[0][0]}" or time_format = "{form}", in its [[data.sources]].',
        )


def _require_one_unit(table: Table, column: str, value: pl.Expr, unit: str) -> None:
    """Refuse values of another unit than the declared one, where they are plausible in that."""
    import polars as pl

    if unit not in times.UNITS:
        return
    counts = _units(table, value)
    if unit in dict(counts):
        other = times.own_unit(value)
        what = f" counts in another unit than {unit}, which others are plausible in"
        _require(table, column, other.is_not_null() & (other != unit), what, "Correct it, or remove `time_unit`.")
    elif len(counts) == 1 and _all(table, (times.own_unit(value) == counts[0][0]) | ~_there(value)):
        first, last = (_head(table, column).cast(pl.Float64) / times.PER_SECOND[one] for one in (unit, counts[0][0]))
        years = [datetime.fromtimestamp(float(one.drop_nans().drop_nulls()[0]), UTC).year for one in (first, last)]
        raise MixedTypes(
            f"the times of {column} of {table.path} begin in {years[0]} if they count {unit}, as time_unit says, and "
            f"in {years[1]} if they count {counts[0][0]}",
            f'Write time_unit = "{counts[0][0]}", or remove it.',
        )


def _digits_of(table: Table, column: str) -> str:
    """What to do about numbers that are no times since 1970: the date that they write, if they do."""
    found = [one.written for one in times.readings(_head(table, column)) if one.form or one.unit in {"d", "excel"}]
    if found:
        return f"They read as dates: set {' or '.join(found)} in its [[data.sources]]."
    return f"Correct it, or set `time_unit` to {_UNITS}, or `time_format`."


def _require_years(table: Table, column: str, seconds: pl.Expr, counted: str = "") -> None:
    import polars as pl

    known = seconds.cast(pl.Float64).fill_nan(None)
    beyond = (known < _FIRST) | (known >= _END)
    todo = "Correct it" + (f", or set `time_unit` to {_UNITS}." if counted else ".")
    _require(table, column, beyond, f"{counted} lies in no year from 1 to 9999", todo)


def _require(table: Table, column: str, bad: pl.Expr, what: str, todo: object) -> None:
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
            said = todo() if callable(todo) else str(todo) or "Correct it."
            raise MixedTypes(f"the time {shown:.60} of {column} in row {row + at + 1} of {table.path}{what}", said)
        row += frame.height
