"""Rows gathered into bars of equal time or equally many blocks.

A bar is made of the rows before its end and of nothing later, so what is known at its end is what it says.
Each bar is computed from all its rows together, in their order, whatever the parts they are read in: the
result does not depend on the number of cores or the size of the parts, to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.data.errors import ColumnMissing, TimeBackwards, TooFewRows
from assay.data.expressions import evaluated
from assay.data.table import TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from assay.data.table import Table
    from assay.task.data import Aggregate, Bars

BLOCK = "block_number"
_BAR = "\x00bar"
_MICRO = 1_000_000


@dataclass(frozen=True)
class Grid:
    """Which bars there are: those that the data covers from beginning to end.

    Attributes
    ----------
    first, count
        Number of the first bar, and how many.
    incomplete
        Bars left out at the ends because the data begins or ends within them.
    """

    first: int
    count: int
    incomplete: int


def bars(
    spec: Bars,
    tables: dict[str, Table],
    main: str,
    blocks: pl.DataFrame | None,
    progress: Callable[[str], None] = lambda _: None,
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

    Returns
    -------
    DataFrame
        `time` (the bar's end; for bars of blocks, the last block's time), `block_number` (the last block, where
        there are blocks) and a column for each aggregate; one row a bar, without holes.
    Grid
        Which bars those are.

    Raises
    ------
    TooFewRows
        If the data covers no bar from beginning to end.
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
        made[name], extent = _of_table(tables[name], spec, aggregates)
        extents.append(extent)
    grid = _grid(spec, blocks, extents[0])
    result = _frame(grid, spec, blocks)
    for found in made.values():
        result = result.join(found, on=_BAR, how="left", maintain_order="left")
    filled = [_filled(column) for column in spec.columns]
    return result.with_columns(filled).drop(_BAR).select(TIME, *_block(result), *[c.name for c in spec.columns]), grid


def _block(frame: pl.DataFrame) -> list[str]:
    return [BLOCK] if BLOCK in frame.columns else []


def _of_table(table: Table, spec: Bars, aggregates: Sequence[Aggregate]) -> tuple[pl.DataFrame, tuple[int, int]]:
    """The bars of one table that has rows, and its first and last place (microseconds, or blocks)."""
    import polars as pl

    where = f"[data.bars] of {table.name}"
    place = _place(table, spec, where)
    expressions = {f"\x00of{i}": one.of for i, one in enumerate(aggregates) if one.of is not None}
    conditions = {f"\x00if{i}": one.where for i, one in enumerate(aggregates) if one.where is not None}
    length = spec.blocks or (spec.seconds or 0) * _MICRO

    def prepared(part: pl.LazyFrame) -> pl.LazyFrame:
        part = evaluated(part, expressions | conditions, where)
        schema = part.collect_schema()
        part = part.with_columns(pl.col(name).cast(pl.Int128) for name in expressions if schema[name].is_integer())
        return part.with_columns(place.alias("\x00place"), (place // length).alias(_BAR))

    ready = table.map(prepared)
    wanted = [_BAR, "\x00place", *expressions, *conditions]
    columns = [_aggregate(index, one) for index, one in enumerate(aggregates)]
    found: list[pl.DataFrame] = []
    ends: list[int] = []
    rest = [name for name in table.order if name not in wanted]
    frames = ready.ordered([*wanted, *rest], unique=table.log_order)
    for rows in _whole_bars(_placed(frames, table)):
        ends += [int(rows["\x00place"][0]), int(rows["\x00place"][-1])]
        if columns:
            found.append(rows.group_by(_BAR, maintain_order=True).agg(columns))
    if not ends:
        raise table.nothing()
    frame = _narrowed(pl.concat(found)) if found else pl.DataFrame(schema={_BAR: pl.Int64})
    return frame, (min(ends), max(ends))


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


def _whole_bars(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Cut elsewhere: a bar that may go on in the next part waits for it."""
    import polars as pl

    waiting: pl.DataFrame | None = None
    for frame in frames:
        joined = frame if waiting is None else pl.concat([waiting, frame], rechunk=True)
        last = joined[_BAR][-1]
        whole = joined.filter(pl.col(_BAR) < last)
        waiting = joined.filter(pl.col(_BAR) == last)
        if whole.height:
            yield whole.rechunk()
    if waiting is not None:
        yield waiting.rechunk()


