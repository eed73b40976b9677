"""S&P 500 days as a forecasting problem: every feature is known at the close of its own day.

A day is *turbulent* if its true range (the log of its highest over its lowest price, the close before it
included) is above the median of the year that ended the day before. The target is whether tomorrow will be.

The Open column is not used: in this data set it repeats the close before it until about 2006. The true range
counts that close anyway, so it means the same in all years.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

YEAR = 252
MONTH = 22
EMBARGO = MONTH
"""Days left out before validation and before test. One would do for the labels; a month also parts the features."""

VALIDATION_STARTS = np.datetime64("2011-01-01")
TEST_STARTS = np.datetime64("2015-01-01")


@dataclass(frozen=True)
class Prices:
    """Daily prices, oldest first; all arrays have one entry a trading day."""

    dates: NDArray[np.datetime64]
    high: Floats
    low: Floats
    close: Floats
    volume: Floats

    def until(self, days: int) -> Prices:
        """The same series as it looked after its first `days` days."""
        return Prices(self.dates[:days], self.high[:days], self.low[:days], self.close[:days], self.volume[:days])


@dataclass(frozen=True)
class Dataset:
    """One row a day: what is known at its close, and what the next day turned out to be.

    Attributes
    ----------
    names, X
        Names of the F features and their values, float32[N, F].
    y
        Whether the next day was turbulent, bool[N].
    today
        Whether the day itself was: what the existing rule says of tomorrow, bool[N].
    week
        Mean true range of the last five days over the trailing median, float64[N].
    dates, tomorrow
        Of the row, and of the day that it forecasts, datetime64[N].
    true_range, median
        Tomorrow's true range and the trailing median that it is compared with, float64[N].
    """

    names: list[str]
    X: NDArray[np.float32]
    y: Bools
    today: Bools
    week: Floats
    dates: NDArray[np.datetime64]
    tomorrow: NDArray[np.datetime64]
    true_range: Floats
    median: Floats


@dataclass(frozen=True)
class Split:
    """Row numbers of the three parts, in the order of time."""

    train: NDArray[np.int64]
    validation: NDArray[np.int64]
    test: NDArray[np.int64]


def load() -> Prices:
    """S&P 500, 1999 to 2018, from the package arch."""
    from arch.data import sp500

    frame = sp500.load()
    columns = (frame[name].to_numpy(np.float64) for name in ("High", "Low", "Close", "Volume"))
    return Prices(frame.index.to_numpy().astype("datetime64[D]"), *columns)


def dataset(prices: Prices) -> Dataset:
    """Features and targets of every day that has a full year behind it and a day ahead."""
    columns = features(prices)
    table = np.column_stack(list(columns.values())).astype(np.float32)
    size = true_range(prices)
    median = trailing_median(size)
    today = size > shifted(median, 1)
    # Nobody knows what comes after the last day.
    rows = np.flatnonzero(np.isfinite(table[:-1]).all(axis=1))
    return Dataset(
        names=list(columns),
        X=table[rows],
        y=today[rows + 1],
        today=today[rows],
        week=(rolling(size, 5, np.mean) / median)[rows],
        dates=prices.dates[rows],
        tomorrow=prices.dates[rows + 1],
        true_range=size[rows + 1],
        median=median[rows],
    )


def split(data: Dataset) -> Split:
    """Train, validation and test by date, an embargo before the later two."""
    validation = int(np.searchsorted(data.dates, VALIDATION_STARTS))
    test = int(np.searchsorted(data.dates, TEST_STARTS))
    return Split(
        train=np.arange(validation - EMBARGO),
        validation=np.arange(validation, test - EMBARGO),
        test=np.arange(test, len(data.dates)),
    )


def true_range(prices: Prices) -> Floats:
    """Log of the day's highest over its lowest price, the close before it included; NaN on the first day."""
    before = shifted(prices.close, 1)
    return np.asarray(np.log(np.maximum(prices.high, before) / np.minimum(prices.low, before)))


def trailing_median(size: Floats) -> Floats:
    """Median of the year that ends with each day."""
    return rolling(size, YEAR, np.median)


def features(prices: Prices) -> dict[str, Floats]:
    """What is known at the close of each day; NaN where the past is too short."""
    log_close = np.log(prices.close)
    change = log_close - shifted(log_close, 1)
    size = true_range(prices)
    median = trailing_median(size)
    columns = {f"return_{lag}": shifted(change, lag) for lag in range(5)}
    columns |= {f"range_{lag}": shifted(np.log(size / median), lag) for lag in range(5)}
    columns |= {f"mean_range_{days}": np.log(rolling(size, days, np.mean) / median) for days in (5, 10, 22, 66)}
    yearly = realised(change, YEAR)
    columns |= {f"realised_{days}": np.log(realised(change, days) / yearly) for days in (5, 22, 66)}
    columns |= {f"change_{days}": rolling(change, days, np.sum) for days in (5, 22)}
    columns["level"] = np.log(median)
    columns["drawdown"] = log_close - rolling(log_close, YEAR, np.max)
    columns["downside_22"] = realised(np.minimum(change, 0.0), MONTH) / realised(change, MONTH)
    columns["volume"] = np.log(prices.volume / rolling(prices.volume, MONTH, np.mean))
    return columns | calendar(prices.dates)


def calendar(dates: NDArray[np.datetime64]) -> dict[str, Floats]:
    """Day of the week (0 is Monday) and month (1 to 12)."""
    days = dates.astype("datetime64[D]").astype(np.int64)
    months = dates.astype("datetime64[M]").astype(np.int64)
    # Day 0 of the Unix calendar was a Thursday.
    return {"weekday": ((days + 3) % 7).astype(np.float64), "month": (months % 12 + 1).astype(np.float64)}


def realised(change: Floats, days: int) -> Floats:
    """Realised volatility: root mean square of the last `days` returns."""
    return np.sqrt(rolling(change**2, days, np.mean))


def shifted(values: Floats, days: int) -> Floats:
    """The value `days` days ago; NaN where there is none."""
    if days == 0:
        return values
    return np.concatenate([np.full(min(days, len(values)), np.nan), values[:-days]])


def rolling(values: Floats, days: int, reduce: Callable[..., Floats]) -> Floats:
    """`reduce` over the last `days` days, today included; NaN where there are fewer."""
    if len(values) < days:
        return np.full(len(values), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(values, days)
    return np.concatenate([np.full(days - 1, np.nan), reduce(windows, axis=-1)])
