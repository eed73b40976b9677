"""From an expression's tree to what computes it: one rule for each thing that may stand in one.

Only functions of one row have a rule, so that no expression can see another row, and so the future.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlglot import Dialect, TokenType, exp

from assay.data.errors import ExpressionInvalid
from assay.data.expressions import arithmetic, casts, conditions, numbers, texts, times, values, wide
from assay.data.expressions.names import require
from assay.data.expressions.values import NAMES, Exact, Value, number, truth, whole
from assay.task.sql import DIALECT, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

    Rule = Callable[["Compiler", Any, "pl.Expr | None"], Value]

_TABLES = frozenset({"", "rows", "decisions", "self"})
_ADVICE = (
    "Use an op such as lag or rolling_mean for other rows; allowed here are abs, ln, exp, sqrt, pow, round, greatest, "
    "least, coalesce, CASE and their like."
)
_LONGEST = 10_000
_PARTS = (exp.Identifier, exp.DataType, exp.DataTypeParam, exp.Var)
_ALWAYS = frozenset({"this", "expression", "expressions"})
_SAID: dict[type[exp.Expr], frozenset[str]] = {
    exp.Between: frozenset({"low", "high"}),
    exp.In: frozenset({"query", "unnest", "field"}),  # what `among` refuses as looking at other rows
    exp.Case: frozenset({"ifs", "default"}),
    exp.If: frozenset({"true", "false"}),
    exp.Coalesce: frozenset({"is_null", "is_nvl"}),
    exp.Greatest: frozenset({"ignore_nulls"}),
    exp.Least: frozenset({"ignore_nulls"}),
    exp.Div: frozenset({"typed", "safe"}),
    exp.Round: frozenset({"decimals", "casts_non_integer_decimals"}),
    exp.Trunc: frozenset({"fractions_supported"}),
    exp.Cast: frozenset({"to", "safe"}),
    exp.TryCast: frozenset({"to", "safe", "requires_string"}),
    exp.StrToTime: frozenset({"format"}),
    exp.StrPosition: frozenset({"substr"}),
    exp.Substring: frozenset({"start", "length"}),
    exp.Replace: frozenset({"replacement"}),
    exp.Trim: frozenset({"position"}),
    exp.Concat: frozenset({"safe", "coalesce"}),
    exp.DPipe: frozenset({"safe"}),
    exp.Like: frozenset({"negate"}),
    exp.ILike: frozenset({"negate"}),
}
"""What the rule of each part of an expression reads beyond `_ALWAYS`, and flags of the dialect that the parser sets
by itself. Whatever else is written there would be ignored: it is refused."""
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


class Compiler:
    """Compiles expressions over the columns of a table.

    Parameters
    ----------
    schema
        The columns and their types.
    where
        What asks, for messages: "the feature volume".
    sql
        The expression's text.
    bounds
        The least and the greatest value of columns of whole numbers, where that is known.
    """

    def __init__(
        self,
        schema: Mapping[str, pl.DataType],
        where: str,
        sql: str,
        bounds: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        import polars as pl

        self.schema = schema
        self.where = where
        self.sql = sql
        self.bounds = bounds or {}
        self.null = Value("null", pl.lit(None))
        self.eager = False
        """Whether it is better computed of rows in memory: a whole number on the way may need more than 127 bits, or a
        constant stands in it, of which polars makes one row where all rows beside it have one value too."""
        self._columns: dict[str, Value] = {}

    def compiled(self) -> Value:
        """The expression as a value.

        Raises
        ------
        ExpressionInvalid
            If it is no expression of one row.
        ColumnMissing
            If it names a column that is not there.
        """
        try:
            return self.value(tree(self.sql, self.where), None)
        except RecursionError:
            raise self.invalid("it is nested too deeply", "Write it in several features.") from None

    def value(self, node: exp.Expression, active: pl.Expr | None) -> Value:
        """A part of it; `active` says in which rows its value counts, None in all."""
        rule = _RULES.get(type(node))
        if rule is None and isinstance(node, exp.Anonymous):
            rule = _NAMED.get(str(node.this).lower())
        if rule is None:
            raise self.beyond(node)
        self.understood(node)
        made = rule(self, node, active)
        self.eager |= made.exact is not None or not made.columns
        return made

    def numeric(self, value: Value, node: exp.Expression) -> Value:
        """A value as a whole number or a number: true is 1, false 0."""
        import polars as pl

        if value.kind in {"whole", "number"}:
            return value
        if value.kind == "truth":
            return whole(value.expr.cast(pl.Int64), 0, 1, value.columns)
        if value.kind == "null":
            return Value("whole", pl.lit(None, dtype=pl.Int64))
        raise self.invalid(
            f"{node.sql('duckdb')[:60]} needs numbers, and one of its values is {NAMES[value.kind]}", "CAST it."
        )

    def column(self, node: exp.Column) -> Value:
        """A column's value."""
        name = self.named(node)
        if name not in self._columns:
            self._columns[name] = self._column(name)
        return self._columns[name]

    def named(self, node: exp.Column) -> str:
        """The column that is meant: as it is written, else the only one that differs in capital letters."""
        name = node.name
        if node.table not in _TABLES:
            raise self.invalid(f"{node.sql('duckdb')[:60]} names another table", "Name the column alone.")
        if name in self.schema:
            return name
        alike = [own for own in self.schema if own.lower() == name.lower()]
        return alike[0] if len(alike) == 1 else require(name, list(self.schema), self.where)

    def spoken(self) -> set[str]:
        """The columns that the expression names; raises as `compiled` does, but for what depends on their types."""
        found = tree(self.sql, self.where)
        for node in found.walk():
            known = type(node) in _RULES or isinstance(node, _PARTS)
            if not known and not (isinstance(node, exp.Anonymous) and str(node.this).lower() in _NAMED):
                raise self.beyond(node)
            if known:
                self.understood(node)
        return {self.named(node) for node in found.find_all(exp.Column)}

    def understood(self, node: exp.Expr) -> None:
        """Raise ExpressionInvalid where a part says more than its rule computes."""
        if isinstance(node, (exp.Literal, exp.Column, *_PARTS)):
            return
        read = _ALWAYS | _SAID.get(type(node), frozenset())
        beyond = [name for name, given in node.args.items() if given and name not in read]
        if beyond:
            raise self.invalid(
                f"{node.sql()[:60]} says more than is computed here ({beyond[0].replace('_', ' ')})",
                "Write it without.",
            )
        if isinstance(node, _COMPARISONS) and isinstance(node.this, _COMPARISONS):
            raise self.invalid(
                f"{node.sql('duckdb')[:60]} compares the result of a comparison",
                "Write a < b AND b < c, or put the first comparison in parentheses if that is meant.",
            )

    def invalid(self, what: str, todo: str = "Correct it.") -> ExpressionInvalid:
        """An error about this expression."""
        shown = "" if what and self.sql[:60] in what else f"{self.sql!r:.80}: "
        return ExpressionInvalid(f"{self.where}: {shown}{what}", todo)

    def beyond(self, node: exp.Expr) -> ExpressionInvalid:
        """An error about something that has no rule."""
        if isinstance(node, exp.Window | exp.Query | exp.Subquery | exp.Star) or node.args.get("query") is not None:
            return ExpressionInvalid(
                f"{self.where}: {self.sql!r:.80} would look at other rows",
                "Use an op such as lag or rolling_mean for that.",
            )
        said = node.name if isinstance(node, exp.Anonymous) else node.sql("duckdb").partition("(")[0]
        given = node.expressions if isinstance(node, exp.Anonymous) else [node.this]
        part = times.part_of(said)
        advice = _ADVICE
        if part is not None and len(given) == 1 and isinstance(given[0], exp.Expr):
            advice = f"Write EXTRACT({part} FROM {given[0].sql('duckdb', identify=False)[:60]})."
        return ExpressionInvalid(f"{self.where}: {said[:40]} in {self.sql!r:.80} is no function of one row", advice)

    def _column(self, name: str) -> Value:
        import polars as pl

        dtype, own, columns = self.schema[name], pl.col(name), frozenset({name})
        if dtype == pl.Boolean:
            return truth(own, columns)
        if wide.is_whole(dtype):
            return self._whole(name, dtype)
        if dtype.is_decimal():
            # Through text: the nearest float64, where polars' own cast divides twice.
            return number(own.cast(pl.String).cast(pl.Float64), columns)
        if dtype.is_float():
            return number(own.cast(pl.Float64), columns)
        if dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum):
            return Value("text", own.cast(pl.String), columns=columns)
        if dtype == pl.Binary:
            return Value("bytes", own, columns=columns)
        if dtype == pl.Date:
            own = own.cast(pl.Datetime("us"))
        if dtype == pl.Date or isinstance(dtype, pl.Datetime):
            zoned = getattr(dtype, "time_zone", None) is not None
            own = own.dt.convert_time_zone("UTC") if zoned else own.dt.replace_time_zone("UTC")
            return Value("time", own.dt.cast_time_unit("us"), columns=columns)
        if dtype == pl.Null:
            return self.null
        raise self.invalid(f"the column {name} is of type {dtype!s:.40}, which no expression takes", "Leave it out.")

    def _whole(self, name: str, dtype: pl.DataType) -> Value:
        import polars as pl

        columns, own = frozenset({name}), pl.col(name)
        low, high = self.bounds.get(name) or _bounds(dtype)
        if values.fits(low, high):
            if wide.is_wide(dtype):
                own = wide.keys(own).map_batches(
                    lambda keys: pl.Series(
                        keys.name, [None if key is None else wide.decoded(key) for key in keys], dtype=pl.Int128
                    ),
                    return_dtype=pl.Int128,
                    is_elementwise=True,
                )
            return whole(own, low, high, columns)
        leaf = wide.keys(own) if wide.is_wide(dtype) else own
        return Value("whole", None, low, high, exact=Exact({name: leaf}, lambda arrays: arrays[name]), columns=columns)


