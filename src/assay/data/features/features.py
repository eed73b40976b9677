"""Features: each is made of the row itself and of rows before it.

No operation here can look ahead: shifts are backward, windows end at the row, and expressions see one row.
Functions of the project's own can do anything, so `assay.data.features.leakage` tries them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.data.errors import ColumnMissing, Duplicated, MixedTypes, SettingsUnfit
from assay.data.expressions import check as names_in
from assay.data.expressions import evaluated, require, wide
from assay.data.expressions.evaluate import require_condition
from assay.data.expressions.failures import computing
from assay.data.features import functions, series
from assay.data.features.windows import window_mean, window_std, window_sum
from assay.data.tables import kinds
from assay.task.data import (
    CalendarFeature,
    CategoryFeature,
    ColumnFeature,
    FunctionFeature,
    ImbalanceFeature,
    RollingFeature,
    ShiftFeature,
    TimeSinceFeature,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    import polars as pl

    from assay.task.data import Feature

_A, _B = "\x00a", "\x00b"
_DAY, _WEEK = 24.0, 7.0
_SUMS = {
    "rolling_mean": window_mean,
    "rolling_std": window_std,
    "rolling_sum": window_sum,
    "volume": window_sum,
}


@dataclass(frozen=True)
class Made:
    """Rows with their features.

    Attributes
    ----------
    frame
        The rows, with a column more for each feature that is not a column already.
    names
        The features, in order.
    lookback
        Rows at the beginning (of each series) for which some feature has no full window yet.
    units
        Unit of each feature that has one.
    """

    frame: pl.DataFrame
    names: list[str]
    lookback: int
    units: dict[str, str]


def make(
    rows: pl.DataFrame, specs: Sequence[Feature], *, time: str | None, project: Path, entity: str | None = None
) -> Made:
    """Add features to rows.

    Parameters
    ----------
    rows
        The table, in the order of its time, then entity.
    specs
        The features, in order; each sees those before it.
    time
        The time column, if there is one.
    project
        The folder that functions are loaded from.
    entity
        The column that tells series apart, if there are several: no feature of one sees rows of another.

    Raises
    ------
    ColumnMissing, ExpressionInvalid
        If a feature names a column that is not there, or an expression that is none.
    FunctionFailed
        If a function is absent or fails.
    Duplicated
        If a feature has the name of a column that it is not.
    """
    frame, units = series.together(rows, entity), {}
    back: dict[str, int] = {}
    for spec in specs:
        where = f"the feature {spec.name}"
        # A category takes its column's place, and the entity is needed as it is.
        replaceable = ColumnFeature if spec.name == entity else ColumnFeature | CategoryFeature
        itself = isinstance(spec, replaceable) and spec.of in {None, spec.name}
        if spec.name in rows.columns and not itself:
            raise Duplicated(f"{where} has the name of a column of the data", "Give it another name.")
        named = _named(spec, frame.columns, where)
        frame, reach, unit = _add(frame, spec, where, time, project, entity=entity)
        frame = _scaled(frame, spec, where)
        # A window of windows sees as far back as both together.
        back[spec.name] = reach + max((back[name] for name in named if name in back), default=0)
        if unit:
            units[spec.name] = unit
    lookback = max(back.values(), default=0)
    return Made(series.in_time(frame, time, entity), [spec.name for spec in specs], lookback, units)


def _scaled(frame: pl.DataFrame, spec: Feature, where: str) -> pl.DataFrame:
    """The feature divided by its power of ten: towards zero, as Solidity divides."""
    if spec.scale is None:
        return frame
    dtype = frame.schema[spec.name]
    if not (dtype.is_integer() or wide.is_wide(dtype)):
        raise MixedTypes(
            f"{where} has scale = {spec.scale}, which is for whole numbers, and it is of type {dtype!s:.60}",
            "Divide it in `of`, or take the whole number that it is made of.",
        )
    return evaluated(frame, {spec.name: f'"{spec.name}" // POW(10, {spec.scale})'}, where)


def _named(spec: Feature, columns: list[str], where: str) -> set[str]:
    """The columns that a feature is made of; a function says itself how far back it looks."""
    if isinstance(spec, FunctionFeature):
        return set()
    texts = [getattr(spec, field, None) for field in ("of", "buy", "sell", "when")]
    found = [{text} if text in columns else names_in(text, columns, where) for text in texts if text is not None]
    return set().union(*found)


def _add(
    frame: pl.DataFrame, spec: Feature, where: str, time: str | None, project: Path, *, entity: str | None
) -> tuple[pl.DataFrame, int, str]:
    """The frame with one feature more, how many rows it looks back, and its unit."""
    if isinstance(spec, FunctionFeature):
        function = functions.load(spec.function, project, where)
        said = functions.marked(function)
        return (
            frame.with_columns(functions.column(function, frame, spec.name, where, entity)),
            said.lookback,
            spec.unit or said.unit,
        )
    _require_moments(spec, frame, time, where)
    needed, value, reach = _expression(spec, where, time)
    value = _own(value, spec, reach, entity)
    for column in (spec.of or spec.name,) if isinstance(spec, CategoryFeature) else ():
        require(column, frame.columns, where)
    inner = evaluated(frame, needed, where)
    _require_kinds(inner, needed, spec, where)
    with computing(where):
        if isinstance(spec, ShiftFeature) and spec.op == "difference":
            # The subtraction is the language's own, and so exact for whole numbers of any width.
            before = inner.with_columns(value.alias(_B))
            made = evaluated(before, {spec.name: f'"{_A}" - "{_B}"'}, where).drop(_A, _B)
        else:
            if not (isinstance(spec, ColumnFeature) or (isinstance(spec, ShiftFeature) and spec.op == "lag")):
                inner = wide.real(inner, needed)
            made = inner.with_columns(value.alias(spec.name)).drop(list(needed))
    return made, reach, spec.unit


def _require_moments(spec: Any, frame: pl.DataFrame, time: str | None, where: str) -> None:
    """Refuse hours and seconds where the rows are only ordered by a number."""
    wanted = isinstance(spec, CalendarFeature) or (isinstance(spec, TimeSinceFeature) and spec.measure == "seconds")
    if wanted and time is not None and not frame.schema[time].is_temporal():
        raise SettingsUnfit(
            f"{where} needs moments, and {time} only orders the rows", "Leave it out, or name a column of times."
        )


def _own(value: pl.Expr, spec: Any, reach: int, entity: str | None) -> pl.Expr:
    """The feature as each series has it by itself, where the rows of a series lie together."""
    import polars as pl

    if entity is None or isinstance(spec, ColumnFeature | CategoryFeature | CalendarFeature):
        return value
    if isinstance(spec, ImbalanceFeature) or spec.op == "realised_volatility" or spec.op in _SUMS:
        # Python sums the windows of all rows in one go; those that begin in another series are not full.
        return pl.when(series.before(entity) >= reach).then(value)
    return value.over(entity)


def _require_kinds(ready: pl.DataFrame, needed: dict[str, str], spec: Feature, where: str) -> None:
    """Refuse what cannot be computed with; a column as it is, and its lag, may be of any type until it is typed."""
    if isinstance(spec, CategoryFeature):
        kinds.require_single(ready, spec.of or spec.name, where)
    elif isinstance(spec, TimeSinceFeature):
        require_condition(ready, _A, where)
    elif not isinstance(spec, ColumnFeature):
        for column in needed:
            kinds.require_numbers(ready, column, where)


def _expression(spec: Any, where: str, time: str | None) -> tuple[dict[str, str], pl.Expr, int]:
    """What SQL a feature needs as columns, the feature as an expression of them, and how far back it looks."""
    import polars as pl

    a, b = pl.col(_A), pl.col(_B)
    if isinstance(spec, ColumnFeature):
        return {_A: spec.of or spec.name}, a, 0
    if isinstance(spec, CategoryFeature):
        codes = {text: number for number, text in enumerate(spec.values)}
        text = pl.col(spec.of or spec.name).cast(pl.String)
        return {}, text.replace_strict(codes, default=None, return_dtype=pl.Int64), 0
    if isinstance(spec, ShiftFeature):
        return {_A: spec.of}, _shift(a, spec), spec.periods
    if isinstance(spec, RollingFeature):
        return {_A: spec.of}, _rolling(a, spec), spec.window - (spec.op != "realised_volatility")
    if isinstance(spec, ImbalanceFeature):
        buy, sell = (window_sum(column, spec.window) for column in (a, b))
        flow = buy + sell
        return (
            {_A: spec.buy, _B: spec.sell},
            pl.when(flow == 0).then(0.0).otherwise((buy - sell) / flow),
            spec.window - 1,
        )
    if time is None:
        raise ColumnMissing(f"{where} needs a time, and the rows have none", "Set [data] time.")
    if isinstance(spec, TimeSinceFeature):
        place = pl.int_range(pl.len()) if spec.measure == "rows" else pl.col(time).cast(pl.Int64)
        since = place - pl.when(a.cast(pl.Boolean)).then(place).forward_fill()
        return {_A: spec.when}, since if spec.measure == "rows" else since / 1_000_000, 0
    assert isinstance(spec, CalendarFeature)  # noqa: S101 - the last of the union
    return {}, _calendar(pl.col(time), spec.part), 0


def _shift(value: pl.Expr, spec: ShiftFeature) -> pl.Expr:
    before = value.shift(spec.periods)
    if spec.op in {"lag", "difference"}:
        return before
    return value / before - 1 if spec.op == "return" else (value / before).log()


def _rolling(value: pl.Expr, spec: RollingFeature) -> pl.Expr:
    import polars as pl

    value = value.cast(pl.Float64)
    if spec.op == "realised_volatility":
        returns = (value / value.shift(1)).log()
        return window_sum(returns**2, spec.window).sqrt()
    if spec.op in _SUMS:
        return _SUMS[spec.op](value, spec.window)
    # The least, the largest and the middle one are exact however they are found.
    return getattr(value, spec.op)(spec.window)  # type: ignore[no-any-return]


def _calendar(time: pl.Expr, part: str) -> pl.Expr:
    import polars as pl

    plain: dict[str, Callable[[], pl.Expr]] = {
        "minute": time.dt.minute,
        "hour": time.dt.hour,
        "weekday": time.dt.weekday,
        "day": time.dt.day,
        "month": time.dt.month,
    }
    if part in plain:
        return plain[part]().cast(pl.Int64)
    hour = time.dt.hour() + time.dt.minute() / 60
    turn = hour / _DAY if part.startswith("hour") else (time.dt.weekday() - 1 + hour / _DAY) / _WEEK
    angle = turn * (2 * math.pi)
    return angle.sin() if part.endswith("sin") else angle.cos()
