"""Comparisons, conditions, and what is chosen by them."""

from __future__ import annotations

import operator
import re
from functools import reduce
from typing import TYPE_CHECKING

from assay.data.expressions import arithmetic, values, wide
from assay.data.expressions.times import moment
from assay.data.expressions.values import NAMES, NUMERIC, Exact, Value, number, truth, whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl
    from sqlglot import exp

    from assay.data.expressions.compiler import Compiler

_HEXADECIMAL = re.compile(r"0x((?:[0-9a-fA-F]{2})*)\Z")


def condition(compiler: Compiler, value: Value, node: exp.Expression) -> pl.Expr:
    """A value as a condition: true, false or missing; of numbers all but 0 are true."""
    import polars as pl

    if value.kind == "truth":
        return value.expr
    if value.kind == "null":
        return pl.lit(None, dtype=pl.Boolean)
    if value.kind == "number":
        return value.expr != 0
    if value.kind == "whole":
        return value.expr != 0 if value.bits else values.keys(value, compiler.where) != wide.literal(0)
    raise compiler.invalid(
        f"a condition is true or false, and {node.sql('duckdb')[:60]} is {NAMES[value.kind]}",
        "Write it as a comparison, such as price > 0.",
    )


def both(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a AND b`."""
    left = compiler.value(node.this, active)
    one = condition(compiler, left, node.this)
    right = compiler.value(node.args["expression"], _when(active, one.fill_null(value=True)))
    return truth(one & condition(compiler, right, node.args["expression"]), left.columns | right.columns)


def either(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a OR b`."""
    left = compiler.value(node.this, active)
    one = condition(compiler, left, node.this)
    right = compiler.value(node.args["expression"], _when(active, ~one.fill_null(value=False)))
    return truth(one | condition(compiler, right, node.args["expression"]), left.columns | right.columns)


def opposite(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`NOT a`."""
    value = compiler.value(node.this, active)
    return truth(~condition(compiler, value, node.this), value.columns)


def comparison(compare: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Callable[..., Value]:
    """`=`, `<>`, `<`, `<=`, `>`, `>=`; NaN equals itself and is above all other numbers."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        left, right = (compiler.value(node.args[name], active) for name in ("this", "expression"))
        return compared(compiler, compare, left, right, node)

    return compiled


def compared(
    compiler: Compiler, compare: Callable[[pl.Expr, pl.Expr], pl.Expr], left: Value, right: Value, node: exp.Expression
) -> Value:
    """A comparison of two values of one kind."""
    import polars as pl

    columns = left.columns | right.columns
    if "null" in {left.kind, right.kind}:
        there = left if right.kind == "null" else right
        if there.native is None or there.kind == "null":
            return truth(pl.lit(None, dtype=pl.Boolean), columns)
        return truth(pl.when(there.expr.is_null() & there.expr.is_not_null()).then(True), columns)  # noqa: FBT003
    kind, (one, other) = unified(compiler, [left, right], node)
    if kind == "whole" and not (one.bits and other.bits):
        return truth(compare(values.keys(one, compiler.where), values.keys(other, compiler.where)), columns)
    return truth(compare(one.expr, other.expr), columns)


def between(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a BETWEEN low AND high`, both included."""
    value, low, high = (compiler.value(node.args[name], active) for name in ("this", "low", "high"))
    above = compared(compiler, operator.ge, value, low, node)
    below = compared(compiler, operator.le, value, high, node)
    return truth(above.expr & below.expr, above.columns | below.columns)


def among(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a IN (b, c, ...)`."""
    import polars as pl

    if node.args.get("query") is not None or node.args.get("unnest") is not None or not node.expressions:
        raise compiler.beyond(node)
    value = compiler.value(node.this, active)
    found = [compared(compiler, operator.eq, value, compiler.value(one, active), node) for one in node.expressions]
    columns = frozenset[str]().union(*(one.columns for one in found))
    return truth(pl.any_horizontal([one.expr for one in found]), columns)


def identity(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a IS NULL`, `a IS TRUE`, `a IS FALSE`; never missing."""
    from sqlglot import exp

    value, other = compiler.value(node.this, active), node.args["expression"]
    if isinstance(other, exp.Null):
        return truth(is_missing(value), value.columns)
    if isinstance(other, exp.Boolean):
        own = condition(compiler, value, node.this)
        return truth((own == other.this).fill_null(value=False), value.columns)
    raise compiler.invalid(f"{node.sql('duckdb')[:60]} cannot be computed", "Use IS NULL, IS TRUE or IS FALSE.")


def distinct(negated: bool) -> Callable[..., Value]:  # noqa: FBT001 - one of two operators
    """`a IS DISTINCT FROM b` and its opposite: as `<>`, and missing values are equal."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        left, right = (compiler.value(node.args[name], active) for name in ("this", "expression"))
        equal = compared(compiler, operator.eq, left, right, node).expr.fill_null(value=False)
        equal |= is_missing(left) & is_missing(right)
        return truth(equal if negated else ~equal, left.columns | right.columns)

    return compiled


def is_missing(value: Value) -> pl.Expr:
    """Whether a value is missing."""
    import polars as pl

    if value.kind == "null":
        return pl.lit(value=True)
    if value.exact is None:
        return value.expr.is_null()
    missing = [leaf.is_null() for leaf in value.exact.leaves.values()]
    return pl.any_horizontal(missing) if missing else pl.lit(value=False)


def case(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`CASE WHEN ... THEN ... ELSE ... END`, with and without a value to compare, and `IF(a, b, c)`."""
    from sqlglot import exp

    operand = None
    if isinstance(node, exp.Case):
        branches, default = node.args["ifs"], node.args.get("default")
        operand = None if node.this is None else compiler.value(node.this, active)
    else:
        branches, default = [node], node.args.get("false")
    conditions, results, rest, columns = [], [], active, frozenset[str]()
    for branch in branches:
        asked = compiler.value(branch.this, rest)
        if operand is None:
            own = condition(compiler, asked, branch.this)
        else:
            asked = compared(compiler, operator.eq, operand, asked, node)
            own = asked.expr
        columns |= asked.columns
        holds = own.fill_null(value=False)
        results.append(compiler.value(branch.args["true"], _when(rest, holds)))
        conditions.append(holds)
        rest = _when(rest, ~holds)
    results.append(compiler.null if default is None else compiler.value(default, rest))
    return chosen(compiler, conditions, results, node, columns)


def coalesce(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`COALESCE(a, b, ...)`: the first that is there."""
    conditions, results, rest = [], [], active
    for one in [node.this, *node.expressions]:
        value = compiler.value(one, rest)
        there = ~is_missing(value)
        results.append(value)
        conditions.append(there)
        rest = _when(rest, ~there)
    return chosen(compiler, conditions[:-1], results, node, frozenset())


def nullif(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`NULLIF(a, b)`: a, missing where it equals b."""
    left, right = (compiler.value(node.args[name], active) for name in ("this", "expression"))
    equal = compared(compiler, operator.eq, left, right, node)
    return chosen(compiler, [equal.expr.fill_null(value=False)], [compiler.null, left], node, equal.columns)


def extreme(compare: Callable[[pl.Expr, pl.Expr], pl.Expr]) -> Callable[..., Value]:
    """`GREATEST(a, b, ...)` and `LEAST`: of those that are there."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        given = [compiler.value(one, active) for one in [node.this, *node.expressions]]
        found = given[0]
        for other in given[1:]:
            better = compared(compiler, compare, found, other, node).expr.fill_null(value=False)
            better = (better & ~is_missing(found)) | is_missing(other)
            found = chosen(compiler, [better], [found, other], node, frozenset())
        return found

    return compiled


def chosen(
    compiler: Compiler,
    conditions: Sequence[pl.Expr],
    results: Sequence[Value],
    node: exp.Expression,
    columns: frozenset[str],
) -> Value:
    """The result beside the first condition that is true; the last result if none is."""
    import polars as pl

    columns = columns.union(*(result.columns for result in results))
    if all(result.kind == "null" for result in results):
        return compiler.null
    kind, same = unified(compiler, results, node)
    low, high = min(one.low for one in same), max(one.high for one in same)
    bits = [one.bits for one in same]
    if kind == "whole" and 0 in bits:
        own = [values.keys(one, compiler.where) for one in same]
    elif kind == "whole":
        to = pl.Int64 if max(bits) == 64 else pl.Int128
        own = [one.expr.cast(to) for one in same]
    else:
        own = [one.expr for one in same]
    pairs = list(zip(conditions, own[:-1], strict=True))
    found = reduce(lambda rest, pair: pl.when(pair[0]).then(pair[1]).otherwise(rest), reversed(pairs), own[-1])
    if kind == "whole" and 0 in bits:
        name = str(id(found))
        return Value("whole", None, low, high, exact=Exact({name: found}, lambda arrays: arrays[name]), columns=columns)
    if kind == "whole":
        return whole(found, low, high, columns)
    return Value(kind, found, columns=columns)


def unified(compiler: Compiler, given: Sequence[Value], node: exp.Expression) -> tuple[values.Kind, list[Value]]:
    """Values as ones of one kind.

    Raises
    ------
    ExpressionInvalid
        If they have none in common.
    """
    kinds = {value.kind for value in given} - {"null"}
    if len(kinds) == 1:
        (kind,) = kinds
    elif kinds <= NUMERIC:
        kind = "number" if "number" in kinds else "whole"
    elif kinds == {"time", "text"}:
        kind = "time"
    elif kinds == {"bytes", "text"}:
        kind = "bytes"
    else:
        one, other, *_ = sorted(NAMES[kind] for kind in kinds)
        raise compiler.invalid(
            f"{node.sql('duckdb')[:60]} puts {one} and {other} side by side", "CAST one of them to the other's type."
        )
    return kind, [_as(compiler, value, kind, node) for value in given]


def _as(compiler: Compiler, value: Value, kind: values.Kind, node: exp.Expression) -> Value:
    import polars as pl

    if value.kind == kind:
        return value
    if value.kind == "null":
        types: dict[str, pl.DataType] = {
            "whole": pl.Int64(),
            "number": pl.Float64(),
            "truth": pl.Boolean(),
            "text": pl.String(),
            "bytes": pl.Binary(),
            "time": pl.Datetime("us", "UTC"),
        }
        return Value(kind, pl.lit(None, dtype=types[kind]))
    if kind == "whole":
        return compiler.numeric(value, node)
    if kind == "number":
        found = value.constant if isinstance(value.constant, int) else None
        return (
            number(arithmetic.floats(value), value.columns) if found is None else values.literal(values.nearest(found))
        )
    if isinstance(value.constant, str):
        if kind == "time":
            return moment(compiler, value.constant)
        match = _HEXADECIMAL.match(value.constant)
        if match is not None:
            return Value("bytes", pl.lit(bytes.fromhex(match[1])), constant=bytes.fromhex(match[1]))
        raise compiler.invalid(f"{value.constant!r:.40} is compared with bytes", "Write them like '0x12ab'.")
    raise compiler.invalid(
        f"{node.sql('duckdb')[:60]} puts {NAMES[value.kind]} and {NAMES[kind]} side by side",
        "CAST one of them to the other's type.",
    )


def _when(active: pl.Expr | None, also: pl.Expr) -> pl.Expr:
    return also if active is None else active & also
