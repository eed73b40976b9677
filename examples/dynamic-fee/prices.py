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
    prices
        Four, in the order they are replayed in the blocks `TICKS`.
    activity
        The day's traded volume over the mean of the twenty days before it.
    """

    prices: tuple[float, float, float, float]
    activity: float


def days(count: int | None = None) -> list[Day]:
    """The last `count` days of the data, or all but the first twenty."""
    from arch.data import sp500

    frame = sp500.load()
    usual = frame["Volume"].rolling(20).mean().shift(1)
    table = zip(frame["Open"], frame["High"], frame["Low"], frame["Close"], frame["Volume"] / usual, strict=True)
    found = []
    for first, high, low, last, activity in list(table)[20:]:
        # A day that rose went down first and up later, and the reverse: the order is a guess, the prices are not.
        middle = (low, high) if last >= first else (high, low)
        found.append(Day((first, *middle, last), float(min(activity, 4.0))))
    return found if count is None else found[-count:]
