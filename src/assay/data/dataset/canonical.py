"""Rows as text that is the same wherever they are written, and the digest that stands for them all.

A row is a list in JSON, without spaces, in the order of the columns: whole numbers and times (counted from 1970 in
their unit) as whole numbers, other numbers with the fewest digits that give the double back, as Python writes them,
bytes as hexadecimal digits, lists and records as the text that Python writes, what is missing as null. The columns,
names and types, are the first entry of the tree.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core.merkle import root
from assay.data.errors import RowsDamaged
from assay.data.expressions import wide
from assay.data.expressions.failures import Failure

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

_NUMBERS = ("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64", "Float32", "Float64")
_PLAIN = (*_NUMBERS, "Boolean", "String", "Binary", "Date", "Time")
_SPECIAL = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_WIDE = "Wide"


@dataclass(frozen=True)
class Canonical:
    """Rows and what their columns are.

    Attributes
    ----------
    columns
        [name, type] of each; a type with its unit and zone: "Datetime us UTC".
    rows
        Lists of what JSON holds.
    """

    columns: list[list[str]]
    rows: list[list[Any]]

    @property
    def root(self) -> str:
        """The digest of all rows and columns, 64 hexadecimal digits; another row, order or number gives another."""
        return root(map(_text, [self.columns, *self.rows])).hex()

    def frame(self) -> pl.DataFrame:
        """The rows as a table again.

        Raises
        ------
        RowsDamaged
            They are not what `canonical` writes.
        """
        import polars as pl

        names = [name for name, _ in self.columns]
        width = len(names)
        if len(set(names)) != width or any(len(row) != width for row in self.rows):
            raise RowsDamaged("the rows and their columns do not fit each other", _AGAIN)
        try:
            found = [
                _column(name, kind, [row[place] for row in self.rows])
                for place, (name, kind) in enumerate(self.columns)
            ]
        except (pl.exceptions.PolarsError, Failure, TypeError, ValueError, OverflowError, KeyError) as error:
            raise RowsDamaged(f"the rows are not of their columns' types ({str(error)[:80]})", _AGAIN) from None
        return pl.DataFrame(found)


_AGAIN = "Ask whoever made it for the file again."


def canonical(frame: pl.DataFrame) -> Canonical:
    """Rows of a dataset in their order."""
    columns = [[column.name, _kind(column)] for column in frame]
    values = [_values(column, kind) for column, (_, kind) in zip(frame, columns, strict=True)]
    return Canonical(columns, [list(row) for row in zip(*values, strict=True)])


def _text(entry: Sequence[Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _kind(column: pl.Series) -> str:
    import polars as pl

    dtype = column.dtype
    if wide.is_wide(dtype):
        return _WIDE
    if isinstance(dtype, pl.Datetime):
        return " ".join(["Datetime", dtype.time_unit, *([dtype.time_zone] if dtype.time_zone else [])])
    if isinstance(dtype, pl.Duration):
        return f"Duration {dtype.time_unit}"
    return str(dtype) if str(dtype) in _PLAIN else "String"


def _values(column: pl.Series, kind: str) -> list[Any]:
    import polars as pl

    if kind == _WIDE:
        return [None if value is None else str(value) for value in wide.plain(column).tolist()]
    if kind == "Binary":
        return [None if value is None else value.hex() for value in column.to_list()]
    if column.dtype.is_nested():
        return [None if value is None else repr(value) for value in column]
    if kind == "String":
        return column.cast(pl.String).to_list()
    if column.dtype.is_temporal():
        return column.to_physical().to_list()
    if column.dtype.is_float():
        return [value if value is None or math.isfinite(value) else str(value) for value in column.to_list()]
    return column.to_list()


def _column(name: str, kind: str, values: list[Any]) -> pl.Series:
    import polars as pl

    if kind == _WIDE:
        keys = wide.encode((None if value is None else int(value) for value in values), name, name)
        return pl.DataFrame([keys]).select(wide.record(pl.col(name)).alias(name)).to_series()
    if kind == "Binary":
        return pl.Series(name, [None if value is None else bytes.fromhex(value) for value in values], dtype=pl.Binary)
    head, *rest = kind.split(" ")
    if head == "Datetime" and 1 <= len(rest) <= 2:
        return pl.Series(name, values, dtype=pl.Int64).cast(pl.Datetime(*rest))  # type: ignore[arg-type]
    if head == "Duration" and len(rest) == 1:
        return pl.Series(name, values, dtype=pl.Int64).cast(pl.Duration(rest[0]))  # type: ignore[arg-type]
    if kind == "Date":
        return pl.Series(name, values, dtype=pl.Int32).cast(pl.Date)
    if kind == "Time":
        return pl.Series(name, values, dtype=pl.Int64).cast(pl.Time)
    if kind not in _PLAIN:
        raise ValueError(f"no type {kind:.40}")
    if kind.startswith("Float"):
        values = [_SPECIAL[value] if isinstance(value, str) else value for value in values]
    return pl.Series(name, values, dtype=getattr(pl, kind), strict=True)
