"""The rows of a query to DuckDB, SQLite or PostgreSQL, read in batches and never written to."""

from __future__ import annotations

import datetime as dt
import sqlite3
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from assay.core.errors import MissingLibrary, NotFound
from assay.data.errors import MixedTypes, SettingsUnfit, SourceEmpty, SqlFailed
from assay.data.expressions import wide
from assay.data.sources.context import from_environment
from assay.data.tables.content import hash_frames
from assay.data.tables.store import write_parquet
from assay.data.tables.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

    from assay.data.sources.context import Context
    from assay.task.sources import SqlSource

BATCH_ROWS = 100_000
# DuckDB would look on the network for what reads a file that is not its own.
_ALONE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
_MOST = Decimal(10) ** 200


def open_sql(spec: SqlSource, context: Context) -> Table:
    """Run the query and keep its rows in the work folder.

    Raises
    ------
    SqlFailed
        If the database is not there or refuses the query; the message never holds the address, which may have
        a password in it.
    MixedTypes
        If a column holds numbers and text.
    SourceEmpty
        If there are no rows.
    """
    import polars as pl

    where = f"[[data.sources]] {spec.name}"
    url = from_environment(spec.url, f"{where}: url")
    scheme = urlsplit(url).scheme
    if scheme == "duckdb":
        chunks = list(_duckdb(_file(url, context), spec, context.work))
    elif scheme == "sqlite":
        chunks = list(_spooled(_sqlite(_file(url, context), spec), spec, context.work))
    elif scheme in {"postgresql", "postgres"}:
        chunks = list(_spooled(_postgres(url, spec), spec, context.work))
    else:
        raise SettingsUnfit(f"{where}: url starts with {scheme!r:.20}", "It starts with duckdb, sqlite or postgresql.")
    if not chunks:
        raise SourceEmpty(f"{where}: the query has no rows", "Check it.")
    scans = [pl.scan_parquet(chunk, glob=False) for chunk in chunks]
    types = _common([dict(scan.collect_schema()) for scan in scans], where)
    parts = tuple(wide.cast(scan, types) for scan in scans)
    digest = hash_frames(part.collect() for part in parts)
    return Table(spec.name, parts, digest, f"the query of {spec.name}")


def _file(url: str, context: Context) -> Path:
    """The file of "duckdb:///relative", "duckdb:////absolute" and their like."""
    path = context.path(unquote(urlsplit(url).path).removeprefix("/"))
    if not path.is_file():
        raise NotFound(f"cannot read {path}: there is no such database", "Check the path in `url`.")
    return path


def _duckdb(path: Path, spec: SqlSource, work: Path) -> Iterator[Path]:
    import duckdb

    try:
        with duckdb.connect(str(path), read_only=True, config=_ALONE) as connection:
            answer = connection.sql(spec.query)
            if answer is None:
                raise SqlFailed(f"[[data.sources]] {spec.name}: the query returns no rows", "Write one SELECT.")
            _require_distinct(answer.columns, spec)
            for index, batch in enumerate(answer.to_arrow_reader(BATCH_ROWS)):
                frame = _frame(batch, answer, spec)
                if frame.height:
                    yield _kept(frame.with_columns(_plain(frame)), spec, work, index)
    except duckdb.Error as error:
        raise _refused(spec, error) from None


def _frame(batch: Any, answer: Any, spec: SqlSource) -> pl.DataFrame:
    """A batch of DuckDB's as a table; raises MixedTypes if a column has a type that tables have not."""
    import polars as pl

    try:
        return pl.DataFrame(pl.from_arrow(batch))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, TypeError, ValueError) as error:
        types = ", ".join(f"{name} {kind}" for name, kind in zip(answer.columns, answer.types, strict=True))
        raise MixedTypes(
            f"[[data.sources]] {spec.name}: a column of the query has a type that no table has ({types:.100}: "
            f"{_said(error):.60})",
            "CAST it in the query, an INTERVAL by epoch(...).",
        ) from None


def _plain(frame: pl.DataFrame) -> list[pl.Expr]:
    """DuckDB's decimals as they are everywhere: whole numbers without places, else the nearest float64."""
    import polars as pl

    made = []
    for name, dtype in frame.schema.items():
        if dtype.is_decimal():
            whole = wide.is_whole(dtype)
            own = pl.col(name)
            made.append(own.cast(pl.Int128) if whole else own.cast(pl.String).cast(pl.Float64))
    return made


def _sqlite(path: Path, spec: SqlSource) -> Iterator[tuple[list[str], Sequence[Sequence[Any]]]]:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        try:
            cursor = connection.execute(spec.query)
            if cursor.description is None:
                raise SqlFailed(f"[[data.sources]] {spec.name}: the query returns no rows", "Write one SELECT.")
            names = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(BATCH_ROWS):
                yield names, rows
        finally:
            connection.close()
    except (sqlite3.Error, sqlite3.Warning) as error:
        raise _refused(spec, error) from None


