"""Rows gathered into bars of equal time or equally many blocks.

A bar is made of the rows before its end and of nothing later, so what is known at its end is what it says.
Each bar is computed from all its rows together, in their order, whatever the parts they are read in: the
result does not depend on the number of cores or the size of the parts, to the last bit.

Of several series each has its own bars, from the first whole one after its first row to the end of the data.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from assay.data.errors import MixedTypes
from assay.data.expressions import wide
from assay.data.features import series
from assay.data.features.gathering import gatherings
from assay.data.features.grid import BAR, BLOCK, covered, frame_of, grid_of, length_of, of_each
from assay.data.tables.table import TIME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

    from assay.data.features.gathering import Gathered
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
    parts: Mapping[str, Sequence[Gathered]] = MappingProxyType({}),
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
    parts
        Of tables whose rows were gathered elsewhere, range by range: what each range gave. What does not fit together
        is gathered here, which says why.

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
    made = {}
    extents = []
    for name, one in gatherings(spec, tables, main, entity=entity, mixed=mixed).items():
        progress(f"Gathering {name} into bars of {spec.every}")
        joined = one.joined(parts[name]) if name in parts else None
        made[name], extent = one.here() if joined is None else joined
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


def _require_same_type(found: pl.DataFrame, bars: pl.DataFrame, entity: str, table: str) -> None:
    """Raise MixedTypes if two tables tell their series apart by values that cannot be equal."""
    one, other = found.schema[entity], bars.schema[entity]
    if one != other:
        raise MixedTypes(
            f"[data.bars] of {table}: the column {entity} is of type {one}, and the bars' own of type {other}",
            "Give both the same type.",
        )


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
