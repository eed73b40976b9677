"""Parquet files, read in parts where they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.core import paths
from assay.core.errors import NotFound
from assay.core.files import translated
from assay.data.errors import ColumnMissing, MixedTypes, SettingsUnfit, SourceEmpty
from assay.data.tables.content import hash_files
from assay.data.tables.table import PART_ROWS, Table, unreadable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from assay.data.sources.context import Context
    from assay.task.sources import ParquetSource


def open_parquet(spec: ParquetSource, context: Context) -> Table:
    """Open the files of a source.

    Raises
    ------
    NotFound, SourceEmpty
        If there are none.
    SourceUnreadable
        If one is cut short or no Parquet.
    ColumnMissing, MixedTypes
        If one has other columns than the first.
    """
    files, root = matching(spec.path, context, ".parquet")
    return table_of(spec.name, files, root)


def matching(written: str, context: Context, suffix: str) -> tuple[list[Path], Path]:
    """The files that a path of the task means, sorted, and the folder that they are below."""
    path = context.path(written)
    with translated(path, "read"):
        if path.is_file():
            return [path], path.parent
        if path.is_dir():
            files, root = sorted(path.rglob(f"*{suffix}")), path
        elif paths.is_pattern(written):
            files, root = _matching(written, context)
        else:
            raise NotFound(f"cannot read {path}: there is no such file or folder", "Check the path.")
    if not files:
        raise SourceEmpty(f"{path} has no {suffix} files", "Check the path.")
    return files, root


def _matching(written: str, context: Context) -> tuple[list[Path], Path]:
    try:
        return paths.matching(context.project, written)
    except ValueError as error:
        raise SettingsUnfit(f"{written!r:.80} is no pattern ({error})", "Write it like data/*.csv.") from None


def table_of(name: str, files: Sequence[Path], root: Path, order: tuple[str, ...] = ()) -> Table:
    """The rows of Parquet files of one schema, in the order given; raises as `open_parquet` does."""
    schema = schema_of(files[0])
    for file in files[1:]:
        _same(schema, schema_of(file), file, files[0])
    path = str(files[0] if len(files) == 1 else root)
    return Table(name, tuple(_parts(files)), hash_files(files, root), path, order)


def schema_of(file: Path) -> dict[str, pl.DataType]:
    """Columns of a Parquet file; raises SourceUnreadable."""
    import polars as pl

    try:
        return dict(_scan([file]).collect_schema())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(file, error) from None


def _same(first: dict[str, pl.DataType], other: dict[str, pl.DataType], file: Path, model: Path) -> None:
    for column, dtype in first.items():
        if column not in other:
            raise ColumnMissing(
                f"{file} has no column {column}, which {model.name} has",
                f"Write both alike. It has: {', '.join(list(other)[:12])}.",
            )
        if other[column] != dtype:
            raise MixedTypes(
                f"the column {column} is {other[column]} in {file} and {dtype} in {model.name}", "Write both alike."
            )


def _parts(files: Sequence[Path]) -> list[pl.LazyFrame]:
    """Files together up to the size of a part; larger files cut."""
    parts: list[pl.LazyFrame] = []
    group: list[Path] = []
    rows = 0
    for file in files:
        height = _height(file)
        if group and rows + height > PART_ROWS:
            parts.append(_scan(group))
            group, rows = [], 0
        if height > PART_ROWS:
            parts += [_scan([file]).slice(start, PART_ROWS) for start in range(0, height, PART_ROWS)]
        else:
            group.append(file)
            rows += height
    if group or not parts:
        parts.append(_scan(group or [files[0]]))
    return parts


def _scan(files: list[Path]) -> pl.LazyFrame:
    import polars as pl

    # Names are taken as they are, brackets included; columns that only later files have are left out.
    return pl.scan_parquet(files, glob=False, extra_columns="ignore")


def _height(file: Path) -> int:
    import polars as pl

    try:
        return int(pl.scan_parquet(file, glob=False).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(file, error) from None