def _postgres(url: str, spec: SqlSource) -> Iterator[tuple[list[str], Sequence[Sequence[Any]]]]:
    try:
        import psycopg
    except ImportError:
        raise MissingLibrary("PostgreSQL needs psycopg", "Install it: pip install 'assay[sql]'.") from None
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            connection.read_only = True
            # A named cursor stays on the server: the rows arrive in batches.
            with connection.cursor(name="assay") as cursor:
                cursor.execute(spec.query.encode())
                while rows := cursor.fetchmany(BATCH_ROWS):
                    yield [column.name for column in cursor.description or []], rows
    except psycopg.OperationalError as error:
        raise SqlFailed(
            f"[[data.sources]] {spec.name}: the database does not answer ({_said(error)})",
            "Check that it runs and that `url` is right.",
        ) from None
    except psycopg.Error as error:
        raise _refused(spec, error) from None


def _refused(spec: SqlSource, error: Exception) -> SqlFailed:
    return SqlFailed(f"[[data.sources]] {spec.name}: the database refused the query ({_said(error)})", "Correct it.")


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:160]


def _spooled(
    batches: Iterator[tuple[list[str], Sequence[Sequence[Any]]]], spec: SqlSource, work: Path
) -> Iterator[Path]:
    import polars as pl

    for index, (names, rows) in enumerate(batches):
        _require_distinct(names, spec)
        columns = {
            name: _column(name, list(values), spec) for name, values in zip(names, zip(*rows, strict=True), strict=True)
        }
        yield _kept(pl.DataFrame(columns), spec, work, index)


def _require_distinct(names: Sequence[str], spec: SqlSource) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SqlFailed(
            f"[[data.sources]] {spec.name}: the query gives two columns called {twice[0]}", "Name them apart with AS."
        )


def _kept(frame: pl.DataFrame, spec: SqlSource, work: Path, index: int) -> Path:
    path = work / f"{spec.name}-{index:06}.parquet"
    write_parquet(frame, path)
    return path


def _column(name: str, values: list[Any], spec: SqlSource) -> pl.Series:
    """Python values as a column; whole numbers stay exact up to 512 bits.

    A NUMERIC that is NaN is a missing value where all others are whole numbers, which have none; an infinite one makes
    the column one of floats.
    """
    import polars as pl

    kinds = {type(value) for value in values} - {type(None)}
    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    if kinds <= {int, Decimal}:
        plain = [None if isinstance(value, Decimal) and value.is_nan() else value for value in values]
        there = [value for value in plain if value is not None]
        if not there:
            return pl.Series(name, plain, dtype=pl.Null)
        if all(_is_whole(value) for value in there):
            return wide.series(name, [None if value is None else int(value) for value in plain])
    if kinds <= {int, float, Decimal}:
        return pl.Series(name, [None if value is None else _float(value) for value in values], dtype=pl.Float64)
    for kind in (bool, str, bytes, dt.datetime, dt.date):
        if kinds == {kind}:
            return pl.Series(name, values, strict=True)
    shown = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise MixedTypes(
        f"[[data.sources]] {spec.name}: the column {name} holds {shown}", "CAST it to one type in the query."
    )


def _is_whole(value: int | Decimal) -> bool:
    """Whether it is a whole number of at most 512 bits."""
    if isinstance(value, Decimal) and not (value.is_finite() and value == value.to_integral_value()):
        return False
    # Not int(value) at once: of Decimal("1e999999") that has a million digits.
    return abs(Decimal(value)) < _MOST and abs(int(value)) < 1 << wide.BITS


def _float(value: float | Decimal) -> float:
    """The nearest float64; what is beyond is infinite."""
    return wide.nearest(value)


def _common(schemas: list[dict[str, pl.DataType]], where: str) -> dict[str, pl.DataType]:
    """One type a column for all batches."""
    import polars as pl

    widths: list[Any] = [pl.Int64, pl.Int128, wide.dtype(), pl.Float64]
    found: dict[str, pl.DataType] = {}
    for name in schemas[0]:
        kinds = [schema[name] for schema in schemas if schema[name] != pl.Null]
        distinct = list(dict.fromkeys(kinds))
        if not distinct:
            found[name] = pl.Float64()
        elif len(distinct) == 1:
            found[name] = distinct[0]
        elif all(kind in widths for kind in distinct):
            found[name] = max(distinct, key=widths.index)
        else:
            raise MixedTypes(
                f"{where}: the column {name} holds {', '.join(str(kind) for kind in distinct)}",
                "CAST it to one type in the query.",
            )
    return found
