"""Data that an installed Python package carries."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core.errors import MissingLibrary
from assay.data.errors import FunctionFailed, SettingsUnfit, SourceEmpty
from assay.data.sources import csv, parquet
from assay.data.tables.content import hash_frames
from assay.data.tables.table import PART_ROWS, Table
from assay.task.sources import CsvSource, ParquetSource

if TYPE_CHECKING:
    import polars as pl

    from assay.data.sources.context import Context
    from assay.task.sources import PackageSource


def open_package(spec: PackageSource, context: Context) -> Table:
    """Open a package's file, or call its function.

    Raises
    ------
    MissingLibrary
        If the package is not installed.
    FunctionFailed
        If it has no such function, or the function returned no table.
    """
    if spec.file is not None:
        return _file(spec, context)
    module, _, name = str(spec.load).partition(":")
    function = getattr(_module(module, spec.name), name, None)
    if not callable(function):
        raise FunctionFailed(f"[[data.sources]] {spec.name}: {module} has no function {name}", "Check `load`.")
    try:
        answer = function(**spec.arguments)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - another package's function may raise anything
        raise FunctionFailed(
            f"[[data.sources]] {spec.name}: {spec.load} failed ({type(error).__name__}: {str(error)[:100]})",
            "Check its arguments.",
        ) from None
    frame = _frame(answer, spec)
    if not frame.height:
        raise SourceEmpty(f"[[data.sources]] {spec.name}: {spec.load} has no rows", "Use another.")
    parts = [frame.lazy().slice(start, PART_ROWS) for start in range(0, frame.height, PART_ROWS)]
    return Table(spec.name, tuple(parts), hash_frames([frame]), str(spec.load))


def _module(name: str, source: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MissingLibrary(
            f"[[data.sources]] {source} needs {name} ({error})", f"Install it: pip install {package}."
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
        said = f"{type(error).__name__}: {str(error)[:100]}"
        raise FunctionFailed(
            f"[[data.sources]] {source}: {name} cannot be imported ({said})", "Use another package."
        ) from None


def _file(spec: PackageSource, context: Context) -> Table:
    package, _, path = str(spec.file).partition(":")
    place = _folder(package, spec.name) / path
    described = {"name": spec.name, "path": str(place)}
    if place.suffix == ".parquet":
        return parquet.open_parquet(ParquetSource.model_validate(described | {"kind": "parquet"}), context)
    if place.suffix == ".csv":
        return csv.open_csv(CsvSource.model_validate(described | {"kind": "csv"}), context)
    raise SettingsUnfit(f"[[data.sources]] {spec.name}: {spec.file} is neither .csv nor .parquet", "Use `load`.")


def _folder(package: str, source: str) -> Path:
    """Where a package's files lie. Its code is not run: a data file needs none of it."""
    try:
        found = find_spec(package)
    except ImportError:
        found = None
    if found is None or not found.submodule_search_locations:
        raise MissingLibrary(
            f"[[data.sources]] {source} needs {package}, which is not installed",
            f"Install it: pip install {package.partition('.')[0]}.",
        )
    return Path(next(iter(found.submodule_search_locations)))


def _frame(answer: Any, spec: PackageSource) -> pl.DataFrame:
    """A table of what loaders return: polars, pandas, numpy, scikit-learn's Bunch, statsmodels' Dataset."""
    import numpy as np
    import polars as pl

    if isinstance(answer, pl.DataFrame):
        return answer
    if isinstance(answer, pl.LazyFrame):
        return answer.collect()
    if hasattr(answer, "load_pandas"):  # a module of statsmodels.datasets
        answer = answer.load_pandas()
    if getattr(answer, "frame", None) is not None:
        answer = answer.frame
    elif hasattr(answer, "data") and hasattr(answer, "feature_names"):
        names = [str(name) for name in answer.feature_names]
        columns = {name: answer.data[:, index] for index, name in enumerate(names)}
        return pl.DataFrame(columns | {"target": answer.target})
    elif hasattr(answer, "data") and not isinstance(answer, np.ndarray):
        answer = answer.data
    if hasattr(answer, "columns") and hasattr(answer, "index"):
        named = answer.index.name is not None or "datetime" in str(answer.index.dtype)
        pandas = answer.reset_index() if named else answer
        pandas.columns = [str(name) for name in pandas.columns]
        return pl.from_pandas(pandas)
    if isinstance(answer, np.ndarray) and answer.dtype.names:
        return pl.DataFrame({name: answer[name] for name in answer.dtype.names})
    raise FunctionFailed(
        f"[[data.sources]] {spec.name}: {spec.load} returned a {type(answer).__name__}, which is no table",
        "Name a function that returns a pandas or polars table, or scikit-learn's Bunch.",
    )
