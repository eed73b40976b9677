"""Labels: what is to be predicted, at a horizon. The only place where later rows are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.expressions import evaluated, require, wide
from assay.data.expressions.failures import computing
from assay.data.features import series
from assay.data.features.windows import window_mean, window_sum
from assay.data.tables import kinds

if TYPE_CHECKING:
    import polars as pl

    from assay.task.data import Label

_OF = "\x00of"


def make(rows: pl.DataFrame, spec: Label, target: str, entity: str | None = None) -> pl.DataFrame:
    """Add the target to rows, missing where the label sees beyond the last row of its series.

    Parameters
    ----------
    rows
        The table, in the order of its time; the rows of a series lie together.
    spec
        The section [data.label].
    target
        The column to make; with op "column" and no `of`, it is there already.
    entity
        The column that tells series apart, if there are several.

    Raises
    ------
    ColumnMissing, ExpressionInvalid
        If it is not, or the expression is wrong.
    """
    import polars as pl

    where = "[data.label]"
    if spec.op == "column" and spec.of is None:
        require(target, rows.columns, where)
        value = pl.col(target)
        if spec.edges:
            kinds.require_numbers(rows, target, where)
        if not spec.edges:
            return rows
        return wide.real(rows, [target]).with_columns(_classes(value, spec).alias(target))
    ready = evaluated(rows, {_OF: spec.of or target}, where)
    if spec.op not in {"column", "forward_value"} or spec.edges:
        kinds.require_numbers(ready, _OF, where)
        ready = wide.real(ready, [_OF])
    value = _forward(pl.col(_OF), spec)
    if entity is not None and spec.reach and spec.op != "column":
        # Behind the last row of a series the next series begins.
        value = pl.when(series.after(entity) >= spec.reach).then(value)
    value = _classes(value, spec)
    with computing(where):
        return ready.with_columns(value.alias(target)).drop(_OF)


def _forward(value: pl.Expr, spec: Label) -> pl.Expr:
    """The value of rows t+gap+1 to t+gap+horizon, at row t."""
    import polars as pl

    if spec.op == "column":
        return value
    reach, horizon = spec.reach, spec.ahead
    if spec.op == "forward_value":
        return value.shift(-reach)
    value = value.cast(pl.Float64)
    if spec.op == "forward_return":
        return value.shift(-reach) / value.shift(-spec.gap) - 1
    if spec.op == "forward_log_return":
        return (value.shift(-reach) / value.shift(-spec.gap)).log()
    if spec.op == "forward_realised_volatility":
        squares = (value / value.shift(1)).log() ** 2
        return window_sum(squares, horizon).shift(-reach).sqrt()
    own = {"forward_sum": window_sum, "forward_mean": window_mean}
    if spec.op in own:
        return own[spec.op](value, horizon).shift(-reach)
    window = getattr(value, spec.op.replace("forward", "rolling"))
    return window(horizon).shift(-reach)  # type: ignore[no-any-return]


def _classes(value: pl.Expr, spec: Label) -> pl.Expr:
    """The number of edges below the value."""
    import polars as pl

    if not spec.edges:
        return value
    above = [(value > edge).cast(pl.Int64) for edge in spec.edges]
    return pl.sum_horizontal(above, ignore_nulls=False)
