"""Times: parts of them, and text that is one. All are in UTC, to the microsecond."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from assay.data.expressions.failures import Failure, first
from assay.data.expressions.values import Value, number, whole

if TYPE_CHECKING:
    import polars as pl
    from sqlglot import exp

    from assay.data.expressions.compiler import Compiler

PARTS: dict[str, tuple[str, int, int]] = {
    "year": ("year", -300_000, 300_000),
    "quarter": ("quarter", 1, 4),
    "month": ("month", 1, 12),
    "week": ("week", 1, 53),
    "day": ("day", 1, 31),
    "dayofweek": ("weekday", 0, 6),
    "dow": ("weekday", 0, 6),
    "isodow": ("weekday", 1, 7),
    "doy": ("ordinal_day", 1, 366),
    "hour": ("hour", 0, 23),
    "minute": ("minute", 0, 59),
    "second": ("second", 0, 59),
}


_FUNCTIONS = {
    "dayofmonth": "day",
    "dayofyear": "doy",
    "weekday": "dow",
    "weekofyear": "week",
    "epoch": "epoch",
    "unix_timestamp": "epoch",
}
"""What other databases call functions of a time, and the part that they give."""


def part_of(function: str) -> str | None:
    """The part of a time that a function of this name gives in other databases, in capital letters."""
    name = function.lower()
    found = _FUNCTIONS.get(name, name if name in PARTS else None)
    return None if found is None else found.upper()


def extracted(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`EXTRACT(hour FROM at)`."""
    return part(compiler, str(node.this.name), compiler.value(node.args["expression"], active), node)


def dated(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`DATE_PART('hour', at)`."""
    if len(node.expressions) != 2:
        raise compiler.invalid("DATE_PART takes a part and a time", "Write DATE_PART('hour', at).")
    name = compiler.value(node.expressions[0], active).constant
    return part(compiler, str(name), compiler.value(node.expressions[1], active), node)


def part(compiler: Compiler, name: str, value: Value, node: exp.Expression) -> Value:
    """A part of a time: a whole number, and for epoch the seconds since 1970 as a number."""
    import polars as pl

    name = name.lower()
    if value.kind != "time":
        raise compiler.invalid(
            f"{node.sql('duckdb')[:60]} needs a time", "CAST text to timestamp; numbers are no times."
        )
    if name == "epoch":
        return number(value.expr.dt.timestamp("us") / 1_000_000, value.columns)
    if name not in PARTS:
        raise compiler.invalid(f"there is no part {name[:20]!r} of a time", f"There are {', '.join(PARTS)} and epoch.")
    method, low, high = PARTS[name]
    found = getattr(value.expr.dt, method)().cast(pl.Int64)
    return whole(found % 7 if name in {"dow", "dayofweek"} else found, low, high, value.columns)


def moment(compiler: Compiler, text: str) -> Value:
    """A constant in ISO 8601; without a zone it is UTC."""
    import polars as pl

    try:
        found = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        raise compiler.invalid(f"{text!r:.40} is no time", "Write it like '2024-01-31 12:00:00'.") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=dt.UTC)
    found = found.astimezone(dt.UTC)
    return Value("time", pl.lit(found).cast(pl.Datetime("us", "UTC")), constant=found)


def from_text(own: pl.Expr) -> pl.Expr:
    """Text in ISO 8601 as times; missing where it is none."""
    import polars as pl

    def on(column: pl.Series) -> pl.Series:
        return pl.Series(column.name, [_moment(text) for text in column], dtype=pl.Datetime("us", "UTC"))

    return own.map_batches(on, return_dtype=pl.Datetime("us", "UTC"), is_elementwise=True)


def by_format(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`STRPTIME(text, '%Y-%m-%d')`."""
    import polars as pl

    from assay.data.expressions.casts import checked

    value, form = compiler.value(node.this, active), _format(node)
    if value.kind == "null":
        return compiler.null
    if value.kind != "text" or not isinstance(form, str):
        raise compiler.invalid("STRPTIME takes text and a format in quotes", "Write STRPTIME(day, '%d.%m.%Y').")

    def on(column: pl.Series) -> pl.Series:
        found = [_parsed(text, form) for text in column]
        return pl.Series(column.name, found, dtype=pl.Datetime("us", "UTC"))

    try:
        dt.datetime.strptime(dt.datetime(2000, 1, 1, tzinfo=dt.UTC).strftime(form), form)  # noqa: DTZ007
    except ValueError as error:
        raise compiler.invalid(f"STRPTIME: {form!r:.40} is no format ({error})", "Write it as Python does.") from None
    found = value.expr.map_batches(on, return_dtype=pl.Datetime("us", "UTC"), is_elementwise=True)
    return checked(compiler, value, Value("time", found, columns=value.columns), node, active)


def _format(node: exp.Expression) -> str | None:
    given = node.args.get("format")
    return given.name if given is not None and given.is_string else None


def _parsed(text: str | None, form: str) -> dt.datetime | None:
    if text is None:
        return None
    try:
        found = dt.datetime.strptime(text.strip(), form)  # noqa: DTZ007 - UTC where the format has no zone
    except ValueError:
        return None
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)


def _moment(text: str | None) -> dt.datetime | None:
    if text is None:
        return None
    try:
        found = dt.datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


__all__ = ["PARTS", "Failure", "by_format", "dated", "extracted", "first", "from_text", "moment", "part", "part_of"]
