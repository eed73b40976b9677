"""Writing Parquet: what polars says of a full disk or a place that may not be written to becomes Assay's error."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from assay.core.files import storage_error, translated
from assay.data.expressions.failures import Failure
from assay.data.tables.table import unreadable

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

_NUMBER = re.compile(r"\(os error (\d+)\)")


def write_parquet(rows: pl.DataFrame | pl.LazyFrame, path: Path, *, source: str = "") -> None:
    """Write rows to `path`; the same rows give the same bytes.

    Parameters
    ----------
    rows
        The rows; lazy ones are written as they are read, and keep their order.
    path
        The file, in a folder that is not the final one.
    source
        What lazy rows are read from, for messages.

    Raises
    ------
    StorageError
        If there is no space, or the place may not be written to.
    SourceUnreadable
        If lazy rows cannot be read.
    """
    import polars as pl

    with translated(path, "write"):
        try:
            if isinstance(rows, pl.LazyFrame):
                rows.sink_parquet(path, maintain_order=True)
            else:
                rows.write_parquet(path, compression="zstd", statistics=True)
        except Failure as failure:
            raise failure.error() from None
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
            number = _NUMBER.search(str(error))
            if number is not None:
                code = int(number[1])
                raise storage_error(OSError(code, os.strerror(code)), path, "write") from None
            raise unreadable(source or path, error) from None
