"""Opens the sources of a task: each becomes one or more tables with their columns named and their times in UTC."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.data.errors import Duplicated, MixedTypes, SettingsUnfit
from assay.data.expressions import require, selected
from assay.data.expressions.failures import computing
from assay.data.sources.cryo import open_cryo
from assay.data.sources.csv import open_csv
from assay.data.sources.package import open_package
from assay.data.sources.parquet import open_parquet
from assay.data.sources.sql import open_sql
from assay.data.sources.web import open_web
from assay.data.tables.table import TIME
from assay.data.tables.times import in_utc
from assay.task.dialect import plain
from assay.task.sources import ChainSource, CsvSource, PackageSource, ParquetSource, WebSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from assay.data.sources.context import Context
    from assay.data.tables.table import Table
    from assay.task.data import DataSpec
    from assay.task.sources import AnySource

_COUNT = "\x00count"
_LAST_SECOND = 253_402_300_799
"""The last of the year 9999."""


def open_source(spec: AnySource, data: DataSpec, context: Context) -> dict[str, Table]:
    """Open one source.

    Returns
    -------
    dict
        Its tables by name: NAME, or NAME.DATASET for chain data.

    Raises
    ------
    DataError, StorageError
        As the source's own function does; or if a column to rename, a key or the time is not there.
    """
    context.progress(f"Opening {spec.name}")
    if isinstance(spec, ChainSource):
        return {name: _finished(table, spec, data) for name, table in open_cryo(spec, context).items()}
    if isinstance(spec, CsvSource):
        table = open_csv(spec, context)
    elif isinstance(spec, ParquetSource):
        table = open_parquet(spec, context)
    elif isinstance(spec, PackageSource):
        table = open_package(spec, context)
    elif isinstance(spec, WebSource):
        table = open_web(spec, context)
    else:
        table = open_sql(spec, context)
    return {spec.name: _finished(table, spec, data)}


def _finished(table: Table, spec: AnySource, data: DataSpec) -> Table:
    where = f"[[data.sources]] {spec.name}"
    table = table.map(plain)
    if spec.rename:
        table = _renamed(table, spec.rename, where)
    _require_plain(table.columns, where)
    if spec.where is not None:
        chosen = table.map(lambda part: selected(part, spec.where, where))
        table = table.explaining(chosen, {"\x01": spec.where}, where)
    with table.rows_named():
        table = _stamped(table) if isinstance(spec, ChainSource) else _timed(table, spec, data, where)
        if spec.key:
            _unique(table, spec.key, where)
    return table


def _require_plain(names: list[str], where: str) -> None:
    """Refuse names that would stand for several columns: "*" and those from "^" to "$"."""
    for name in names:
        if name == "*" or (name.startswith("^") and name.endswith("$")):
            raise SettingsUnfit(
                f"{where} has a column called {name!r:.60}, which would stand for several",
                "Call it otherwise: `rename`.",
            )


def _renamed(table: Table, names: Mapping[str, str], where: str) -> Table:
    have = table.schema.names()
    for old in names:
        require(old, have, where)
    kept = [name for name in have if name not in names]
    for new in names.values():
        if new in kept or list(names.values()).count(new) > 1:
            raise Duplicated(f"{where}: rename makes two columns called {new}", "Choose another name.")
    return table.map(lambda part: part.rename(dict(names)))


def _stamped(table: Table) -> Table:
    """Chain data that has timestamps of its own: seconds since 1970."""
    import polars as pl

    if "timestamp" not in table.schema:
        return table
    dtype, column = table.schema["timestamp"], pl.col("timestamp")
    if isinstance(dtype, pl.Datetime):
        own = column.dt.replace_time_zone("UTC") if dtype.time_zone is None else column.dt.convert_time_zone("UTC")
        stamp = own.dt.cast_time_unit("us").alias(TIME)
    elif dtype.is_numeric() or dtype == pl.String:
        # What is no number of seconds is missing, and named where the blocks are checked.
        seconds = column.cast(pl.Int64, strict=False)
        stamp = (pl.when(seconds.is_between(0, _LAST_SECOND)).then(seconds) * 1_000_000).cast(pl.Datetime("us", "UTC"))
        stamp = stamp.alias(TIME)
    else:
        raise MixedTypes(
            f"the column timestamp of {table.path} is {dtype!s:.40}, and counts seconds since 1970 in chain data",
            "Collect it again, or `rename` the column.",
        )
    return replace(table.map(lambda part: part.with_columns(stamp)), time=TIME)


def _timed(table: Table, spec: AnySource, data: DataSpec, where: str) -> Table:
    """The table with its time column in UTC, if it has one."""
    column = spec.time or data.time
    if column is None or (spec.time is None and column not in table.schema):
        return table
    require(column, table.schema.names(), where)
    return in_utc(table, column, unit=spec.time_unit, form=spec.time_format)


def _unique(table: Table, key: tuple[str, ...], where: str) -> None:
    import polars as pl

    for column in key:
        require(column, table.schema.names(), where)
    keys: pl.LazyFrame = pl.concat([part.select(key) for part in table.parts])
    counted = keys.group_by(key).agg(pl.len().alias(_COUNT))
    found = counted.filter(pl.col(_COUNT) > 1).sort(key).head(1)
    with computing(f"{where}: key"):
        twice = found.collect(engine="streaming")
    if twice.height:
        *values, count = twice.row(0)
        shown = ", ".join(f"{name} {value!r:.40}" for name, value in zip(key, values, strict=True))
        raise Duplicated(f"{where}: {count} rows have {shown}, which is a key", "Remove the copies, or correct `key`.")