def _aggregate(index: int, one: Aggregate) -> pl.Expr:
    import polars as pl

    condition = pl.col(f"\x00if{index}").cast(pl.Boolean)
    if one.op == "count":
        counted = pl.len() if one.where is None else condition.sum()
        return counted.cast(pl.Int64).alias(one.name)
    value = pl.col(f"\x00of{index}")
    if one.where is not None:
        value = value.filter(condition)
    return getattr(value, one.op)().alias(one.name)  # type: ignore[no-any-return]


def _narrowed(frame: pl.DataFrame) -> pl.DataFrame:
    """Whole numbers that fit 64 bits as such, whatever they were computed in."""
    import polars as pl

    wide = frame.select(pl.col(pl.Int128))
    fits = [
        name
        for name in wide.columns
        if frame[name].cast(pl.Int64, strict=False).null_count() == frame[name].null_count()
    ]
    return frame.with_columns(pl.col(fits).cast(pl.Int64))


def _grid(spec: Bars, blocks: pl.DataFrame | None, extent: tuple[int, int]) -> Grid:
    """The bars within what is covered: by the blocks if there are any, else by the rows themselves."""
    low, high = extent
    if spec.blocks is not None:
        length, unit = spec.blocks, "blocks"
        if blocks is not None:
            low, high = int(blocks[BLOCK][0]), int(blocks[BLOCK][-1])
        high += 1
    else:
        length, unit = (spec.seconds or 0) * _MICRO, "of the time"
        if blocks is not None:
            low, high = (int(value) for value in blocks[TIME].to_physical().gather([0, -1]))
    first, end = -(-low // length), high // length
    if end <= first:
        raise TooFewRows(
            f"the data covers no bar of {spec.every} from beginning to end", f"Collect more {unit}, or shorten `every`."
        )
    # The bar in which the last time lies is not over, even if it begins there.
    open_end = spec.blocks is None or high % length != 0
    return Grid(first, end - first, (low % length != 0) + open_end)


def _frame(grid: Grid, spec: Bars, blocks: pl.DataFrame | None) -> pl.DataFrame:
    """Number, time and last block of each bar."""
    import polars as pl

    number = pl.int_range(grid.first, grid.first + grid.count, dtype=pl.Int64)
    frame = pl.select(number.alias(_BAR))
    if spec.blocks is None:
        end = ((pl.col(_BAR) + 1) * ((spec.seconds or 0) * _MICRO)).cast(pl.Datetime("us", "UTC"))
        frame = frame.with_columns(end.alias(TIME))
        if blocks is None:
            return frame
        # The last block before the bar's end.
        known = blocks.select(TIME, pl.col(BLOCK).cast(pl.Int64))
        return frame.join_asof(known, on=TIME, strategy="backward", allow_exact_matches=False, check_sortedness=False)
    if blocks is None:
        raise ColumnMissing("bars of blocks need the blocks' times", 'Collect the dataset "blocks" as well.')
    frame = frame.with_columns(((pl.col(_BAR) + 1) * spec.blocks - 1).alias(BLOCK))
    known = blocks.select(pl.col(BLOCK).cast(pl.Int64), TIME)
    return frame.join(known, on=BLOCK, how="left", maintain_order="left")


def _filled(one: Aggregate) -> pl.Expr:
    import polars as pl

    default = {"count": "zero", "sum": "zero", "last": "previous"}.get(one.op, "missing")
    how = one.empty or default
    column = pl.col(one.name)
    if how == "zero":
        return column.fill_null(0)
    return column.forward_fill() if how == "previous" else column
