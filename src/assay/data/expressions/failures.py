"""What is found out while an expression is computed: the user's own expression's error, with column, row and value.

polars raises what a Python function in its engine raised, but only the type and one text survive; so the sentence
and the advice travel in that text.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assay.data.errors import ExpressionInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

_MARK = "\x1e"
_ROW = re.compile("\x1d([0-9]+)\x1d")


class Failure(Exception):
    """Raised inside the engine; `error` turns it into what the user reads."""

    def __init__(self, said: str, todo: str = "") -> None:
        super().__init__(said if _MARK in said else f"{said}{_MARK}{todo}{_MARK}")

    def error(self, before: int = 0) -> ExpressionInvalid:
        """The error to show; `before` is how many rows were read before those that were computed together."""
        said, todo, *_ = [*str(self).split(_MARK), "", ""]
        return ExpressionInvalid(_ROW.sub(lambda row: str(int(row[1]) + before), said), todo)


class Behind(str):
    """Where an expression stands that is computed for rows which have others of their table before them."""

    __slots__ = ("rows",)

    rows: int

    @classmethod
    def of(cls, where: str, rows: int) -> Behind:
        """The place `where`, for rows that have so many before them."""
        made = cls(where)
        made.rows = rows
        return made


def row_of(place: int, where: str) -> str:
    """The number of a row for a `Failure`, from its place among those that are computed together; it counts from 1."""
    return str(where.rows + place + 1) if isinstance(where, Behind) else f"\x1d{place + 1}\x1d"


@contextmanager
def computing(where: str) -> Iterator[None]:
    """Turn whatever the engine finds while it computes into ExpressionInvalid; `where` says for what."""
    import polars as pl

    try:
        yield
    except Failure as failure:
        raise failure.error() from None
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise uncomputable(where, error) from None


def uncomputable(where: str, error: BaseException) -> ExpressionInvalid:
    """An error for what the engine says of values that nothing here foresaw."""
    said = " ".join(str(error).split())[:120]
    return ExpressionInvalid(f"{where} cannot be computed ({said})", "Check it against the columns' types.")


def first(bad: pl.Series) -> int | None:
    """The number of the first row that is true, from 0; None if none is."""
    found = bad.fill_null(value=False)
    return int(found.arg_max() or 0) if found.any() else None