def tree(sql: str, where: str) -> exp.Expression:
    """The tree of an expression; raises ExpressionInvalid if it is none."""
    if len(sql) > _LONGEST:
        raise ExpressionInvalid(f"{where}: an expression has {len(sql)} characters", f"Use at most {_LONGEST}.")
    found: exp.Expression | str = parsed(sql)
    if isinstance(found, str):
        raise ExpressionInvalid(f"{where}: {sql!r:.80} is no SQL expression ({found})", "Correct it.")
    lost = _lost(sql, found)
    if lost is not None:
        raise ExpressionInvalid(
            f"{where}: {lost:.40} in {sql!r:.80} is one value more than is taken there", "Correct it."
        )
    return found


def _lost(sql: str, found: exp.Expression) -> str | None:
    """A number or text of an expression that its tree has not: the parser drops what a function does not take."""
    tokens = Dialect.get_or_raise(DIALECT).tokenize(sql)
    kinds = {TokenType.NUMBER, TokenType.STRING}
    # .5 is the sign . and the number 5, and in the tree 0.5
    written = Counter(token.text.removeprefix("0.") for token in tokens if token.token_type in kinds)
    kept = Counter(str(node.this).removeprefix("0.") for node in found.find_all(exp.Literal))
    return next(iter((written - kept).elements()), None)


