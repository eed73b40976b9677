"""Rows gathered into bars of equal time or equally many blocks.

A bar is made of the rows before its end and of nothing later, so what is known at its end is what it says.
Each bar is computed from all its rows together, in their order, whatever the parts they are read in: the
result does not depend on the number of cores or the size of the parts, to the last bit.

Of several series each has its own bars, from the first whole one after its first row to the end of the data.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.data.errors import ColumnMissing, MixedTypes, TimeBackwards
from assay.data.expressions import evaluated, wide
from assay.data.expressions.evaluate import require_condition
from assay.data.features import series
from assay.data.features import wholes as wholes_of
from assay.data.features.grid import BAR, BLOCK, HIGH, LOW, Extent, covered, frame_of, grid_of, length_of, of_each
from assay.data.tables import kinds, repeats
from assay.data.tables.table import TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from assay.data.features.grid import Grid
    from assay.data.tables.table import Table
    from assay.task.data import Aggregate, Bars


def bars(
    spec: Bars,
    tables: dict[str, Table],
    main: str,
    blocks: pl.DataFrame | None,
    progress: Callable[[str], None] = lambda _: None,
    *,
    entity: str | None = None,
    mixed: bool = False,
) -> tuple[pl.DataFrame, Grid]:
    """Gather rows into bars.

    Parameters
    ----------
    spec
        The section [data.bars].
    tables
        Tables by name, each in the order of its time.
    main
        The table of aggregates that name none.
    blocks
        What `read_blocks` returned, if there are blocks: they say what range is covered.
    progress
        Is told what happens next.
    entity
        The column of every table that tells series apart, if there are several.
    mixed
        Without an entity: whether rows of several contracts or series may go into one bar.

    Returns
    -------
    DataFrame
        `time` (the bar's end; for bars of blocks, the last block's time), `block_number` (the last block, where
        there are blocks), the entity and a column for each aggregate; one row a bar (of each series), without holes.
    Grid
        Which bars those are.

    Raises
    ------
    TooFewRows
        If the data covers no bar from beginning to end.
    Duplicated
        If a table has rows of several series, and nobody said so.
    DataError
        If the rows are out of order, or a column or expression is wrong.
    """
    by_table: dict[str, list[Aggregate]] = {main: []}
    for column in spec.columns:
        by_table.setdefault(column.table or main, []).append(column)
    made = {}
    extents = []
    for name, aggregates in by_table.items():
        progress(f"Gathering {name} into bars of {spec.every}")
        spoken = [text for one in spec.columns for text in (one.of, one.where)]
        apart = [] if mixed or entity is not None else series.telling(tables[name], spoken)
        made[name], extent = _of_table(tables[name], spec, aggregates, entity, apart)
        extents.append(extent)
    low, high = covered(spec, blocks, extents[0])
    grid = grid_of(spec, low, high)
    result = frame_of(grid, spec, blocks)
    if extents[0].starts is not None:
        result, grid = of_each(result, grid, extents[0].starts, high, length_of(spec))
    keys = [entity, BAR] if entity is not None else [BAR]
    for name, found in made.items():
        if entity is not None:
            _require_same_type(found, result, entity, name)
        result = result.join(found, on=keys, how="left", maintain_order="left")
    filled = result.with_columns(_filled(column, entity, result.schema[column.name]) for column in spec.columns)
    result = series.in_time(filled, TIME, entity)
    apart = [entity] if entity is not None else []
    return result.select(TIME, *_block(result), *apart, *[column.name for column in spec.columns]), grid


def _block(frame: pl.DataFrame) -> list[str]:
    return [BLOCK] if BLOCK in frame.columns else []


def _of_table(
    table: Table, spec: Bars, aggregates: Sequence[Aggregate], entity: str | None, telling: list[str]
) -> tuple[pl.DataFrame, Extent]:
    """The bars of one table that has rows, and where those lie."""
    import polars as pl

    where = f"[data.bars] of {table.name}"
    apart = [entity] if entity is not None else []
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

    ready = table.explaining(table.map(prepared), expressions | conditions, where)
    wanted = [BAR, "\x00place", *apart, *expressions, *conditions]
    schema = ready.schema
    for index, one in enumerate(aggregates):
        _require_kinds(ready.parts[0], index, one, where)
    columns = [part for index, one in enumerate(aggregates) for part in _aggregate(index, one, schema)]
    wholes = {
        one.name: (schema[f"\x00of{index}"], one.op)
        for index, one in enumerate(aggregates)
        if one.of is not None and wide.is_whole(schema[f"\x00of{index}"])
    }
    found: list[pl.DataFrame] = []
    low, high = pl.col("\x00place").min().alias(LOW), pl.col("\x00place").max().alias(HIGH)
    ends: list[pl.DataFrame] = []
    rest = [name for name in (*table.order, *telling) if name not in wanted]
    frames = _placed(ready.ordered([*wanted, *rest], unique=table.log_order), table)
    frames = repeats.one_series(frames, telling, table.name, "one bar") if telling else frames
    for rows in _whole_bars(frames if entity is None else _of_series(frames, entity, table.name), entity):
        ends.append(rows.group_by(apart).agg(low, high) if apart else rows.select(low, high))
        if columns:
            found.append(rows.group_by(*apart, BAR, maintain_order=True).agg(columns))
    if not ends:
        raise table.nothing()
    reached = pl.concat(ends)
    starts = reached.group_by(apart).agg(pl.col(LOW).min()).sort(apart) if apart else None
    first, last = reached.select(pl.col(LOW).min(), pl.col(HIGH).max()).row(0)
    extent = Extent(first, last, starts)
    if not found:
        return rows.select(*apart, BAR).clear(), extent
    return wide.narrowed(wholes_of.finished(pl.concat(found), wholes)), extent


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


def _require_same_type(found: pl.DataFrame, bars: pl.DataFrame, entity: str, table: str) -> None:
    """Raise MixedTypes if two tables tell their series apart by values that cannot be equal."""
    one, other = found.schema[entity], bars.schema[entity]
    if one != other:
        raise MixedTypes(
            f"[data.bars] of {table}: the column {entity} is of type {one}, and the bars' own of type {other}",
            "Give both the same type.",
        )


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


def _filled(one: Aggregate, entity: str | None, dtype: pl.DataType) -> pl.Expr:
    import polars as pl

    default = {"count": "zero", "sum": "zero", "last": "previous"}.get(one.op, "missing")
    how = one.empty or default
    column = pl.col(one.name)
    if how == "zero":
        if wide.is_wide(dtype):
            return pl.when(column.is_null()).then(wide.record(wide.literal(0))).otherwise(column).alias(one.name)
        return column.fill_null(0)
    if how != "previous":
        return column
    return column.forward_fill() if entity is None else column.forward_fill().over(entity)
