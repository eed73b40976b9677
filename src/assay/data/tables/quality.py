"""What the finished rows must be: finite, varied, of more than one class, with labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from assay.data.errors import ConstantColumn, Duplicated, MixedTypes, NotFinite, OneClass, SettingsUnfit
from assay.data.expressions import wide

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

_PARTS = 3
"""So many parts are to have rows of each class."""
MOST_CLASSES = 100
_EXACT = 1 << 24
"""A float32 holds every whole number up to here."""
IN_WINDOWS = "in a window whole numbers are float32, exact up to 2^24; give the feature a `scale` to keep them whole"
TOO_WIDE = "whole numbers beyond 64 bits are rounded to float32; give the feature a `scale` to keep them whole"


def refuse_split(names: Sequence[str | None]) -> None:
    """Raise Duplicated if a column is called as the dataset calls its own: the part that a row is in."""
    if "split" in names:
        raise Duplicated(
            'a column is called "split", which the dataset calls the part that a row is in',
            'Call it otherwise: rename = {"split" = "split_"} in its [[data.sources]], and so in the task.',
        )


def typed(rows: pl.DataFrame, features: Sequence[str]) -> pl.DataFrame:
    """Give features the types that models and circuits have: Float32, or Int64 for whole numbers.

    NaN becomes a missing value.

    Raises
    ------
    NotFinite
        If a feature is infinite, or too large for float32.
    MixedTypes
        If one is no number.
    """
    import polars as pl

    columns = []
    rows = wide.real(rows, features)
    for name in features:
        dtype, column = rows.schema[name], pl.col(name)
        if dtype == pl.Boolean or dtype.is_integer():
            columns.append(column.cast(pl.Int64, strict=False) if _fits(rows[name]) else column.cast(pl.Float32))
        elif dtype.is_float() or dtype.is_decimal():
            columns.append(column.cast(pl.Float64).fill_nan(None).cast(pl.Float32))
        else:
            raise MixedTypes(
                f"the feature {name} is of type {dtype}, not a number",
                'Leave it out, or number its values: op = "category".',
            )
    result = rows.with_columns(columns)
    for name in features:
        if result.schema[name] == pl.Float32:
            infinite = int(result[name].is_infinite().sum())
            if infinite:
                row = int(result[name].is_infinite().arg_max() or 0)
                value = float(rows[name][row])
                if math.isfinite(value):
                    raise NotFinite(
                        f"the feature {name} is beyond float32 (3.4e38) in {infinite} rows, first in row {row + 1} "
                        f"({value!r})",
                        "Divide it by a power of ten, or take its LN or SQRT.",
                    )
                raise NotFinite(
                    f"the feature {name} is infinite in {infinite} rows, first in row {row + 1} ({value!r})",
                    'Look for divisions by zero, or add a check with rule "finite" and on_fail "repair:missing" to its '
                    "column.",
                )
    return result


def too_wide(rows: pl.DataFrame, features: Sequence[str]) -> dict[str, int]:
    """Features of whole numbers that have some beyond 64 bits, and in how many rows: they are rounded to float32."""
    found = {}
    for name in features:
        column = rows[name]
        if wide.is_wide(column.dtype) or (column.dtype.is_integer() and not _fits(column)):
            real = wide.real(rows.select(name), [name])[name].abs()
            found[name] = int((real >= 2.0**63).sum())
    return {name: many for name, many in found.items() if many}


def rounded(rows: pl.DataFrame, features: Sequence[str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """Whole numbers that float32 does not hold become float32; with each such feature and its rows that change."""
    import polars as pl

    found = {}
    for name in features:
        column = rows[name]
        if column.dtype == pl.Int64 and bool((column.abs() > _EXACT).any()):
            changed = column.cast(pl.Float32)
            found[name] = int((changed.cast(pl.Float64) != column.cast(pl.Float64)).sum())
            rows = rows.with_columns(changed)
    return rows, found


def _fits(column: pl.Series) -> bool:
    low, high = column.min(), column.max()
    if column.dtype.is_integer() and low is not None and high is not None:
        return int(str(low)) >= -(1 << 63) and int(str(high)) < 1 << 63
    return True


def constants(rows: pl.DataFrame, features: Sequence[str]) -> list[str]:
    """Features that have at most one value (a missing value counts as one)."""
    return [name for name in features if rows[name].n_unique() <= 1]


def refuse_constants(rows: pl.DataFrame, features: Sequence[str]) -> None:
    """Raise ConstantColumn if a feature never changes."""
    found = constants(rows, features)
    if found:
        value = rows[found[0]][0]
        more = f", and so have {', '.join(found[1:6])}" if found[1:] else ""
        raise ConstantColumn(
            f"the feature {found[0]} has one value only ({value!r:.40}) in all {rows.height} rows{more}",
            "Leave it out, or check how it is made.",
        )


def coded(rows: pl.DataFrame, target: str, kind: str) -> tuple[pl.DataFrame, list[str]]:
    """Give the target its type: Float64 for a regression, else the class's number.

    Returns
    -------
    DataFrame
        The rows.
    list of str
        The classes in the order of their numbers; empty for a regression.

    Raises
    ------
    NotFinite
        If a label is missing, NaN or infinite.
    OneClass
        If there is one class only.
    DataError
        If the number of classes is not what the task says.
    """
    import polars as pl

    column = rows[target]
    if wide.is_wide(column.dtype):
        # As text where they are classes: two of them may be one float64.
        change = wide.numbers if kind == "regression" else wide.texts
        rows = rows.with_columns(change(pl.col(target)).alias(target))
        column = rows[target]
    if column.dtype.is_nested():
        raise MixedTypes(
            f"the target {target} is of type {column.dtype!s:.60}, and each answer is one value",
            "Name a column of numbers or text, or make one with [data.label] of.",
        )
    bad = column.is_null()
    if column.dtype.is_float():
        bad |= ~column.is_finite()
    if bad.any():
        row = int(bad.arg_max() or 0)
        raise NotFinite(
            f"the target {target} is no finite value in {int(bad.sum())} of {rows.height} rows, first in row {row + 1} "
            f"({column[row]!r:.30})",
            f'Add a check of {target} with rule "finite" or "not missing" and on_fail "quarantine".',
        )
    if kind == "regression":
        _require_numbers(column)
        return rows.with_columns(column.cast(pl.Float64)), []
    if column.dtype.is_float() and bool((column == column.floor()).all()):
        column = column.cast(pl.Int64)
    values = column.unique().sort().to_list()
    if len(values) < 2:
        raise OneClass(
            f"the target {target} has one class only ({values[0]!r:.40}) in all {rows.height} rows",
            "Collect rows of the other class, or check how the target is made.",
        )
    if kind == "binary" and len(values) > 2:
        raise SettingsUnfit(
            f"the target {target} has {len(values)} values, and [predict] type is binary",
            'Use type = "multiclass" or "regression", or [data.label] edges.',
        )
    if len(values) > MOST_CLASSES:
        raise SettingsUnfit(
            f"the target {target} has {len(values)} classes, more than {MOST_CLASSES}",
            'Use type = "regression", or [data.label] edges.',
        )
    codes = {value: number for number, value in enumerate(values)}
    return rows.with_columns(column.replace_strict(codes, return_dtype=pl.Int64).alias(target)), [
        str(v) for v in values
    ]


def _require_numbers(column: pl.Series) -> None:
    """Raise MixedTypes or ConstantColumn for a target that is no number, or always the same one."""
    import polars as pl

    if not (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        raise MixedTypes(
            f"the target {column.name} is {column.dtype}, and a regression needs numbers", "Check its type."
        )
    if len(column) > 1 and column.n_unique() == 1:
        raise ConstantColumn(
            f"the target {column.name} has one value only ({column[0]!r:.40}) in all {len(column)} rows",
            "There is nothing to predict; check how it is made.",
        )


def refuse_one_class(rows: pl.DataFrame, target: str, classes: Sequence[str]) -> None:
    """Raise OneClass if the training rows lack a class, or another part has only one."""
    import polars as pl

    for part, least in (("train", len(classes)), ("validation", 2), ("test", 2)):
        found = rows.filter(pl.col("split") == part)[target].unique().to_list()
        if len(found) < least:
            number = next(number for number in range(len(classes)) if number not in found)
            many = int((rows[target] == number).sum())
            there = f"{many} row{'s' * (many != 1)} in all"
            told = "Collect more of them" if many < _PARTS else "Collect more rows, change [data.split]"
            random = "" if many < _PARTS else ', or split by = "random" with stratify'
            raise OneClass(
                f"the {part} part has no row of class {classes[number]}, which has {there}",
                f"{told}{random}.",
            )
