"""Sorting of tables that do not fit into memory, by DuckDB, which puts what is too much on the disk."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.core.files import storage_error
from assay.data.sources.parquet import table_of
from assay.data.tables.store import write_parquet

if TYPE_CHECKING:
    from pathlib import Path

    from assay.data.tables.table import Table

MEMORY = "1GB"


def sorted_copy(table: Table, column: str, work: Path) -> Table:
    """Copy a table into the work folder, sorted by a column; rows of equal value stay in their order.

    Raises
    ------
    ColumnMissing
        If there is no such column.
    SourceUnreadable, StorageError
        If the table cannot be read, or there is no space for the copy.
    """
    import duckdb
    import polars as pl

    from assay.data.expressions import require

    require(column, table.columns, f"the check of {column}")
    folder = work / f"{table.name}-unsorted"
    folder.mkdir()
    row = 0
    for index, frame in enumerate(table.batches()):
        numbered = frame.with_columns(pl.int_range(row, row + frame.height, dtype=pl.Int64).alias("__row"))
        write_parquet(numbered, folder / f"{index:06}.parquet")
        row += frame.height
    if not row:
        raise table.nothing()
    result = work / f"{table.name}-sorted.parquet"
    with duckdb.connect(config={"memory_limit": MEMORY, "temp_directory": str(work / "duckdb")}) as connection:
        connection.execute("SET preserve_insertion_order = false")
        quoted = column.replace('"', '""')
        sources = ", ".join(_text(path) for path in sorted(folder.iterdir()))
        try:
            connection.execute(
                f'COPY (SELECT * EXCLUDE (__row) FROM read_parquet([{sources}]) ORDER BY "{quoted}" NULLS LAST, __row) '  # noqa: S608
                f"TO {_text(result)} (FORMAT parquet)"
            )
        except duckdb.IOException as error:
            full = OSError(errno.ENOSPC, " ".join(str(error).split())[:100])
            raise storage_error(full, result, "write") from None
    copy = table_of(table.name, [result], work)
    order = (column,) if table.time == column else table.order
    return replace(table, parts=copy.parts, gates=(), order=order)


def _text(path: Path) -> str:
    """A path as SQL text."""
    return "'" + str(path).replace("'", "''") + "'"
