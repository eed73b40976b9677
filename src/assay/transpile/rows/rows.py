"""Files of rows: JSON ({"inputs": [[...], ...]}, null is missing), CSV with a header, .npy and Parquet."""

from __future__ import annotations

import csv
import io
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files, jsontext
from assay.core.errors import MissingLibrary, StorageError
from assay.transpile.errors import NotANumber, RowsUnreadable, RowsWidth
from assay.transpile.rows.columns import Table, objects, shown, to_table

if TYPE_CHECKING:
    import os

_LARGEST_FILE = 1 << 30
_MISSING = {"", "na", "nan", "null", "none"}
_INTEGER = re.compile(r"[+-]?[0-9]{1,100}\Z", re.ASCII)
_FLOAT = re.compile(r"[+-]?(([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|inf|infinity)\Z", re.ASCII | re.IGNORECASE)
_TODO = 'Give {"inputs": [[...], ...]} as .json, or .csv with a header, .npy or .parquet.'


def read_rows(path: str | os.PathLike[str], *, by_position: bool = False) -> Table:
    """Read rows; what they mean is up to `Circuit.encode`, which takes the result.

    Parameters
    ----------
    path
        The file.
    by_position
        Whether the columns stand in the model's order, whatever they are called.

    Raises
    ------
    RowsUnreadable
        If the file is absent, damaged or of another format.
    RowsWidth
        If its rows differ in length.
    NotANumber
        If a value cannot be a number nor a category; the message names its row and column, counted from 0.
    """
    place = Path(path)
    suffix = place.suffix.lower()
    reader = {".json": _json, ".csv": _csv, ".npy": _npy, ".parquet": _parquet}.get(suffix)
    if reader is None:
        raise RowsUnreadable(f"{place} is no file of rows", _TODO)
    try:
        if place.stat().st_size > _LARGEST_FILE:
            raise RowsUnreadable(f"{place} is larger than 1 GiB", "Split it.")
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise RowsUnreadable(f"cannot read {place!s:.200}: {problem}", "Check the path.") from None
    table = reader(place)
    if not table.rows:
        raise RowsWidth(f"{place} has no rows", "Give at least one.")
    # A file holds values, whatever its format; and its header counts unless told otherwise.
    return replace(table, by_value=suffix != ".npy", names=None if by_position else table.names)


def _content(place: Path) -> bytes:
    try:
        return files.read(place)
    except StorageError as error:
        raise RowsUnreadable(error.what, error.todo) from None


def _json(place: Path) -> Table:
    try:
        content = jsontext.parse(_content(place))
    except ValueError as error:
        raise RowsUnreadable(f"{place} is no JSON ({str(error)[:80]})", _TODO) from None
    inputs = content.get("inputs") if isinstance(content, dict) else None
    if not isinstance(inputs, list):
        raise RowsUnreadable(f'{place} has no list "inputs"', _TODO)
    for row, values in enumerate(inputs):
        if not isinstance(values, list):
            raise RowsWidth(f"row {row} of {place} is {shown(values)}, not a list of values", _TODO)
        if values and isinstance(values[0], list):
            continue  # a list of lists: an array of the model's own shape
        for column, value in enumerate(values):
            if isinstance(value, list | dict):
                raise NotANumber(f"row {row}, column {column} of {place} is {shown(value)}", "Give a number or null.")
    return to_table(inputs)


def _csv(place: Path) -> Table:
    try:
        text = _content(place).decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise RowsUnreadable(f"{place} is no CSV ({str(error)[:80]})", _TODO) from None
    if not lines:
        raise RowsWidth(f"{place} has no rows", "Give a header and at least one row.")
    names, *rows = lines
    if all(_is_number(name) for name in names):
        raise RowsUnreadable(f"{place} has no header: its first line is numbers", "Put the features' names first.")
    for row, cells in enumerate(rows):
        if len(cells) != len(names):
            raise RowsWidth(
                f"row {row} of {place} has {len(cells)} values and the header {len(names)} names",
                "Give every row one value for each name.",
            )
    texts = [[cells[column].strip() for cells in rows] for column in range(len(names))]
    return Table([objects([_cell(text) for text in column]) for column in texts], len(rows), names, texts=texts)


def _is_number(text: str) -> bool:
    return bool(_INTEGER.match(text.strip()) or _FLOAT.match(text.strip()))


def _cell(text: str) -> Any:
    """A number, exact if it is an integer; None where missing; else the text, which may be a category."""
    if text.lower() in _MISSING:
        return None
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text


def _npy(place: Path) -> Table:
    content = _content(place)
    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran_order, dtype = read_header(file)
    except Exception as error:  # noqa: BLE001 - the file is not trusted, and its header is parsed as Python
        raise RowsUnreadable(f"{place} is no .npy file ({' '.join(str(error).split())[:80]})", _TODO) from None
    if dtype.kind not in "iubf":
        raise NotANumber(f"{place} does not hold numbers", _TODO)
    if not shape:
        raise RowsWidth(f"{place} holds one number and no rows", "Save an array of shape (rows, features).")
    # Read no more than there is: a header can promise anything.
    body = content[file.tell() :]
    if min(shape) < 0 or math.prod(shape) * dtype.itemsize != len(body):
        raise RowsUnreadable(f"{place} is truncated: its size is not that of an array of shape {shape}", _TODO)
    array = np.frombuffer(body, dtype).astype(dtype.newbyteorder("="))
    return to_table(array.reshape(shape, order="F" if fortran_order else "C"))


def _parquet(place: Path) -> Table:
    try:
        import polars as pl
    except ImportError:
        return _parquet_arrow(place)
    try:
        frame = pl.read_parquet(place, use_pyarrow=False, glob=False)
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - the file is not trusted
        raise _no_parquet(place, error) from None
    return to_table(frame)


def _parquet_arrow(place: Path) -> Table:
    try:
        from pyarrow import parquet
    except ImportError:
        raise MissingLibrary(f"reading {place} needs polars or pyarrow", "Install one of them.") from None
    try:
        return to_table(parquet.read_table(place))
    except Exception as error:  # noqa: BLE001 - the file is not trusted
        raise _no_parquet(place, error) from None


def _no_parquet(place: Path, error: BaseException) -> RowsUnreadable:
    return RowsUnreadable(f"{place} is no Parquet file ({' '.join(str(error).split())[:80]})", _TODO)
