"""SQL expressions of a task, evaluated on one row at a time; docs/reference/expressions.md says what they mean.

Whole numbers are exact whatever their width: where the columns' bounds show that all that is met on the way fits 64
or 128 bits polars computes them, else Python does. Everything with a decimal point is a float64.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from assay.core.errors import MissingLibrary
from assay.data.errors import MixedTypes
from assay.data.expressions import values, wide
from assay.data.expressions.failures import computing
from assay.data.expressions.names import require

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from assay.data.expressions.compiler import Compiler
    from assay.data.expressions.values import Value

__all__ = ["check", "evaluated", "require", "selected"]


@overload
def evaluated(frame: pl.LazyFrame, expressions: Mapping[str, str], where: str) -> pl.LazyFrame: ...
@overload
def evaluated(frame: pl.DataFrame, expressions: Mapping[str, str], where: str) -> pl.DataFrame: ...
def evaluated(
    frame: pl.LazyFrame | pl.DataFrame, expressions: Mapping[str, str], where: str
) -> pl.LazyFrame | pl.DataFrame:
    """Add columns made by SQL expressions over the columns of one row.

    Parameters
    ----------
    frame
        The rows. Of rows in memory, whole numbers get the narrowest type that holds them; of lazy ones, the type
        that holds all that the columns' types allow.
    expressions
        Column to SQL, for example ``{"size": "ABS(amount0) / reserve0"}``; a name with spaces stands in
        double quotes. None of them sees another one's column.
    where
        What asks, for messages: "the feature volume".

    Raises
    ------
    ExpressionInvalid
        If one is no SQL expression, could see other rows than its own, or has no value in a row; for lazy rows the
        latter is raised as `Failure` when they are read, which `Table` turns into it.
    ColumnMissing
        If one names a column that is not there.
    """
    import polars as pl

    schema = frame.collect_schema()
    plain = {name: pl.col(sql).alias(name) for name, sql in expressions.items() if sql in schema}
    others = {name: sql for name, sql in expressions.items() if sql not in schema}
    if isinstance(frame, pl.DataFrame):
        with computing(where):
            made = [_computed(frame, sql, where).alias(name) for name, sql in others.items()]
        return frame.with_columns(*plain.values(), *made)
    return frame.with_columns(*plain.values(), *(_lazily(schema, sql, where).alias(n) for n, sql in others.items()))


def selected(frame: pl.LazyFrame, condition: str | None, where: str) -> pl.LazyFrame:
    """Rows that meet an SQL condition; all if there is none. Raises as `evaluated` does."""
    if condition is None:
        return frame
    marked = evaluated(frame, {"\x01": condition}, where)
    require_condition(marked, "\x01", f"{where}: {condition!r:.80}")
    return marked.filter(_true(marked)).drop("\x01")


def check(sql: str, columns: Iterable[str], where: str) -> set[str]:
    """The columns that an expression names; raises as `evaluated` does, but for what depends on their types."""
    known = list(columns)
    compiler = _compiler(dict.fromkeys(known), where, sql)  # type: ignore[arg-type]
    return compiler.spoken()


def require_condition(frame: pl.DataFrame | pl.LazyFrame, column: str, where: str) -> None:
    """Raise MixedTypes if the column's values are neither true or false, nor numbers."""
    import polars as pl

    dtype = frame.collect_schema()[column]
    if not (dtype.is_numeric() or wide.is_wide(dtype) or dtype in {pl.Boolean, pl.Null}):
        raise MixedTypes(
            f"{where}: a condition is true or false, and this one is of type {dtype!s:.60}",
            "Write it as a comparison, such as price > 0.",
        )


def _compiler(
    schema: Mapping[str, pl.DataType], where: str, sql: str, bounds: Mapping[str, tuple[int, int]] | None = None
) -> Compiler:
    try:
        from assay.data.expressions.compiler import Compiler
    except ImportError:
        raise MissingLibrary("expressions need sqlglot", "Install it with `pip install 'assay[data]'`.") from None
    return Compiler(schema, where, sql, bounds)


def _true(marked: pl.LazyFrame) -> pl.Expr:
    import polars as pl

    own = pl.col("\x01")
    if wide.is_wide(marked.collect_schema()["\x01"]):
        return wide.keys(own) != wide.literal(0)
    return own.cast(pl.Boolean)


def _lazily(schema: Mapping[str, pl.DataType], sql: str, where: str) -> pl.Expr:
    """An expression of lazy rows; where that is not safe as it is, part by part in memory."""
    import polars as pl

    compiler = _compiler(schema, where, sql)
    value = compiler.compiled()
    if not (compiler.eager and value.columns):
        return _column(value, where)
    to = _dtype(value)
    names = sorted(value.columns)

    def on(record: pl.Series) -> pl.Series:
        rows = pl.DataFrame([record.struct.field(str(i)).alias(name) for i, name in enumerate(names)])
        return _widened(_computed(rows, sql, where), to, where).alias(record.name)

    record = pl.struct(pl.col(name).alias(str(i)) for i, name in enumerate(names))
    return record.map_batches(on, return_dtype=to, is_elementwise=True)


def _computed(frame: pl.DataFrame, sql: str, where: str) -> pl.Series:
    """An expression of rows in memory, in the narrowest type that holds its values."""
    import polars as pl

    columns = _compiler(frame.schema, where, sql).compiled().columns
    bounds = {name: wide.bounds(frame[name]) for name in columns if wide.is_whole(frame.schema[name])}
    value = _compiler(frame.schema, where, sql, bounds).compiled()
    made = frame.select(_column(value, where).alias("v"))
    if made.height == 1 != frame.height:
        made = pl.DataFrame([made["v"].new_from_index(0, frame.height)])
    return wide.narrowed(made)["v"] if value.kind == "whole" else made["v"]


def _column(value: Value, where: str) -> pl.Expr:
    return wide.record(values.keys(value, where)) if value.exact is not None else value.expr


def _dtype(value: Value) -> pl.DataType:
    import polars as pl

    if value.kind == "whole":
        return {0: wide.dtype(), 64: pl.Int64(), 128: pl.Int128()}[value.bits]
    types: dict[str, pl.DataType] = {
        "number": pl.Float64(),
        "truth": pl.Boolean(),
        "text": pl.String(),
        "bytes": pl.Binary(),
        "time": pl.Datetime("us", "UTC"),
        "null": pl.Null(),
    }
    return types[value.kind]


def _widened(made: pl.Series, to: pl.DataType, where: str) -> pl.Series:
    import polars as pl

    if made.dtype == to:
        return made
    if not wide.is_wide(to):
        return made.cast(to)
    numbers = [None if gone else n for n, gone in zip(wide.integers(made), made.is_null(), strict=True)]
    keys = wide.encode(numbers, "keys", where)
    return keys.to_frame().select(wide.record(pl.col("keys"))).to_series()
