"""What is found out while an expression is computed: the user's own expression's error, with column, row and value.

polars raises what a Python function in its engine raised, but only the type and one text survive; so the sentence
and the advice travel in that text.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from assay.data.errors import ExpressionInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

_MARK = "\x1e"


class Failure(Exception):
    """Raised inside the engine; `error` turns it into what the user reads."""

    def __init__(self, said: str, todo: str = "") -> None:
        super().__init__(said if _MARK in said else f"{said}{_MARK}{todo}{_MARK}")

    def error(self) -> ExpressionInvalid:
        """The error to show."""
        said, todo, *_ = [*str(self).split(_MARK), "", ""]
        return ExpressionInvalid(said, todo)


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
