"""Chain data: what Cryo extracts from a node is kept in a folder, and a folder is read where it lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.core.errors import NotFound
from assay.data.sources import cryo_files
from assay.data.sources.cryo_collect import collect

if TYPE_CHECKING:
    from pathlib import Path

    from assay.data.sources.context import Context
    from assay.data.tables.table import Table
    from assay.task.sources import ChainSource


def open_cryo(spec: ChainSource, context: Context) -> dict[str, Table]:
    """Collect what is missing, if the source has a node, and open its datasets.

    Returns
    -------
    dict
        Tables called NAME.DATASET.

    Raises
    ------
    NotFound, SourceEmpty
        If there is no folder, or it has none of the datasets.
    DataError
        As `collect` and `cryo_files.tables` do.
    """
    folder = place(spec, context)
    if spec.rpc is not None:
        collect(spec, context, folder)
    if not folder.is_dir():
        raise NotFound(f"cannot read {folder}: there is no such folder", "Check `folder`, or give `rpc`.")
    opened = cryo_files.tables(spec.name, folder, spec.datasets, continuous=spec.continuity)
    return {name: _bounded(table, spec) for name, table in opened.items()}


def place(spec: ChainSource, context: Context) -> Path:
    """The folder of a source's files."""
    return context.path(spec.folder) if spec.folder is not None else context.project / "chain" / spec.name


def _bounded(table: Table, spec: ChainSource) -> Table:
    """Only the blocks that the task asks for: a folder may hold more."""
    import polars as pl

    number = pl.col("block_number")
    wanted = number >= spec.start_block
    if isinstance(spec.end_block, int):
        wanted &= number <= spec.end_block
    elif spec.start_block == 0:
        return table
    return replace(table, parts=tuple(part.filter(wanted) for part in table.parts))
