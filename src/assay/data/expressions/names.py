"""Columns that must be there, by name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from assay.data.errors import ColumnMissing

if TYPE_CHECKING:
    from collections.abc import Iterable


def require(column: str, columns: Iterable[str], where: str) -> str:
    """Return `column` if it is there; else raise ColumnMissing with the nearest name."""
    known = [name for name in dict.fromkeys(columns) if not name.startswith("\x00")]
    if column in known:
        return column
    close = get_close_matches(column, known, n=1, cutoff=0.5)
    listed = ", ".join(known[:12]) + (", ..." if len(known) > 12 else "")
    guess = f"Did you mean {close[0]}? If it was renamed, use `rename`." if close else f"There are: {listed}."
    raise ColumnMissing(f"{where} needs the column {column:.80}, which is not there", guess)
