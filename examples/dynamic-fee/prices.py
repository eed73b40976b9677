"""Real prices: the S&P 500 of 1999 to 2018, day by day, which the Python package arch carries."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

BLOCKS_A_DAY = 8
TICKS = (0, 2, 4, 6)
"""Blocks of a day in which the price moves: to its open, its low and high (in the order that fits), its close."""
_USUAL = 20
"""Days before one, whose mean volume is the usual one."""


@dataclass(frozen=True)
class Day:
    """One trading day.

    Attributes
    ----------
    date
        As in "2018-12-31".
    prices
        Four, in the order they are replayed in the blocks `TICKS`.
    activity
        The day's traded volume over the mean of the twenty days before it.
    """

    date: str
    prices: tuple[float, float, float, float]
    activity: float


def days(first: str | None = None, last: str | None = None, *, count: int | None = None) -> list[Day]:
    """The trading days from the date `first` to the date `last`, both included; of those the last `count`.

    The data begins on 1999-02-02 (the first twenty days have no usual volume) and ends on 2018-12-31.
    """
    found = []
    rows = _rows()
    for place, row in list(enumerate(rows))[_USUAL:]:
        usual = sum(float(one["Volume"]) for one in rows[place - _USUAL : place]) / _USUAL
        start, high, low, end = (float(row[name]) for name in ("Open", "High", "Low", "Close"))
        # A day that rose went down first and up later, and the reverse: the order is a guess, the prices are not.
        middle = (low, high) if end >= start else (high, low)
        if (first is None or first <= row["Date"]) and (last is None or row["Date"] <= last):
            found.append(Day(row["Date"], (start, *middle, end), min(float(row["Volume"]) / usual, 4.0)))
    return found if count is None else found[-count:]


def _rows() -> list[dict[str, str]]:
    """The package's file, with dates as in "2018-12-31"; the package itself takes two seconds to import."""
    package = find_spec("arch")
    if package is None or package.origin is None:
        raise SystemExit('the prices are in the Python package arch: install "assay[explore]"')
    with gzip.open(Path(package.origin).parent / "data" / "sp500" / "sp500.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["Date"] = dt.datetime.strptime(row["Date"], "%m/%d/%Y").date().isoformat()  # noqa: DTZ007  a date
    return rows
