"""Sums, products, quotients and powers: whole numbers exactly, all else in float64."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.expressions import values, wide
from assay.data.expressions.values import Exact, Value, constant, exact_of, literal, number, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from sqlglot import exp

    from assay.data.expressions.compiler import Compiler

_MOST_BITS = 1 << 16


def add(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a + b`."""
    left, right = _pair(compiler, node, active)
    if "number" in {left.kind, right.kind}:
        return _floats(operator.add, left, right)
    return exactly(operator.add, left.low + right.low, left.high + right.high, left, right)


def subtract(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a - b`; of two times the seconds between them."""
    left, right = (compiler.value(node.args[name], active) for name in ("this", "expression"))
    if left.kind == right.kind == "time":
        return number((left.expr - right.expr).dt.total_microseconds() / 1_000_000, left.columns | right.columns)
    left, right = (compiler.numeric(value, node) for value in (left, right))
    if "number" in {left.kind, right.kind}:
        return _floats(operator.sub, left, right)
    return exactly(operator.sub, left.low - right.high, left.high - right.low, left, right)


def multiply(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a * b`."""
    left, right = _pair(compiler, node, active)
    if "number" in {left.kind, right.kind}:
        return _floats(operator.mul, left, right)
    corners = [one * other for one in (left.low, left.high) for other in (right.low, right.high)]
    return exactly(operator.mul, min(corners), max(corners), left, right)


def divide(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a / b`: always float64, by zero infinite or NaN."""
    # Not by polars: it divides one row by a constant, and multiplies several by its reciprocal: a live row would differ
    return applied(np.divide, *_pair(compiler, node, active))


def divide_whole(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a // b`: the quotient without its fraction; by zero missing."""
    left, right = _pair(compiler, node, active)
    if "number" in {left.kind, right.kind}:
        quotient = applied(np.divide, left, right)
        return number(_truncated(quotient.expr), quotient.columns)
    most = max(abs(left.low), abs(left.high))
    low, high = (0 if left.low >= 0 and right.low >= 0 else -most), most
    within = max(most, abs(right.low), abs(right.high))  # the divisor's magnitude, too: the least integer has none
    return exactly(_quotient, low, high, left, _not_zero(right), native=_native_quotient, within=within)


def modulo(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a % b`: what `a // b` leaves, with the sign of a; by zero missing."""
    left, right = _pair(compiler, node, active)
    if "number" in {left.kind, right.kind}:
        return applied(np.fmod, left, right)
    most = max(abs(right.low), abs(right.high), 1) - 1
    most = min(most, max(abs(left.low), abs(left.high)))
    low, high = (0 if left.low >= 0 else -most), (0 if left.high <= 0 else most)
    within = max(abs(bound) for bound in (left.low, left.high, right.low, right.high))
    return exactly(_remainder, low, high, left, _not_zero(right), native=_native_remainder, within=within)


def negative(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`-a`."""
    value = compiler.numeric(compiler.value(node.this, active), node)
    if value.kind == "number":
        return literal(-value.constant) if value.constant is not None else number(-value.expr, value.columns)
    return exactly(operator.neg, -value.high, -value.low, value, native=lambda own: own * -1)


def absolute(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`ABS(a)`."""
    value = compiler.numeric(compiler.value(node.this, active), node)
    if value.kind == "number":
        return number(value.expr.abs(), value.columns)
    low = 0 if value.low <= 0 <= value.high else min(abs(value.low), abs(value.high))
    return exactly(operator.abs, low, max(abs(value.low), abs(value.high)), value, native=lambda own: own.abs())


def sign(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`SIGN(a)`: -1, 0 or 1; NaN of NaN."""
    value = compiler.numeric(compiler.value(node.this, active), node)
    if value.kind == "number":
        return number(value.expr.sign(), value.columns)
    return exactly(np.frompyfunc(_each_sign, 1, 1), -1, 1, value, native=lambda own: own.sign())


def power(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`POW(a, b)`: whole where both are and b is a constant of at least 0, else float64."""
    base, exponent = _pair(compiler, node, active)
    times = exponent.constant
    if base.kind == "number" or not isinstance(times, int) or times < 0:
        return applied(np.power, base, exponent)
    most = max(abs(base.low), abs(base.high), 1)
    if most > 1 and most.bit_length() * times > _MOST_BITS:
        raise compiler.invalid(
            f"{node.sql('duckdb')[:60]} would have more bits than whole numbers are kept in",
            "Compute with float64: POW(CAST(x AS double), y).",
        )
    corners = [base.low**times, base.high**times, *([0] if base.low < 0 < base.high and times else [])]
    return exactly(lambda own: own**times, min(corners), max(corners), base, native=lambda own: _multiplied(own, times))


def exactly(
    function: Callable[..., Any],
    low: int,
    high: int,
    *parts: Value,
    native: Callable[..., pl.Expr] | None = None,
    within: int = 0,
) -> Value:
    """A whole number made of others: by polars where all that is met on the way fits, else by Python.

    Parameters
    ----------
    function
        Of Python's integers, or arrays of them.
    low, high
        What the result lies between.
    parts
        What it is made of.
    native
        The same of columns, if it is not `function`.
    within
        The largest magnitude met on the way that is not one of a part or the result.
    """
    import polars as pl

    columns = frozenset[str]().union(*(part.columns for part in parts))
    if all(part.constant is not None for part in parts):
        return constant(int(function(*(part.constant for part in parts))))
    bounds = [part.low for part in parts] + [part.high for part in parts] + [low, high, -within, within]
    if all(part.bits for part in parts) and values.fits(min(bounds), max(bounds)):
        narrow = min(bounds) >= -(1 << 63) and max(bounds) < 1 << 63
        own = [part.expr.cast(pl.Int64 if narrow else pl.Int128) for part in parts]
        return whole((native or function)(*own), low, high, columns)
    exacts = [exact_of(part) for part in parts]
    leaves = {name: leaf for exact in exacts for name, leaf in exact.leaves.items()}
    exact = Exact(leaves, lambda arrays: function(*(one.function(arrays) for one in exacts)))
    return Value("whole", None, low, high, exact=exact, columns=columns)


def floats(value: Value) -> pl.Expr:
    """A number of any kind as Float64."""
    import polars as pl

    if value.kind == "whole":
        return values.floats(value)
    return value.expr.cast(pl.Float64)


def applied(function: Callable[..., Any], *parts: Value) -> Value:
    """A number by one of numpy's functions of float64."""
    import polars as pl

    columns = frozenset[str]().union(*(part.columns for part in parts))

    def on(record: pl.Series) -> pl.Series:
        own = [record.struct.field(str(place)) for place in range(len(parts))]
        missing = pl.Series(record.name, [False] * len(record))
        for column in own:
            missing |= column.is_null()
        with np.errstate(all="ignore"):
            found = function(*(column.fill_null(1.0).to_numpy() for column in own))
        return pl.Series(record.name, found, dtype=pl.Float64).set(missing, None)

    record = pl.struct(floats(part).alias(str(place)) for place, part in enumerate(parts))
    return number(record.map_batches(on, return_dtype=pl.Float64, is_elementwise=True), columns)


def _pair(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> tuple[Value, Value]:
    left, right = (compiler.value(node.args[name], active) for name in ("this", "expression"))
    return compiler.numeric(left, node), compiler.numeric(right, node)


def _floats(function: Callable[..., Any], left: Value, right: Value) -> Value:
    import polars as pl

    columns = left.columns | right.columns
    one, other = left.constant, right.constant
    if one is not None and other is not None:
        with np.errstate(all="ignore"):
            return literal(float(function(np.float64(values.nearest(one)), np.float64(values.nearest(other)))))
    a, b = floats(left), floats(right)
    if function is operator.truediv and other is not None:
        # A column of equal values: polars divides by a constant by multiplying with its reciprocal.
        b = a.is_null().cast(pl.Float64) * 0 + values.nearest(other)
    return number(function(a, b), columns)


def _not_zero(value: Value) -> Value:
    """A divisor, missing where it is zero."""
    import polars as pl

    if value.low > 0 or value.high < 0:
        return value
    if value.constant is not None:
        return Value("whole", pl.lit(None, dtype=pl.Int64), 0, 0, columns=value.columns)
    if value.exact is None:
        there = pl.when(value.expr != 0).then(value.expr)
        return Value("whole", there, value.low, value.high, columns=value.columns)
    own = values.keys(value, "a divisor")
    there = pl.when(own != wide.literal(0)).then(own)
    leaf = Value("whole", there, value.low, value.high, columns=value.columns)
    name = str(id(there))
    exact = Exact({name: there}, lambda arrays: arrays[name])
    return Value("whole", None, leaf.low, leaf.high, exact=exact, columns=value.columns)


def _each_quotient(a: int, b: int) -> int:
    if b == 0:
        return 0  # the divisor is missing there, and so is the result
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _each_remainder(a: int, b: int) -> int:
    if b == 0:
        return 0
    return abs(a) % abs(b) * (-1 if a < 0 else 1)


def _each_sign(a: int) -> int:
    return (a > 0) - (a < 0)


def _quotient(a: Any, b: Any) -> Any:
    return np.frompyfunc(_each_quotient, 2, 1)(a, b)


def _remainder(a: Any, b: Any) -> Any:
    return np.frompyfunc(_each_remainder, 2, 1)(a, b)


def _native_quotient(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a.abs() // b.abs() * a.sign() * b.sign()


def _native_remainder(a: pl.Expr, b: pl.Expr) -> pl.Expr:
    return a.abs() % b.abs() * a.sign()


def _multiplied(own: pl.Expr, times: int) -> pl.Expr:
    """The power by products, each within the result's bounds."""
    import polars as pl

    made: pl.Expr | None = None
    square = own
    while times:
        if times & 1:
            made = square if made is None else made * square
        times >>= 1
        square = square * square if times else square
    return pl.when(own.is_not_null()).then(1).cast(pl.Int64) if made is None else made


def _truncated(own: pl.Expr) -> pl.Expr:
    import polars as pl

    return pl.when(own < 0).then(own.ceil()).otherwise(own.floor())
