"""Real prices: the S&P 500 of 1999 to 2018, day by day, which the Python package arch carries."""

from __future__ import annotations

from dataclasses import dataclass

BLOCKS_A_DAY = 8
TICKS = (0, 2, 4, 6)
"""Blocks of a day in which the price moves: to its open, its low and high (in the order that fits), its close."""


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
    from arch.data import sp500

    frame = sp500.load()
    usual = frame["Volume"].rolling(20).mean().shift(1)
    columns = (frame[name] for name in ("Open", "High", "Low", "Close"))
    dates = (str(at)[:10] for at in frame.index)
    found = []
    for date, start, high, low, end, activity in list(zip(dates, *columns, frame["Volume"] / usual, strict=True))[20:]:
        # A day that rose went down first and up later, and the reverse: the order is a guess, the prices are not.
        middle = (low, high) if end >= start else (high, low)
        if (first is None or first <= date) and (last is None or date <= last):
            found.append(Day(date, (start, *middle, end), float(min(activity, 4.0))))
    return found if count is None else found[-count:]
