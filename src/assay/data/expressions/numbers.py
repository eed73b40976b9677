"""Functions of numbers: rounding, roots, logarithms, angles."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.expressions import arithmetic
from assay.data.expressions.values import Value, number, truth

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from sqlglot import exp

    from assay.data.expressions.compiler import Compiler

_EXACT = float(1 << 52)
_POWERS = 22
"""Powers of ten up to this one are float64s."""


def simple(function: Callable[[pl.Expr], pl.Expr]) -> Callable[..., Value]:
    """A function of one number that polars has."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        value = compiler.numeric(compiler.value(node.this, active), node)
        return number(function(arithmetic.floats(value)), value.columns)

    return compiled


def by_numpy(function: Callable[..., Any]) -> Callable[..., Value]:
    """A function of one or two numbers that numpy has."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        given = [node.args[name] for name in ("this", "expression") if node.args.get(name) is not None]
        parts = [compiler.numeric(compiler.value(one, active), node) for one in given]
        return arithmetic.applied(function, *parts)

    return compiled


def logarithm(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`LOG(x)` to the base 10, `LOG(b, x)` to the base b."""
    if node.args.get("expression") is None:
        return by_numpy(np.log10)(compiler, node, active)
    base, value = (compiler.numeric(compiler.value(node.args[name], active), node) for name in ("this", "expression"))
    if base.constant == 10:
        return arithmetic.applied(np.log10, value)
    if base.constant == 2:
        return arithmetic.applied(np.log2, value)
    return arithmetic.applied(lambda b, x: np.log(x) / np.log(b), base, value)


def whole_part(which: str) -> Callable[..., Value]:
    """`CEIL`, `FLOOR` and `TRUNC`: of whole numbers themselves."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        import polars as pl

        value = compiler.numeric(compiler.value(node.this, active), node)
        if value.kind == "whole":
            return value
        own = value.expr
        found = {
            "ceil": own.ceil(),
            "floor": own.floor(),
            "trunc": pl.when(own < 0).then(own.ceil()).otherwise(own.floor()),
        }[which]
        return number(found, value.columns)

    return compiled


def rounded(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`ROUND(x)`, `ROUND(x, places)`: half away from zero, of the exact value."""
    value = compiler.numeric(compiler.value(node.this, active), node)
    given = node.args.get("decimals")
    places = 0 if given is None else compiler.value(given, None).constant
    if not isinstance(places, int) or abs(places) > 1000:
        raise compiler.invalid(f"ROUND needs a constant number of places, not {given.sql()[:40] if given else ''}")
    return round_to(value, places)


def round_to(value: Value, places: int) -> Value:
    """A number rounded to decimal places, half away from zero."""
    if value.kind != "whole":
        return number(
            value.expr.map_batches(lambda own: _rounded(own, places), return_dtype=_float64(), is_elementwise=True),
            value.columns,
        )
    if places >= 0:
        return value
    unit = 10**-places
    low, high = (_round_whole(bound, unit) for bound in (value.low, value.high))
    return arithmetic.exactly(
        np.frompyfunc(lambda each: _round_whole(each, unit), 1, 1),
        low,
        high,
        value,
        native=lambda own: (own.abs() + unit // 2) // unit * unit * own.sign(),
        within=max(abs(value.low), abs(value.high)) + unit,
    )


def is_nan(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`ISNAN(x)`."""
    value = compiler.numeric(compiler.value(node.this, active), node)
    return truth(arithmetic.floats(value).is_nan(), value.columns)


def is_infinite(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`ISINF(x)`."""
    value = compiler.numeric(compiler.value(node.this, active), node)
    return truth(arithmetic.floats(value).is_infinite(), value.columns)


def pi(_compiler: Compiler, _node: exp.Expression, _active: pl.Expr | None) -> Value:
    """`PI()`."""
    import polars as pl

    return Value("number", pl.lit(math.pi), constant=math.pi)


def to_whole(found: float) -> int:
    """The nearest whole number, of two the even one."""
    return round(found)


def _float64() -> pl.DataType:
    import polars as pl

    return pl.Float64()


def _round_whole(value: int, unit: int) -> int:
    return (abs(value) + unit // 2) // unit * unit * (-1 if value < 0 else 1)


def _rounded(column: pl.Series, places: int) -> pl.Series:
    import polars as pl

    own = column.fill_null(0.0).to_numpy()
    with np.errstate(all="ignore"):
        # Without `+ 0.0` a product that polars shares would be written to.
        scaled = own * 10.0**places if abs(places) <= _POWERS else np.full(len(own), np.nan)
        away = np.trunc(np.abs(scaled) + 0.5)
        found = np.copysign(away, own) / 10.0**places if abs(places) <= _POWERS else scaled
        # Where the product was rounded, a half may seem to be one, or not to be one: these are done exactly.
        unsure = ~(np.abs(np.abs(np.abs(scaled) - np.trunc(np.abs(scaled))) - 0.5) > 1e-6 * np.maximum(1, away * 1e-9))
        unsure |= ~(np.abs(scaled) < _EXACT) | (places < 0)
    result = np.array(found, dtype=np.float64)
    for row in np.flatnonzero(unsure & np.isfinite(own)):
        result[row] = _exactly_rounded(float(own[row]), places)
    special = ~np.isfinite(own)
    result[special] = own[special]
    return pl.Series(column.name, result, dtype=pl.Float64).set(column.is_null(), None)


def _exactly_rounded(value: float, places: int) -> float:
    if places >= 0 and abs(value) >= _EXACT:
        return value
    unit = Fraction(10) ** places
    scaled = abs(Fraction(value)) * unit
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return math.copysign(float(whole / unit), value)
