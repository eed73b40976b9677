"""The rows of one table gathered bar by bar: here, part after part, or by ranges elsewhere that are joined here.

A bar is computed from all its rows together, in their order. Of a range of rows those of its first and its last bar are
kept as they are, since those bars may go on in another range: they are gathered where the ranges are joined. So the
result is the same, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from assay.data.errors import ColumnMissing, TimeBackwards
from assay.data.expressions import evaluated, wide
from assay.data.expressions.evaluate import require_condition
from assay.data.features import series
from assay.data.features import wholes as wholes_of
from assay.data.features.grid import BAR, BLOCK, HIGH, LOW, Extent, length_of
from assay.data.tables import kinds, repeats
from assay.data.tables.table import first_fall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from assay.data.tables.table import Table
    from assay.task.data import Aggregate, Bars


@dataclass(frozen=True)
class Gathered:
    """What a range of a table's rows gave.

    Attributes
    ----------
    found
        The aggregates of each bar that lies within; None if there is none, or nothing to aggregate.
    edges
        The rows of the first and the last bar.
    reached
        `LOW` and `HIGH`, the first and last place (of each series).
    ends
        Where the first and the last row are in the table's order.
    told
        The value of each column that would tell several series apart.
    """

    found: pl.DataFrame | None
    edges: pl.DataFrame
    reached: pl.DataFrame
    ends: pl.DataFrame
    told: dict[str, Any]


def gatherings(
    spec: Bars, tables: Mapping[str, Table], main: str, *, entity: str | None, mixed: bool
) -> dict[str, Gathering]:
    """How each table of [data.bars] becomes bars; parameters and errors as those of `bars`."""
    by_table: dict[str, list[Aggregate]] = {main: []}
    for column in spec.columns:
        by_table.setdefault(column.table or main, []).append(column)
    spoken = [text for one in spec.columns for text in (one.of, one.where)]
    found = {}
    for name, aggregates in by_table.items():
        apart = [] if mixed or entity is not None else series.telling(tables[name], spoken)
        found[name] = Gathering(tables[name], spec, aggregates, entity, apart)
    return found


class Gathering:
    """How one table becomes bars.

    Parameters
    ----------
    aggregates
        Of its rows.
    entity
        The column that tells series apart, if there are several.
    telling
        Columns that would, if nobody named one.
    """

    def __init__(
        self, table: Table, spec: Bars, aggregates: Sequence[Aggregate], entity: str | None, telling: list[str]
    ) -> None:
        where = f"[data.bars] of {table.name}"
        if entity is not None:
            series.require_entity(table.schema, entity, where)
            # A chain has one order; elsewhere one series may follow the other.
            table = replace(table, within=entity if table.order == (table.time,) else None)
        place = _place(table, spec, where)
        expressions = {f"\x00of{i}": one.of for i, one in enumerate(aggregates) if one.of is not None}
        conditions = {f"\x00if{i}": one.where for i, one in enumerate(aggregates) if one.where is not None}
        length = length_of(spec)

        def prepared(part: pl.LazyFrame) -> pl.LazyFrame:
            part = evaluated(part, expressions | conditions, where)
            schema = part.collect_schema()
            # As the language has them: Int64, or more where the type may hold more.
            narrow = [name for name in expressions if wide.is_whole(schema[name]) and not wide.is_wide(schema[name])]
            part = part.with_columns(_whole(pl.col(name), schema[name]).alias(name) for name in narrow)
            part = part.with_columns(
                wide.numbers(pl.col(name)).alias(name) for name in conditions if wide.is_wide(schema[name])
            )
            decimals = [name for name in expressions if schema[name].is_decimal() and name not in narrow]
            part = part.with_columns(pl.col(name).cast(pl.String).cast(pl.Float64) for name in decimals)
            return part.with_columns(place.alias("\x00place"), (place // length).alias(BAR))

        import polars as pl

        self._table, self._entity, self._telling = table, entity, telling
        self._ready = table.explaining(table.map(prepared), expressions | conditions, where)
        self._apart = [entity] if entity is not None else []
        self._wanted = [BAR, "\x00place", *self._apart, *expressions, *conditions]
        schema = self._ready.schema
        for index, one in enumerate(aggregates):
            _require_kinds(self._ready.parts[0], index, one, where)
        self._columns = [part for index, one in enumerate(aggregates) for part in _aggregate(index, one, schema)]
        self._wholes = {
            one.name: (schema[f"\x00of{index}"], one.op)
            for index, one in enumerate(aggregates)
            if one.of is not None and wide.is_whole(schema[f"\x00of{index}"])
        }

    def here(self) -> tuple[pl.DataFrame, Extent]:
        """The bars, from all rows, and where those lie."""
        found: list[pl.DataFrame] = []
        reached: list[pl.DataFrame] = []
        for rows in _whole_bars(self._frames(), self._entity):
            reached.append(self._reached(rows))
            found += self._aggregated(rows)
        if not reached:
            raise self._table.nothing()
        return self._finished(found, reached, rows)

    def range(self) -> Gathered | None:
        """What the rows give that are a range of those of a larger table; None if there are none."""
        import polars as pl

        frames = list(self._frames())
        if not frames:
            return None
        rows = pl.concat(frames, rechunk=True)
        outer = pl.col(BAR).is_in([rows[BAR].min(), rows[BAR].max()])
        inner = rows.filter(~outer).rechunk()
        found = self._aggregated(inner) if inner.height else []
        order = rows.select(self._table.order)
        ends = pl.concat([order.head(1), order.tail(1)]) if rows.height > 1 else order
        told = {name: values[0] for name in self._telling if len(values := rows[name].drop_nulls())}
        edges = rows.filter(outer).select(self._wanted)
        return Gathered(found[0] if found else None, edges, self._reached(rows), ends, told)

    def joined(self, parts: Sequence[Gathered]) -> tuple[pl.DataFrame, Extent] | None:
        """What `here` gives, of ranges that follow one another; None if they have no rows or do not follow."""
        import polars as pl

        if not parts or first_fall(pl.concat([one.ends for one in parts]), unique=True) is not None:
            return None
        if any(len({one.told[name] for one in parts if name in one.told}) > 1 for name in self._telling):
            return None
        edges = pl.concat([one.edges for one in parts], rechunk=True)
        found = [one.found for one in parts if one.found is not None] + self._aggregated(edges)
        return self._finished(found, [one.reached for one in parts], edges)

    def _frames(self) -> Iterator[pl.DataFrame]:
        """The rows in their order, looked at, part by part."""
        table, telling = self._table, self._telling
        rest = [name for name in (*table.order, *telling) if name not in self._wanted]
        frames = _placed(self._ready.ordered([*self._wanted, *rest], unique=table.log_order), table)
        frames = repeats.one_series(frames, telling, table.name, "one bar") if telling else frames
        return frames if self._entity is None else _of_series(frames, self._entity, table.name)

    def _reached(self, rows: pl.DataFrame) -> pl.DataFrame:
        import polars as pl

        low, high = pl.col("\x00place").min().alias(LOW), pl.col("\x00place").max().alias(HIGH)
        return rows.group_by(self._apart).agg(low, high) if self._apart else rows.select(low, high)

    def _aggregated(self, rows: pl.DataFrame) -> list[pl.DataFrame]:
        """One row a bar; nothing where nothing is aggregated."""
        if not self._columns:
            return []
        return [rows.group_by(*self._apart, BAR, maintain_order=True).agg(self._columns)]

    def _finished(
        self, found: list[pl.DataFrame], reached: list[pl.DataFrame], rows: pl.DataFrame
    ) -> tuple[pl.DataFrame, Extent]:
        import polars as pl

        apart, every = self._apart, pl.concat(reached)
        starts = every.group_by(apart).agg(pl.col(LOW).min()).sort(apart) if apart else None
        first, last = every.select(pl.col(LOW).min(), pl.col(HIGH).max()).row(0)
        extent = Extent(first, last, starts)
        if not found:
            return rows.select(*apart, BAR).clear(), extent
        return wide.narrowed(wholes_of.finished(pl.concat(found), self._wholes)), extent


def _require_kinds(rows: pl.LazyFrame, index: int, one: Aggregate, where: str) -> None:
    """Refuse what no bar can be made of: sums of text, the least of lists, conditions that are none."""
    what = f"{where}: {one.name}"
    if one.where is not None:
        require_condition(rows, f"\x00if{index}", what)
    if one.of is None:
        return
    if one.op in {"sum", "mean", "std", "median"} or one.empty == "zero":
        kinds.require_numbers(rows, f"\x00of{index}", what)
    elif one.op in {"min", "max"}:
        kinds.require_order(rows, f"\x00of{index}", what)
    else:
        kinds.require_single(rows, f"\x00of{index}", what)


def _whole(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """A column of whole numbers as Int64 if its type has no more, else Int128."""
    import polars as pl

    if dtype == pl.UInt128:
        return wide.widened(value)
    return value.cast(pl.Int128 if dtype in {pl.UInt64, pl.Int128} or dtype.is_decimal() else pl.Int64)


def _of_series(frames: Iterator[pl.DataFrame], entity: str, table: str) -> Iterator[pl.DataFrame]:
    """The frames, if each of their rows is of a series."""
    first = 0
    for frame in frames:
        series.refuse_missing(frame, entity, table, first)
        first += frame.height
        yield frame


def _place(table: Table, spec: Bars, where: str) -> pl.Expr:
    """Where a row is on the axis that bars divide."""
    import polars as pl

    if spec.blocks is not None:
        if BLOCK not in table.schema:
            raise ColumnMissing(
                f"{where} are of blocks, and the table has no block_number", 'Use a time: every = "1h".'
            )
        return pl.col(BLOCK).cast(pl.Int64)
    if table.time is None:
        raise ColumnMissing(
            f"{where} are of time, and the table has none", 'Set `time`; for chain data, collect "blocks" as well.'
        )
    return pl.col(table.time).cast(pl.Int64)


def _placed(frames: Iterator[pl.DataFrame], table: Table) -> Iterator[pl.DataFrame]:
    """The same frames; a row that is nowhere belongs to no bar."""
    rows = 0
    for frame in frames:
        nowhere = frame["\x00place"].is_null()
        if nowhere.any():
            row = rows + int(nowhere.arg_max() or 0) + 1
            raise TimeBackwards(f"row {row} of {table.name} has no time ({table.path})", "Correct or remove such rows.")
        rows += frame.height
        yield frame


def _whole_bars(frames: Iterator[pl.DataFrame], entity: str | None) -> Iterator[pl.DataFrame]:
    """Cut elsewhere: a bar that may go on in the next part (the last one of each series) waits for it."""
    import polars as pl

    newest = pl.col(BAR).max() if entity is None else pl.col(BAR).max().over(entity)
    waiting: pl.DataFrame | None = None
    for frame in frames:
        joined = frame if waiting is None else pl.concat([waiting, frame], rechunk=True)
        whole = joined.filter(pl.col(BAR) < newest)
        waiting = joined.filter(pl.col(BAR) == newest)
        if whole.height:
            yield whole.rechunk()
    if waiting is not None:
        yield waiting.rechunk()


def _aggregate(index: int, one: Aggregate, schema: pl.Schema) -> list[pl.Expr]:
    import polars as pl

    condition = pl.col(f"\x00if{index}").cast(pl.Boolean)
    if one.op == "count":
        counted = pl.len() if one.where is None else condition.sum()
        return [counted.cast(pl.Int64).alias(one.name)]
    value = pl.col(f"\x00of{index}")
    if one.where is not None:
        value = value.filter(condition)
    dtype = schema[f"\x00of{index}"]
    if wide.is_whole(dtype):
        return wholes_of.gathered(value, dtype, one.op, one.name)
    return [getattr(value, one.op)().alias(one.name)]
