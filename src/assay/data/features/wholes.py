"""Whole numbers gathered into one: sums and means that are exact whatever the width, and the least and greatest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.expressions import wide

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

_HALF = 64
_BASE = 1 << _HALF


def gathered(value: pl.Expr, dtype: pl.DataType, op: str, name: str) -> list[pl.Expr]:
    """What `finished` makes the aggregate of: the aggregate itself, or for sums and means those of the digits.

    Parameters
    ----------
    value
        The rows' numbers.
    dtype
        Int64, Int128 or the type of `wide`.
    op
        As in [data.bars].
    name
        The aggregate's name.
    """
    import polars as pl

    if op in {"sum", "mean"}:
        count = value.count().cast(pl.Int64).alias(_part(name, "count"))
        digits = _digits(value, dtype)
        return [count, *(digit.sum().alias(_part(name, str(place))) for place, digit in enumerate(digits))]
    if op in {"std", "median"}:
        own = wide.numbers(value) if wide.is_wide(dtype) else value.cast(pl.Float64)
        return [getattr(own, op)().alias(name)]
    if wide.is_wide(dtype) and op in {"min", "max"}:
        return [getattr(wide.keys(value), op)().alias(name)]
    return [getattr(value, op)().alias(name)]


def finished(frame: pl.DataFrame, dtypes: Mapping[str, tuple[pl.DataType, str]]) -> pl.DataFrame:
    """The frame with the aggregates in place of what `gathered` made, by name to type and op."""
    import polars as pl

    made = []
    for name, (dtype, op) in dtypes.items():
        if op in {"sum", "mean"}:
            made.append(_total(frame, name, dtype, op))
        elif wide.is_wide(dtype) and op in {"min", "max"}:
            made.append(frame.select(wide.record(pl.col(name)).alias(name)).to_series())
    parts = [column for column in frame.columns if column.startswith("\x00part")]
    return frame.with_columns(made).drop(parts)


def _part(name: str, what: str) -> str:
    return f"\x00part {what} {name}"


def _digits(value: pl.Expr, dtype: pl.DataType) -> Sequence[pl.Expr]:
    import polars as pl

    if wide.is_wide(dtype):
        return wide.limbs(wide.keys(value))
    own = value.cast(pl.Int128)
    if dtype == pl.Int64:
        return [own]
    base = pl.lit(_BASE, dtype=pl.Int128)
    high = own // base
    return [own - high * base, high]


def _total(frame: pl.DataFrame, name: str, dtype: pl.DataType, op: str) -> pl.Series:
    import polars as pl

    counts = frame[_part(name, "count")].to_list()
    digits: list[list[int]] = []
    while _part(name, str(len(digits))) in frame.columns:
        digits.append(frame[_part(name, str(len(digits)))].to_list())
    sums = []
    for count, *row in zip(counts, *digits, strict=True):
        if wide.is_wide(dtype):
            sums.append(wide.total(row, count))
        else:
            sums.append(sum(digit << (_HALF * place) for place, digit in enumerate(row)))
    if op == "sum":
        return wide.series(name, sums, f"[data.bars] {name}")
    means = [total / count if count else None for total, count in zip(sums, counts, strict=True)]
    return pl.Series(name, means, dtype=pl.Float64)
