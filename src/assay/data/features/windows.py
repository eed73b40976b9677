"""Sums, means and deviations of the last rows, each window by itself.

polars' own rolling sums carry a running total along, in pieces that depend on the number of rows and cores: their
last bits change when later rows do. Here each value is a sum over its own window, from its first row to its last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl


def window_sum(value: pl.Expr, size: int) -> pl.Expr:
    """The sum of each row and the `size` - 1 before it; missing where one of them is missing or not there."""
    return _each(value, lambda numbers: _sums(numbers, size))


def window_mean(value: pl.Expr, size: int) -> pl.Expr:
    """The mean of the same rows."""
    return _each(value, lambda numbers: _sums(numbers, size) / size)


def window_std(value: pl.Expr, size: int) -> pl.Expr:
    """The standard deviation of the same rows, with one degree of freedom less than rows."""
    return _each(value, lambda numbers: _deviations(numbers, size))


def _each(value: pl.Expr, change: Any) -> pl.Expr:
    import polars as pl

    def on(column: pl.Series) -> pl.Series:
        numbers = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        # Missing values are NaN here, and again missing values after.
        return pl.Series(column.name, change(numbers), dtype=pl.Float64).fill_nan(None)

    return value.map_batches(on, return_dtype=pl.Float64)


def _sums(numbers: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    result = np.full(len(numbers), np.nan)
    full = len(numbers) - size + 1
    if full > 0:
        total = np.zeros(full)
        for place in range(size):
            total += numbers[place : place + full]
        result[size - 1 :] = total
    return result


def _deviations(numbers: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    result = np.full(len(numbers), np.nan)
    full = len(numbers) - size + 1
    if full > 0 and size > 1:
        mean = _sums(numbers, size)[size - 1 :] / size
        squares = np.zeros(full)
        for place in range(size):
            squares += (numbers[place : place + full] - mean) ** 2
        result[size - 1 :] = np.sqrt(squares / (size - 1))
    return result
