"""Addresses of content: the same rows have the same hash, whatever wrote the file that holds them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from assay.core.files import translated

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import polars as pl

_BLOCK = 1 << 20


def hash_frames(frames: Iterable[pl.DataFrame]) -> str:
    """SHA-256 of rows: of every column its name, type, missing values and values.

    Equal for the same rows cut into frames elsewhere only if the cuts are the same.
    """
    hasher = hashlib.sha256()
    for frame in frames:
        hasher.update(f"rows {frame.height}\n".encode())
        for column in frame:
            hasher.update(f"{len(column.name.encode())} {column.name} {column.dtype}\n".encode())
            _update(hasher, column)
    return hasher.hexdigest()


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes; raises StorageError."""
    hasher = hashlib.sha256()
    with translated(path, "read"), path.open("rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def hash_files(paths: Iterable[Path], root: Path) -> str:
    """SHA-256 of files: their paths below `root` and their bytes, in the order of the paths."""
    hasher = hashlib.sha256()
    for path in sorted(paths):
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        hasher.update(f"{len(name.encode())} {name} {hash_file(path)}\n".encode())
    return hasher.hexdigest()


def _update(hasher: hashlib._Hash, column: pl.Series) -> None:
    import polars as pl

    dtype = column.dtype
    hasher.update(np.packbits(column.is_null().to_numpy()).tobytes())
    if dtype.is_nested():
        # Lists and records of any depth, as Python writes them.
        column = pl.Series(column.name, [None if value is None else repr(value) for value in column], dtype=pl.String)
        dtype = column.dtype
    if dtype in {pl.Binary, pl.String}:
        values = [value or b"" for value in column.cast(pl.Binary).to_list()]
        hasher.update(np.array([len(value) for value in values], dtype="<u8").tobytes())
        hasher.update(b"".join(values))
        return
    if dtype.is_temporal():
        column = column.to_physical()
    elif dtype == pl.Boolean:
        column = column.cast(pl.UInt8)
    elif not dtype.is_numeric() or dtype in {pl.Int128, pl.UInt128} or dtype.is_decimal():
        _update(hasher, column.cast(pl.String))
        return
    numbers = column.fill_null(0).to_numpy()
    if numbers.dtype.kind == "f":
        # One zero and one NaN: they compare equal, or mean the same.
        numbers = np.where(np.isnan(numbers), np.nan, numbers + 0.0).astype(numbers.dtype)
    hasher.update(numbers.astype(numbers.dtype.newbyteorder("<")).tobytes())
