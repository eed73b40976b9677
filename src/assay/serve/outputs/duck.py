"""Answers in a DuckDB file, or in a folder of Parquet files, one for each day on which answers were asked for."""

from __future__ import annotations

import tempfile
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.core.errors import AssayError, MissingLibrary
from assay.serve.outputs.errors import OutputFails, OutputTable
from assay.serve.outputs.row import COLUMNS

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_TYPES = {"text": "VARCHAR", "whole": "BIGINT", "number": "DOUBLE", "time": "TIMESTAMP"}


class DuckTable:
    """A table of a DuckDB file, which is open only while it is written: others may read it in between.

    Parameters
    ----------
    path
        The file.
    name
        Of the table.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name

    def give(self, rows: list[dict[str, Any]]) -> None:
        """Insert or replace these rows, all or none; raises `OutputFails` or `OutputTable`."""
        with files.translated(self._path, "write"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
        with closing(_opened(str(self._path))) as base:
            _make(base, self._name)
            _upsert(base, self._name, rows)

    def close(self) -> None:
        """Nothing is open."""


class ParquetFolder:
    """A folder with NAME-YYYY-MM-DD.parquet; a day's file is replaced whole, by one rename.

    Parameters
    ----------
    path
        The folder.
    name
        What its files' names begin with.
    """

    def __init__(self, path: Path, name: str) -> None:
        self._path, self._name = path, name

    def give(self, rows: list[dict[str, Any]]) -> None:
        """Put these rows into the files of their days; raises `OutputFails` or `OutputTable`."""
        ordered = sorted(rows, key=lambda row: (row["created"], row["id"]))
        for day, of_day in groupby(ordered, key=lambda row: row["created"].date().isoformat()):
            with files.translated(self._path, "write"):
                self._put(self._path / f"{self._name}-{day}.parquet", list(of_day))

    def close(self) -> None:
        """Nothing is open."""

    def _put(self, path: Path, rows: list[dict[str, Any]]) -> None:
        with closing(_opened(":memory:")) as base, tempfile.TemporaryDirectory(prefix="assay-output-") as name:
            _make(base, "held")
            if path.is_file():
                there = Path(name) / "there.parquet"  # the reader takes ? and [ in a name for a pattern
                files.write(there, files.read(path))
                asked = f"INSERT INTO held SELECT {_names()} FROM read_parquet(?)"  # noqa: S608  our own columns
                _run(base, asked, [str(there)], table=path.name)
            _upsert(base, "held", rows)
            made = Path(name) / "made.parquet"
            _run(base, f"COPY (SELECT * FROM held ORDER BY created, id) TO '{made}' (FORMAT parquet)")  # noqa: S608
            files.write(path, made.read_bytes())


def _opened(path: str) -> DuckDBPyConnection:
    try:
        import duckdb
    except ModuleNotFoundError as error:
        raise MissingLibrary(
            "DuckDB and Parquet outputs need the package duckdb", "Run `pip install duckdb`."
        ) from error
    try:
        return duckdb.connect(path)
    except duckdb.Error as error:
        raise _failed(error) from None


def _make(base: DuckDBPyConnection, name: str) -> None:
    columns = ", ".join(f'"{column}" {_TYPES[kind]}' for column, kind in COLUMNS.items())
    _run(base, f'CREATE TABLE IF NOT EXISTS "{name}" ({columns}, PRIMARY KEY (id))')


def _upsert(base: DuckDBPyConnection, name: str, rows: list[dict[str, Any]]) -> None:
    marks = ", ".join("?" for _ in COLUMNS)
    asked = f'INSERT OR REPLACE INTO "{name}" ({_names()}) VALUES ({marks})'  # noqa: S608  the task's pattern
    _run(base, "BEGIN")
    for row in rows:
        _run(base, asked, [row[column] for column in COLUMNS], table=name)
    _run(base, "COMMIT")


def _names() -> str:
    return ", ".join(f'"{column}"' for column in COLUMNS)


def _run(base: DuckDBPyConnection, asked: str, values: list[Any] | None = None, *, table: str = "") -> None:
    import duckdb

    try:
        base.execute(asked, values or [])
    except (duckdb.BinderException, duckdb.CatalogException) as error:
        said = str(error).splitlines()[0]
        raise OutputTable(f'its table "{table}" has another form ({said:.120})', "Name another table.") from None
    except duckdb.Error as error:
        raise _failed(error) from None


def _failed(error: Exception) -> AssayError:
    said = str(error).splitlines()[0]
    return OutputFails(f"its file does not take the answers ({said:.160})", "Does another program hold it open?")
