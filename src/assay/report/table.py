"""`Table`: rows that the page and the model card show alike."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

Mark = Literal["", "good", "bad", "soft", "code"]


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text
        What it shows.
    value
        What it is sorted by, if not its text.
    mark
        How it looks.
    bars
        Heights from 0 to 1 of a small histogram shown in its place on the page.
    """

    text: str
    value: float | None = None
    mark: Mark = ""
    bars: tuple[float, ...] = ()


@dataclass(frozen=True)
class Line:
    """One row; `strong` if it is the one that matters."""

    cells: tuple[Cell, ...]
    strong: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under heads.

    Attributes
    ----------
    heads
        Names of the columns.
    numeric
        Columns, by place, that hold numbers.
    """

    heads: tuple[str, ...]
    lines: tuple[Line, ...]
    numeric: frozenset[int] = field(default_factory=frozenset)


def table(heads: str | tuple[str, ...], *lines: Line | tuple[str | Cell, ...] | None) -> Table:
    """Make a table.

    Parameters
    ----------
    heads
        Names, or one text with bars between them; a column of numbers has ``#`` before its name: ``"name|#rows"``.
    lines
        Rows; a text is a cell without more. None is left out.
    """
    names = heads.split("|") if isinstance(heads, str) else heads
    made = [line if isinstance(line, Line) else row(*line) for line in lines if line is not None]
    numeric = frozenset(place for place, name in enumerate(names) if name.startswith("#"))
    return Table(tuple(name.removeprefix("#") for name in names), tuple(made), numeric)


def row(*cells: str | Cell, strong: bool = False) -> Line:
    """Make a row."""
    return Line(tuple(Cell(cell) if isinstance(cell, str) else cell for cell in cells), strong)


def count(number: int | None) -> Cell:
    """A whole number."""
    return NONE if number is None else Cell(f"{number:,}", number)


def number(value: float | None, digits: int = 4) -> Cell:
    """A number to some digits."""
    return NONE if value is None else Cell(short(value, digits), value)


def short(value: float, digits: int = 4, *, full: bool = False) -> str:
    """A number to some digits, with commas in thousands; `full` keeps zeros at its end."""
    if not math.isfinite(value):
        return "not a number"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if 10 ** (digits - 1) <= abs(value) < 1e15:
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}" if full else f"{value:.{digits}g}"


UNKNOWN = "–"  # noqa: RUF001  a dash, not a minus
NONE = Cell(UNKNOWN, None, "soft")
"""What is not known, or does not apply."""
