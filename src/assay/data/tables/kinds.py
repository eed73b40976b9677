"""What a column must hold for what is done with it: numbers, conditions, single values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.errors import MixedTypes
from assay.data.expressions.wide import is_wide

if TYPE_CHECKING:
    import polars as pl


def require_numbers(frame: pl.DataFrame | pl.LazyFrame, column: str, where: str) -> None:
    """Raise MixedTypes if the column's values are no numbers; true and false count as 1 and 0."""
    import polars as pl

    dtype = frame.collect_schema()[column]
    if not (dtype.is_numeric() or is_wide(dtype) or dtype in {pl.Boolean, pl.Null}):
        raise _wrong(where, dtype, "numbers")


def require_order(frame: pl.DataFrame | pl.LazyFrame, column: str, where: str) -> None:
    """Raise MixedTypes if the column's values have no order that anybody would mean."""
    import polars as pl

    dtype = frame.collect_schema()[column]
    plain = dtype.is_numeric() or dtype.is_temporal() or dtype in {pl.Boolean, pl.String, pl.Binary, pl.Null}
    if not (plain or is_wide(dtype)):
        raise _wrong(where, dtype, "numbers, times or text")


def require_single(frame: pl.DataFrame | pl.LazyFrame, column: str, where: str) -> None:
    """Raise MixedTypes if each value of the column is a list or a record of others."""
    dtype = frame.collect_schema()[column]
    if dtype.is_nested() and not is_wide(dtype):
        raise _wrong(where, dtype, "one value a row")


def _wrong(where: str, dtype: pl.DataType, wanted: str) -> MixedTypes:
    return MixedTypes(
        f"{where} needs {wanted}, and is made of values of type {dtype!s:.60}", "Name another column or expression."
    )
