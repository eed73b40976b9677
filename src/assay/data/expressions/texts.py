"""Functions of text. Places count from 1, lengths are in characters."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from assay.data.expressions.casts import as_text
from assay.data.expressions.values import NAMES, Value, truth, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from sqlglot import exp

    from assay.data.expressions.compiler import Compiler

_LONGEST = 1 << 32


def simple(function: Callable[[pl.Expr], pl.Expr]) -> Callable[..., Value]:
    """A function from text to text."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        value = _text(compiler, node.this, active, node)
        return Value("text", function(value.expr), columns=value.columns)

    return compiled


def length(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`LENGTH(text)`; of bytes their number."""
    value = compiler.value(node.this, active)
    if value.kind == "bytes":
        return whole(value.expr.bin.size(), 0, _LONGEST, value.columns)
    value = _text(compiler, node.this, active, node)
    return whole(value.expr.str.len_chars(), 0, _LONGEST, value.columns)


def octets(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`OCTET_LENGTH(text)`: bytes in UTF-8."""
    (given,) = _arguments(compiler, node, 1)
    value = compiler.value(given, active)
    if value.kind == "bytes":
        return whole(value.expr.bin.size(), 0, _LONGEST, value.columns)
    value = _text(compiler, given, active, node)
    return whole(value.expr.str.len_bytes(), 0, _LONGEST, value.columns)


def position(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`STRPOS(text, part)`: where it first stands, 0 if it does not."""
    value, inner = (_text(compiler, node.args[name], active, node) for name in ("this", "substr"))
    found = _each(lambda text, part: text.find(part) + 1, [value, inner], "whole")
    return whole(found, 0, _LONGEST, value.columns | inner.columns)


def has(where: str) -> Callable[..., Value]:
    """`STARTS_WITH(text, part)` and `ENDS_WITH`."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        given = [node.this, node.args.get("expression")] if node.args.get("this") is not None else node.expressions
        if len(given) != 2 or given[1] is None:
            raise compiler.invalid(f"{where.upper()} takes a text and a part", "Give both.")
        value, inner = (_text(compiler, one, active, node) for one in given)
        found = getattr(value.expr.str, where)(inner.expr)
        return truth(found, value.columns | inner.columns)

    return compiled


def part(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`SUBSTR(text, start, length)`: from the end where start is negative."""
    value = _text(compiler, node.this, active, node)
    given = [node.args.get("start"), node.args.get("length")]
    numbers = [_whole(compiler, one, active, node) for one in given if one is not None]
    found = _each(_sliced, [value, *numbers], "text")
    return Value("text", found, columns=value.columns.union(*(one.columns for one in numbers)))


def end(function: Callable[[str, int], str]) -> Callable[..., Value]:
    """`LEFT(text, n)` and `RIGHT`: all but as many from the other end where n is negative."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        value = _text(compiler, node.this, active, node)
        count = _whole(compiler, node.args["expression"], active, node)
        return Value("text", _each(function, [value, count], "text"), columns=value.columns | count.columns)

    return compiled


def left(text: str, count: int) -> str:
    """The first characters."""
    return text[:count]


def right(text: str, count: int) -> str:
    """The last characters."""
    return text[max(len(text) - count, 0) :] if count >= 0 else text[-count:]


def replaced(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`REPLACE(text, old, new)`."""
    given = [node.this, node.args["expression"], node.args.get("replacement")]
    if given[2] is None:
        raise compiler.invalid("REPLACE takes a text, what is replaced and by what", "Give all three.")
    parts = [_text(compiler, one, active, node) for one in given]
    found = _each(lambda text, old, new: text.replace(old, new) if old else text, parts, "text")
    return Value("text", found, columns=frozenset[str]().union(*(one.columns for one in parts)))


def trimmed(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`TRIM(text)`, `LTRIM`, `RTRIM`, each also with the characters to take away."""
    value = _text(compiler, node.this, active, node)
    given = node.args.get("expression")
    signs = " " if given is None else compiler.value(given, None).constant
    if not isinstance(signs, str):
        raise compiler.invalid("TRIM takes away the characters of a text in quotes", "Write TRIM(name, '_').")
    own = value.expr.str
    side = str(node.args.get("position") or "BOTH").upper()
    if not signs:
        return value
    found = {
        "LEADING": own.strip_chars_start,
        "TRAILING": own.strip_chars_end,
    }.get(side, own.strip_chars)(signs)
    return Value("text", found, columns=value.columns)


def joined(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`CONCAT(a, b, ...)`: without those that are missing."""
    import polars as pl

    parts = [as_text(compiler, compiler.value(one, active)) for one in node.expressions]
    found = pl.concat_str([one.expr.fill_null("") for one in parts])
    return Value("text", found, columns=frozenset[str]().union(*(one.columns for one in parts)))


def appended(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a || b`: missing where one of them is."""
    import polars as pl

    parts = [as_text(compiler, compiler.value(node.args[name], active)) for name in ("this", "expression")]
    found = pl.concat_str([one.expr for one in parts], ignore_nulls=False)
    return Value("text", found, columns=parts[0].columns | parts[1].columns)


def like(*, capitals: bool) -> Callable[..., Value]:
    """`a LIKE 'x%'`: % stands for any characters, _ for one; ILIKE makes no difference between capitals and others."""

    def compiled(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
        return _like(compiler, node, active, capitals=capitals, escape="")

    return compiled


def escaped(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`a LIKE 'x!%' ESCAPE '!'`."""
    from sqlglot import exp

    if not isinstance(node.this, exp.Like | exp.ILike):
        raise compiler.invalid("ESCAPE belongs to LIKE", "Correct it.")
    sign = node.args["expression"].name
    return _like(compiler, node.this, active, capitals=isinstance(node.this, exp.Like), escape=sign)


def matches(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    """`REGEXP_LIKE(text, 'pattern')`: whether it stands anywhere in it, in the syntax of Rust's regex."""
    value = _text(compiler, node.this, active, node)
    return _matching(compiler, value, _pattern(compiler, node), node)


def _like(compiler: Compiler, node: exp.Expression, active: pl.Expr | None, *, capitals: bool, escape: str) -> Value:
    value = _text(compiler, node.this, active, node)
    made, place = "", 0
    pattern = _pattern(compiler, node)
    while place < len(pattern):
        sign = pattern[place]
        if sign == escape and place + 1 < len(pattern):
            place += 1
            made += re.escape(pattern[place])
        else:
            made += {"%": ".*", "_": "."}.get(sign, re.escape(sign))
        place += 1
    found = _matching(compiler, value, f"(?s{'' if capitals else 'i'})^{made}$", node)
    return truth(~found.expr, found.columns) if node.args.get("negate") else found


def _pattern(compiler: Compiler, node: exp.Expression) -> str:
    given = node.args["expression"]
    if not given.is_string:
        raise compiler.invalid(f"{node.sql('duckdb')[:60]} needs a pattern in quotes", "Write LIKE 'x%'.")
    return str(given.name)


def _matching(compiler: Compiler, value: Value, pattern: str, node: exp.Expression) -> Value:
    import polars as pl

    try:
        pl.Series([""]).str.contains(pattern)
    except pl.exceptions.PolarsError:
        raise compiler.invalid(f"{node.sql('duckdb')[:60]} has a pattern that is none", "Correct it.") from None
    return truth(value.expr.str.contains(pattern), value.columns)


def _sliced(text: str, start: int, count: int | None = None) -> str:
    """As DuckDB: from the first character where start lies before it, less what lies before."""
    begin = start - 1 if start > 0 else len(text) + start if start < 0 else -1
    if count is None:
        return text[max(begin, 0) :]
    if count < 0:
        begin, count = max(begin + count, 0), min(-count, max(begin, 0))
    return text[max(begin, 0) : max(begin + count, 0)]


def _each(function: Callable[..., Any], parts: list[Value], kind: str) -> pl.Expr:
    """A Python function of every row's values; missing where one of them is."""
    import polars as pl

    to = pl.Int64() if kind == "whole" else pl.String()

    def on(record: pl.Series) -> pl.Series:
        own = [record.struct.field(str(place)).to_list() for place in range(len(parts))]
        found = [None if None in row else function(*row) for row in zip(*own, strict=True)]
        return pl.Series(record.name, found, dtype=to)

    record = pl.struct(one.expr.alias(str(place)) for place, one in enumerate(parts))
    return record.map_batches(on, return_dtype=to, is_elementwise=True)


def _text(compiler: Compiler, given: exp.Expression, active: pl.Expr | None, node: exp.Expression) -> Value:
    import polars as pl

    value = compiler.value(given, active)
    if value.kind == "null":
        return Value("text", pl.lit(None, dtype=pl.String))
    if value.kind != "text":
        raise compiler.invalid(
            f"{node.sql('duckdb')[:60]} needs text, and {given.sql('duckdb')[:40]} is {NAMES[value.kind]}",
            "CAST it AS text.",
        )
    return value


def _whole(compiler: Compiler, given: exp.Expression, active: pl.Expr | None, node: exp.Expression) -> Value:
    value = compiler.numeric(compiler.value(given, active), node)
    if value.kind != "whole" or not value.bits:
        raise compiler.invalid(f"{node.sql('duckdb')[:60]} needs whole numbers of places", "CAST them AS bigint.")
    return value


def _arguments(compiler: Compiler, node: exp.Expression, count: int) -> list[exp.Expression]:
    if len(node.expressions) != count:
        raise compiler.invalid(f"{node.sql('duckdb')[:60]} takes {count} values", "Correct it.")
    return list(node.expressions)