def _bounds(dtype: pl.DataType) -> tuple[int, int]:
    import polars as pl

    if wide.is_wide(dtype):
        return -(1 << wide.BITS) + 1, (1 << wide.BITS) - 1
    if dtype.is_decimal():
        most = 10 ** (getattr(dtype, "precision", None) or 38)
        return -most, most
    widths: dict[Any, int] = {
        pl.Int8: 8, pl.Int16: 16, pl.Int32: 32, pl.Int64: 64, pl.Int128: 128,
        pl.UInt8: 8, pl.UInt16: 16, pl.UInt32: 32, pl.UInt64: 64, pl.UInt128: 128,
    }  # fmt: skip
    bits = widths[dtype.base_type()]
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if dtype.is_signed_integer() else (0, (1 << bits) - 1)


def _literal(compiler: Compiler, node: exp.Literal, _active: pl.Expr | None) -> Value:
    import polars as pl

    text = str(node.this)
    if node.is_string:
        return Value("text", pl.lit(text), constant=text)
    if text.isdigit():
        return values.constant(int(text))
    try:
        return values.literal(float(text))
    except ValueError:
        raise compiler.invalid(f"{text[:40]} is no number") from None


def _boolean(_compiler: Compiler, node: exp.Boolean, _active: pl.Expr | None) -> Value:
    import polars as pl

    return Value("truth", pl.lit(bool(node.this)))


def _inner(compiler: Compiler, node: exp.Expression, active: pl.Expr | None) -> Value:
    return compiler.value(node.this, active)


