"""CAST and TRY_CAST: what a value is as another kind, and what is said where it is none."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.expressions import arithmetic, conditions, numbers, times, values, wide
from assay.data.expressions.failures import Failure, first, row_of
from assay.data.expressions.values import NAMES, NUMERIC, Exact, Value, number, truth, whole

if TYPE_CHECKING:
    import polars as pl
    from sqlglot import exp

    from assay.data.expressions.compiler import Compiler

_WHOLE = {
    **{
        f"{'U' if unsigned else ''}{name}": (bits, unsigned)
        for name, bits in (
            ("TINYINT", 8),
            ("SMALLINT", 16),
            ("INT", 32),
            ("BIGINT", 64),
            ("INT128", 128),
            ("INT256", 256),
        )
        for unsigned in (False, True)
    },
}
_DIGITS = re.compile(r"[+-]?[0-9]+\Z")
_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_MOST_DIGITS = 400


def cast(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`CAST(a AS type)`: a value that is none of that type is an error, with its row."""
    value = compiler.value(node.this, active)
    return checked(compiler, value, _cast(compiler, value, node), node, active)


def tried(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`TRY_CAST(a AS type)`: missing instead."""
    return _cast(compiler, compiler.value(node.this, active), node)


def checked(compiler: Compiler, value: Value, made: Value, node: exp.Expression, active: pl.Expr | None) -> Value:
    """A value made of another, if it is missing only where that is; else Failure, with the first row's value."""
    import polars as pl

    if value.kind == "null" or (value.kind == made.kind and value.kind != "whole" and made.native is value.native):
        return made
    if made.kind == "text" or (
        value.kind in NUMERIC and made.kind == "number" and node.args["to"].this.name not in {"DECIMAL", "FLOAT"}
    ):
        return made  # nothing can be lost
    columns = ", ".join(sorted(value.columns)) or "constants"
    what, where = node.sql("duckdb")[:60], compiler.where

    def on(record: pl.Series) -> pl.Series:
        own, before = record.struct.field("own"), record.struct.field("before")
        bad = own.is_null() & before.is_not_null() & record.struct.field("active")
        row = first(bad)
        if row is not None:
            shown = before[row]
            shown = wide.decoded(shown) if value.exact is not None else shown
            raise Failure(
                f"{where}: {what} has no value in row {row_of(row, where)} of what is read there, where {columns} "
                f"gives {shown!r:.60} ({int(bad.sum())} such rows)",
                "Use a wider type (int256 holds all), TRY_CAST for a missing value, or correct the data.",
            )
        return own

    own, before = _stored(made, where), _stored(value, where)
    asked = pl.lit(value=True) if active is None else active.fill_null(value=False)
    record = pl.struct(own.alias("own"), before.alias("before"), asked.alias("active"))
    to: Any = {
        "whole": pl.Binary if made.exact is not None else (pl.Int64 if made.bits == 64 else pl.Int128),
        "number": pl.Float64,
        "truth": pl.Boolean,
        "text": pl.String,
        "bytes": pl.Binary,
        "time": pl.Datetime("us", "UTC"),
    }[made.kind]
    found = record.map_batches(on, return_dtype=to, is_elementwise=True)
    if made.exact is not None:
        name = str(id(found))
        return replace(made, exact=Exact({name: found}, lambda arrays: arrays[name]), constant=None)
    return replace(made, native=found, constant=None)


def as_text(compiler: Compiler, value: Value) -> Value:
    """A value as text."""
    import polars as pl

    if value.kind == "text":
        return value
    if value.kind == "null":
        return Value("text", pl.lit(None, dtype=pl.String))
    if value.kind == "bytes":
        return Value("text", pl.concat_str(pl.lit("0x"), value.expr.bin.encode("hex")), columns=value.columns)
    if value.kind == "time":
        return Value("text", value.expr.dt.strftime("%Y-%m-%d %H:%M:%S%.f"), columns=value.columns)
    if value.kind == "number":
        found = value.expr.map_batches(
            lambda own: pl.Series(own.name, [None if one is None else repr(one) for one in own], dtype=pl.String),
            return_dtype=pl.String,
            is_elementwise=True,
        )
        return Value("text", found, columns=value.columns)
    if value.kind == "whole" and not value.bits:
        record = wide.record(values.keys(value, compiler.where))
        return Value("text", wide.texts(record), columns=value.columns)
    return Value("text", value.expr.cast(pl.String), columns=value.columns)


def _stored(value: Value, where: str) -> pl.Expr:
    return values.keys(value, where) if value.exact is not None else value.expr


def _cast(compiler: Compiler, value: Value, node: exp.Expression) -> Value:
    import polars as pl

    to = node.args["to"]
    name = to.this.name
    if value.kind == "null":
        return compiler.null
    if name in _WHOLE:
        bits, unsigned = _WHOLE[name]
        low, high = (0, (1 << bits) - 1) if unsigned else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        return _to_whole(compiler, value, low, high, node)
    if name in {"DOUBLE", "FLOAT"}:
        found = _to_number(compiler, value, node)
        if name == "FLOAT":
            own = found.expr.cast(pl.Float32).cast(pl.Float64)
            beyond = own.is_infinite() & found.expr.is_finite()
            return number(pl.when(~beyond).then(own), found.columns)
        return found
    if name == "DECIMAL":
        return _to_decimal(compiler, value, node)
    if name in {"TEXT", "VARCHAR", "CHAR"}:
        return as_text(compiler, value)
    if name == "BOOLEAN":
        return _to_truth(compiler, value, node)
    if name in {"DATE", "TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMPNTZ", "DATETIME"}:
        found = _to_time(compiler, value, node)
        return Value("time", found.expr.dt.truncate("1d"), columns=found.columns) if name == "DATE" else found
    raise compiler.invalid(
        f"there is no type {to.sql('duckdb')[:40]}",
        "There are tinyint to bigint, hugeint, int256 and their unsigned kinds, double, real, decimal(p, s), boolean, "
        "text, date and timestamp.",
    )


def _to_whole(compiler: Compiler, value: Value, low: int, high: int, node: exp.Expression) -> Value:
    """Within bounds, or missing; numbers to the nearest, of two the even one."""
    import polars as pl

    if value.kind == "text":
        return _parsed(value, low, high)
    value = compiler.numeric(value, node)
    if value.kind == "number":
        return _nearest(value, low, high)
    if low <= value.low and value.high <= high:
        return value
    bounds = max(low, value.low), min(high, value.high)
    if bounds[0] > bounds[1]:
        bounds = (0, 0)
    if value.bits:
        inside = value.expr.is_between(_literal(max(low, value.low)), _literal(min(high, value.high)))
        return whole(pl.when(inside).then(value.expr), *bounds, value.columns)
    own = values.keys(value, compiler.where)
    inside = (own >= _key(low)) & (own <= _key(high))
    return _from_keys(pl.when(inside).then(own), *bounds, value.columns)


def _nearest(value: Value, low: int, high: int) -> Value:
    import polars as pl

    def on(column: pl.Series) -> pl.Series:
        with np.errstate(all="ignore"):
            own = np.rint(column.fill_null(0.0).to_numpy())
        # The bounds are no float64s: compared as whole numbers where they are near.
        found = [
            None if gone or not math.isfinite(one) or not low <= int(one) <= high else int(one)
            for one, gone in zip(own.tolist(), column.is_null(), strict=True)
        ]
        return pl.Series(column.name, found, dtype=pl.Int128)

    if values.fits(low, high):
        found = value.expr.map_batches(on, return_dtype=pl.Int128, is_elementwise=True)
        return whole(found, low, high, value.columns)

    def wider(column: pl.Series) -> pl.Series:
        found = [None if one is None or not math.isfinite(one) else round(one) for one in column]
        return wide.encode([one if one is not None and low <= one <= high else None for one in found], column.name, "")

    keys = value.expr.map_batches(wider, return_dtype=pl.Binary, is_elementwise=True)
    return _from_keys(keys, low, high, value.columns)


def _parsed(value: Value, low: int, high: int) -> Value:
    """Text as a whole number: its digits exactly, with a point or an exponent through float64."""
    import polars as pl

    def each(text: str | None) -> int | None:
        if text is None:
            return None
        text = text.strip()
        if _DIGITS.match(text) and len(text) < _MOST_DIGITS:
            found = int(text)
        else:
            number_ = _float(text)
            if number_ is None or not math.isfinite(number_):
                return None
            found = numbers.to_whole(number_)
        return found if low <= found <= high else None

    if values.fits(low, high):
        found = value.expr.map_batches(
            lambda own: pl.Series(own.name, [each(text) for text in own], dtype=pl.Int128),
            return_dtype=pl.Int128,
            is_elementwise=True,
        )
        return whole(found, low, high, value.columns)
    keys = value.expr.map_batches(
        lambda own: wide.encode([each(text) for text in own], own.name, ""), return_dtype=pl.Binary, is_elementwise=True
    )
    return _from_keys(keys, low, high, value.columns)


def _to_number(compiler: Compiler, value: Value, node: exp.Expression) -> Value:
    import polars as pl

    if value.kind == "text":
        found = value.expr.map_batches(
            lambda own: pl.Series(own.name, [None if text is None else _float(text) for text in own], dtype=pl.Float64),
            return_dtype=pl.Float64,
            is_elementwise=True,
        )
        return number(found, value.columns)
    value = compiler.numeric(value, node)
    if value.kind == "number":
        return value
    if value.constant is not None:
        return values.literal(values.nearest(value.constant))
    return number(arithmetic.floats(value), value.columns)


def _to_decimal(compiler: Compiler, value: Value, node: exp.Expression) -> Value:
    """DECIMAL(p, s): rounded to s places; a whole number where s is 0."""
    import polars as pl

    given = [int(one.name) for one in node.args["to"].expressions if one.name.isdigit()]
    if len(given) != 2 or not 0 < given[0] <= 76 or given[1] > given[0]:
        raise compiler.invalid("DECIMAL needs its digits and places", "Write DECIMAL(38, 6), or double.")
    digits, places = given
    if value.kind == "text" and places:
        value = _to_number(compiler, value, node)
    if places == 0:
        most = 10**digits - 1
        value = numbers.round_to(value, 0) if value.kind == "number" else value
        return _to_whole(compiler, value, -most, most, node)
    own = numbers.round_to(_to_number(compiler, compiler.numeric(value, node), node), places).expr
    return number(pl.when(own.abs() < 10.0 ** (digits - places)).then(own), value.columns)


def _to_truth(compiler: Compiler, value: Value, node: exp.Expression) -> Value:
    import polars as pl

    if value.kind != "text":
        return truth(conditions.condition(compiler, value, node), value.columns)
    own = value.expr.str.strip_chars().str.to_lowercase()
    found = pl.when(own.is_in(_TRUE)).then(True).when(own.is_in(_FALSE)).then(False)  # noqa: FBT003
    return truth(found, value.columns)


def _to_time(compiler: Compiler, value: Value, node: exp.Expression) -> Value:
    if value.kind == "time":
        return value
    if isinstance(value.constant, str):
        return times.moment(compiler, value.constant)
    if value.kind == "text":
        return Value("time", times.from_text(value.expr), columns=value.columns)
    raise compiler.invalid(
        f"{node.sql('duckdb')[:60]} makes a time of {NAMES[value.kind]}",
        "Name the column in [data] time: it says what numbers count.",
    )


def _from_keys(keys: pl.Expr, low: int, high: int, columns: frozenset[str]) -> Value:
    name = str(id(keys))
    return Value("whole", None, low, high, exact=Exact({name: keys}, lambda arrays: arrays[name]), columns=columns)


def _key(bound: int) -> pl.Expr:
    return wide.literal(bound)


def _literal(bound: int) -> pl.Expr:
    return values.constant(bound).expr


def _float(text: str) -> float | None:
    text = text.strip()
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None
