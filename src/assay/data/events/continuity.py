"""Is chain data whole? Blocks follow each other by number and by hash, and time never goes backwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.data.errors import BlocksMissing, ColumnMissing, MixedTypes, Reorganised, TimeBackwards
from assay.data.expressions import require
from assay.data.tables.gates import Gate
from assay.data.tables.table import TIME

if TYPE_CHECKING:
    import polars as pl

    from assay.data.tables.table import Table

_NUMBER, _HASH, _PARENT = "block_number", "block_hash", "parent_hash"
_EXPECTED = "\x00expected_hash"


def read_blocks(table: Table, *, strict: bool = True) -> pl.DataFrame:
    """Read number, time and hash of every block, and check that they are one chain.

    Parameters
    ----------
    table
        Blocks as Cryo writes them; `parent_hash` is checked where it is there.
    strict
        Whether to check; else the blocks are only read.

    Returns
    -------
    DataFrame
        Columns `block_number`, `time` and, where the table has it, `block_hash`; one row a block, in order.

    Raises
    ------
    BlocksMissing
        If a number is left out.
    Duplicated
        If a block is there twice.
    Reorganised
        If a block's parent is not the block before: they are of different branches.
    ColumnMissing, MixedTypes
        If they have no timestamp, or one of them none that counts seconds.
    TimeBackwards
        If a block is older than the one before.
    """
    import polars as pl

    names = table.schema.names()
    require(_NUMBER, names, f"the blocks of {table.path}")
    if TIME not in names:
        raise ColumnMissing(
            f"the blocks of {table.path} have no timestamp, which says when a block was and a bar ends",
            "Collect them with it (Cryo's column `timestamp`).",
        )
    columns = [name for name in (_NUMBER, TIME, _HASH, _PARENT) if name in names]
    found: list[pl.DataFrame] = []
    last: pl.DataFrame | None = None
    for frame in table.ordered(columns, unique=True) if strict else table.batches(columns):
        joined = frame if last is None else pl.concat([last, frame])
        if strict:
            _chain(joined, table)
        _require_times(frame, table)
        last = frame.tail(1)
        found.append(frame.drop(_PARENT, strict=False))
    if not found:
        raise table.nothing()
    return pl.concat(found, rechunk=True)


def _require_times(blocks: pl.DataFrame, table: Table) -> None:
    import polars as pl

    timeless = blocks.filter(pl.col(TIME).is_null())
    if timeless.height:
        raise MixedTypes(
            f"block {timeless[_NUMBER][0]} of {table.path} has no timestamp that counts seconds since 1970 "
            f"({timeless.height} such blocks in this part)",
            "Collect those blocks again.",
        )


def _chain(blocks: pl.DataFrame, table: Table) -> None:
    import polars as pl

    number = pl.col(_NUMBER).cast(pl.Int64)
    gap = blocks.with_row_index("\x00row").filter(number != number.shift(1) + 1)
    if gap.height:
        here = gap[_NUMBER][0]
        before = blocks[_NUMBER][int(gap["\x00row"][0]) - 1]
        raise BlocksMissing(
            f"{table.name} leaves out blocks {before + 1} to {here - 1} ({table.path})", "Collect those blocks."
        )
    if {_HASH, _PARENT} <= set(blocks.columns):
        torn = blocks.filter(pl.col(_PARENT) != pl.col(_HASH).shift(1))
        if torn.height:
            raise Reorganised(
                f"block {torn[_NUMBER][0]} of {table.name} does not follow the block before it: the chain was "
                f"reorganised while it was collected ({table.path})",
                "Remove the files around that block and collect them again, with a larger reorg_buffer.",
            )
    late = blocks.filter(pl.col(TIME) < pl.col(TIME).shift(1))
    if late.height:
        raise TimeBackwards(
            f"block {late[_NUMBER][0]} of {table.name} is older than the block before it ({table.path})",
            "Collect those blocks again; no chain allows that.",
        )


def with_times(table: Table, blocks: pl.DataFrame) -> Table:
    """Give each row the time of its block.

    Parameters
    ----------
    table
        Has `block_number`; where it has `block_hash`, that is compared with the blocks'.
    blocks
        What `read_blocks` returned.

    Returns
    -------
    Table
        With the column `time`.

    Raises
    ------
    BlocksMissing
        When it is read: if a row's block is not among the blocks.
    Reorganised
        When it is read: if a row is of another block of that number.
    """
    import polars as pl

    compared = _HASH in table.schema and _HASH in blocks.columns
    known = blocks.select(
        pl.col(_NUMBER).cast(table.schema[_NUMBER]),
        TIME,
        *([pl.col(_HASH).alias(_EXPECTED)] if compared else []),
    ).lazy()

    def timed(part: pl.LazyFrame) -> pl.LazyFrame:
        return part.drop(TIME, strict=False).join(known, on=_NUMBER, how="left", maintain_order="left")

    def judge(frame: pl.DataFrame) -> pl.DataFrame:
        lost = frame.filter(pl.col(TIME).is_null())
        if lost.height:
            raise BlocksMissing(
                f"{table.name} has rows of block {lost[_NUMBER][0]}, which is not among the blocks collected",
                'Collect "blocks" for the same range.',
            )
        if compared:
            torn = frame.filter(pl.col(_HASH) != pl.col(_EXPECTED))
            if torn.height:
                raise Reorganised(
                    f"{table.name} has rows of another block {torn[_NUMBER][0]} than the blocks do: the chain was "
                    "reorganised while it was collected",
                    "Remove the files of that block and collect them again, with a larger reorg_buffer.",
                )
        return frame

    needs = (_NUMBER, TIME, *((_HASH, _EXPECTED) if compared else ()))
    return replace(table.map(timed), time=TIME, gates=(*table.gates, Gate(needs, judge)))