_RULES: dict[type[exp.Expression], Rule] = {
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Null: lambda compiler, _node, _active: compiler.null,
    exp.Column: lambda compiler, node, _active: compiler.column(node),
    exp.Paren: _inner,
    exp.Add: arithmetic.add,
    exp.Sub: arithmetic.subtract,
    exp.Mul: arithmetic.multiply,
    exp.Div: arithmetic.divide,
    exp.IntDiv: arithmetic.divide_whole,
    exp.Mod: arithmetic.modulo,
    exp.Neg: arithmetic.negative,
    exp.Abs: arithmetic.absolute,
    exp.Sign: arithmetic.sign,
    exp.Pow: arithmetic.power,
    exp.Ceil: numbers.whole_part("ceil"),
    exp.Floor: numbers.whole_part("floor"),
    exp.Trunc: numbers.whole_part("trunc"),
    exp.Round: numbers.rounded,
    exp.Sqrt: numbers.simple(lambda own: own.sqrt()),
    exp.Cbrt: numbers.by_numpy(np.cbrt),
    exp.Exp: numbers.by_numpy(np.exp),
    exp.Ln: numbers.by_numpy(np.log),
    exp.Log: numbers.logarithm,
    exp.Sin: numbers.by_numpy(np.sin),
    exp.Cos: numbers.by_numpy(np.cos),
    exp.Tan: numbers.by_numpy(np.tan),
    exp.Asin: numbers.by_numpy(np.arcsin),
    exp.Acos: numbers.by_numpy(np.arccos),
    exp.Atan: numbers.by_numpy(np.arctan),
    exp.Atan2: numbers.by_numpy(np.arctan2),
    exp.Degrees: numbers.by_numpy(np.degrees),
    exp.Radians: numbers.by_numpy(np.radians),
    exp.Pi: numbers.pi,
    exp.IsNan: numbers.is_nan,
    exp.IsInf: numbers.is_infinite,
    exp.And: conditions.both,
    exp.Or: conditions.either,
    exp.Not: conditions.opposite,
    exp.EQ: conditions.comparison(operator.eq),
    exp.NEQ: conditions.comparison(operator.ne),
    exp.LT: conditions.comparison(operator.lt),
    exp.LTE: conditions.comparison(operator.le),
    exp.GT: conditions.comparison(operator.gt),
    exp.GTE: conditions.comparison(operator.ge),
    exp.NullSafeEQ: conditions.distinct(negated=True),
    exp.NullSafeNEQ: conditions.distinct(negated=False),
    exp.Between: conditions.between,
    exp.In: conditions.among,
    exp.Is: conditions.identity,
    exp.Case: conditions.case,
    exp.If: conditions.case,
    exp.Coalesce: conditions.coalesce,
    exp.Nullif: conditions.nullif,
    exp.Greatest: conditions.extreme(operator.ge),
    exp.Least: conditions.extreme(operator.le),
    exp.Cast: casts.cast,
    exp.TryCast: casts.tried,
    exp.Extract: times.extracted,
    exp.StrToTime: times.by_format,
    exp.Lower: texts.simple(lambda own: own.str.to_lowercase()),
    exp.Upper: texts.simple(lambda own: own.str.to_uppercase()),
    exp.Length: texts.length,
    exp.StrPosition: texts.position,
    exp.StartsWith: texts.has("starts_with"),
    exp.EndsWith: texts.has("ends_with"),
    exp.Substring: texts.part,
    exp.Left: texts.end(texts.left),
    exp.Right: texts.end(texts.right),
    exp.Replace: texts.replaced,
    exp.Trim: texts.trimmed,
    exp.Concat: texts.joined,
    exp.DPipe: texts.appended,
    exp.Like: texts.like(capitals=True),
    exp.ILike: texts.like(capitals=False),
    exp.Escape: texts.escaped,
    exp.RegexpLike: texts.matches,
}


def _log1p(compiler: Compiler, node: exp.Anonymous, active: pl.Expr | None) -> Value:
    if len(node.expressions) != 1:
        raise compiler.invalid("LOG1P takes one number")
    return arithmetic.applied(np.log1p, compiler.numeric(compiler.value(node.expressions[0], active), node))


_NAMED: dict[str, Rule] = {
    "log1p": _log1p,
    "octet_length": texts.octets,
    "date_part": times.dated,
    "ends_with": texts.has("ends_with"),
}
