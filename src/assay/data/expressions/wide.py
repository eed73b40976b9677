"""Whole numbers that 128 bits do not hold: a column of big-endian bytes in the order of the numbers.

A number n of less than 512 bits is stored as the 72 bytes of n + 2^575. Their order is the numbers' order, so that
comparisons, the least, the greatest, sorting and joining need no decoding. In a table such a column is a record
with one field, so that it is not taken for bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.expressions.failures import Failure, row_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

BYTES = 72
BITS = 512
FIELD = "whole"
_OFFSET = 1 << (8 * BYTES - 1)
_LIMIT = 1 << BITS
_LIMB = 64
NARROW = 1 << 127
"""Numbers from -NARROW + 1 to NARROW - 1 are computed as Int128, whose magnitudes are of that type too."""


def dtype() -> pl.DataType:
    """The type of such a column in a table."""
    import polars as pl

    return pl.Struct({FIELD: pl.Binary})


def is_wide(found: pl.DataType) -> bool:
    """Whether a column of this type holds such numbers."""
    return found == dtype()


def is_whole(found: pl.DataType) -> bool:
    """Whether a column of this type holds whole numbers, of whatever width."""
    return found.is_integer() or is_wide(found) or (found.is_decimal() and getattr(found, "scale", None) == 0)


def keys(column: pl.Expr) -> pl.Expr:
    """The bytes of a column of that type, missing where it is."""
    return column.struct.field(FIELD)


def record(keys: pl.Expr) -> pl.Expr:
    """A column of that type from its bytes."""
    import polars as pl

    return pl.when(keys.is_not_null()).then(pl.struct(keys.alias(FIELD)))


def encoded(number: int) -> bytes:
    """The bytes of a number; raises OverflowError if it has more than 512 bits."""
    if not -_LIMIT < number < _LIMIT:
        raise OverflowError(number)
    return (number + _OFFSET).to_bytes(BYTES, "big")


def decoded(key: bytes) -> int:
    """The number of such bytes."""
    return int.from_bytes(key, "big") - _OFFSET


def literal(number: int) -> pl.Expr:
    """A constant, as bytes."""
    import polars as pl

    try:
        return pl.lit(encoded(number), dtype=pl.Binary)
    except OverflowError:
        bits = abs(number).bit_length()
        raise Failure(
            f"a constant has {bits} bits, and whole numbers are kept up to {BITS}: more bits than that are computed as "
            "float64 only",
            "Write CAST(... AS double).",
        ) from None


def encode(numbers: Iterable[int | None], name: str, where: str) -> pl.Series:
    """Python's integers as bytes.

    Raises
    ------
    Failure
        If one has more than 512 bits; the message names its row.
    """
    import polars as pl

    made: list[bytes | None] = []
    for number in numbers:
        if number is not None and not -_LIMIT < number < _LIMIT:
            raise Failure(
                f"{where}: the value in row {row_of(len(made), where)} has {abs(number).bit_length()} bits, more bits "
                f"than whole numbers are kept with ({BITS})",
                "Compute with float64: CAST(... AS double).",
            )
        made.append(None if number is None else (number + _OFFSET).to_bytes(BYTES, "big"))
    return pl.Series(name, made, dtype=pl.Binary)


def integers(values: pl.Series) -> np.ndarray[Any, Any]:
    """Whole numbers of any type as Python's integers; 0 where missing."""
    import polars as pl

    if values.dtype == pl.Binary:
        found = [0 if key is None else int.from_bytes(key, "big") - _OFFSET for key in values.to_list()]
    elif values.dtype in {pl.Int128, pl.UInt128} or values.dtype.is_decimal():
        found = [0 if value is None else int(value) for value in values.to_list()]
    else:
        return values.fill_null(0).to_numpy().astype(object)
    made = np.empty(len(found), dtype=object)
    made[:] = found
    return made


def series(name: str, numbers: Iterable[int | None], where: str = "") -> pl.Series:
    """Python's integers as the narrowest of Int64, Int128 and this type.

    Raises
    ------
    Failure
        If one has more than 512 bits.
    """
    import polars as pl

    values = list(numbers)
    there = [value for value in values if value is not None]
    largest = max((abs(value) for value in there), default=0)
    if largest < NARROW:
        return pl.Series(name, values, dtype=pl.Int64 if largest < 1 << 63 else pl.Int128)
    made = encode(values, name, where or name)
    return made.to_frame().select(record(pl.col(name)).alias(name)).to_series()


def narrowed(frame: pl.DataFrame, *, only_wide: bool = False) -> pl.DataFrame:
    """Columns of whole numbers in the narrowest type that holds their values: Int64, Int128 or this one.

    With `only_wide` those that are of this type, and others stay as they are.
    """
    import polars as pl

    made = []
    for name, found in frame.schema.items():
        if is_wide(found):
            own = frame.select(keys(pl.col(name)).alias(name)).to_series()
            low, high = own.min(), own.max()
            if isinstance(low, bytes) and isinstance(high, bytes):
                if decoded(low) > -NARROW and decoded(high) < NARROW:
                    numbers = [None if key is None else decoded(key) for key in own.to_list()]
                    made.append(series(name, numbers, name))
            else:
                made.append(pl.Series(name, [None] * frame.height, dtype=pl.Int64))
        elif found in {pl.Int128, pl.UInt128} and not only_wide:
            narrow = frame[name].cast(pl.Int64, strict=False)
            if narrow.null_count() == frame[name].null_count():
                made.append(narrow)
    return frame.with_columns(made)


def bounds(values: pl.Series) -> tuple[int, int]:
    """The least and the greatest number of a column of whole numbers; (0, 0) if it has none."""
    import polars as pl

    if is_wide(values.dtype):
        own = values.struct.field(FIELD)
        low, high = own.min(), own.max()
        if not isinstance(low, bytes) or not isinstance(high, bytes):
            return 0, 0
        return decoded(low), decoded(high)
    if values.dtype.is_decimal():
        values = values.cast(pl.Int128)
    low, high = values.min(), values.max()
    return (0, 0) if low is None or high is None else (int(str(low)), int(str(high)))


def floats(numbers: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Python's integers as the nearest float64; what is beyond is infinite."""
    try:
        return numbers.astype(np.float64)
    except OverflowError:
        return np.array([_float(number) for number in numbers], dtype=np.float64)


def numbers(column: pl.Expr) -> pl.Expr:
    """A column of that type as the nearest Float64."""
    import polars as pl

    return (
        keys(column)
        .map_batches(
            lambda own: pl.Series(own.name, floats(integers(own)), dtype=pl.Float64).set(own.is_null(), None),
            return_dtype=pl.Float64,
            is_elementwise=True,
        )
        .alias(_name(column))
    )


def nearest(value: Any) -> float:
    """A Python number as the nearest float64; what is beyond is infinite."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def widened(column: pl.Expr) -> pl.Expr:
    """A column of integers of any type as one of this type."""
    import polars as pl

    def made(own: pl.Series) -> pl.Series:
        numbers = zip(integers(own).tolist(), own.is_null(), strict=True)
        return encode([None if gone else number for number, gone in numbers], own.name, own.name)

    return record(column.map_batches(made, return_dtype=pl.Binary, is_elementwise=True)).alias(_name(column))


def to_int128(column: pl.Expr) -> pl.Expr:
    """A column of that type as Int128; missing where it does not fit."""
    import polars as pl

    def made(own: pl.Series) -> pl.Series:
        found = [None if key is None or abs(decoded(key)) >= NARROW else decoded(key) for key in own]
        return pl.Series(own.name, found, dtype=pl.Int128)

    return keys(column).map_batches(made, return_dtype=pl.Int128, is_elementwise=True).alias(_name(column))


def cast(frame: pl.LazyFrame, types: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """The frame with these types, which its numbers all fit."""
    import polars as pl

    schema = frame.collect_schema()
    made = []
    for name, to in types.items():
        own, column = schema[name], pl.col(name)
        if own == to:
            continue
        if is_wide(own):
            made.append(numbers(column).alias(name))
        elif is_wide(to):
            made.append((widened(column) if own.is_integer() else pl.lit(None, dtype=to)).alias(name))
        else:
            made.append(column.cast(to))
    return frame.with_columns(made)


def real(frame: pl.DataFrame, names: Iterable[str]) -> pl.DataFrame:
    """The frame with those of the named columns that are of that type, or decimals, as the nearest Float64."""
    import polars as pl

    made = []
    for name in names:
        found, own = frame.schema[name], pl.col(name)
        if is_wide(found):
            made.append(numbers(own).alias(name))
        elif found.is_decimal():
            # Through text: polars' own cast divides twice.
            made.append(own.cast(pl.String).cast(pl.Float64))
    return frame.with_columns(made) if made else frame


def clipped(column: pl.Expr, low: float | None, high: float | None) -> pl.Expr:
    """A column of that type, none of its numbers below `low` or above `high`, to whole numbers within."""
    import polars as pl

    own = keys(column)
    made = own
    if low is not None:
        least = literal(math.ceil(low))
        made = pl.when(own < least).then(least).otherwise(made)
    if high is not None:
        most = literal(math.floor(high))
        made = pl.when(own > most).then(most).otherwise(made)
    name = column.meta.output_name()
    return record(made).alias(name)


def texts(column: pl.Expr) -> pl.Expr:
    """A column of that type in decimal digits."""
    import polars as pl

    return (
        keys(column)
        .map_batches(
            lambda own: pl.Series(
                own.name, [None if key is None else str(decoded(key)) for key in own], dtype=pl.String
            ),
            return_dtype=pl.String,
            is_elementwise=True,
        )
        .alias(_name(column))
    )


def plain(values: pl.Series) -> np.ndarray[Any, Any]:
    """A column as numpy has it: whole numbers beyond 64 bits as Python's integers, None where one is missing."""
    import polars as pl

    own = values.struct.field(FIELD) if is_wide(values.dtype) else values
    if is_wide(values.dtype) or values.dtype in {pl.Int128, pl.UInt128}:
        found = integers(own)
        found[own.is_null().to_numpy()] = None
        return found
    return values.to_numpy()


def limbs(keys: pl.Expr) -> list[pl.Expr]:
    """The 64-bit digits of the bytes, the last one first, as Int128: their sums do not wrap around."""
    import polars as pl

    return [
        keys.bin.slice(BYTES - 8 * (place + 1), 8).bin.reinterpret(dtype=pl.UInt64, endianness="big").cast(pl.Int128)
        for place in range(BYTES // 8)
    ]


def total(sums: Iterable[int], count: int) -> int:
    """The sum of `count` numbers from the sums of their digits."""
    return sum(value << (_LIMB * place) for place, value in enumerate(sums)) - count * _OFFSET


def _name(column: pl.Expr) -> str:
    """What a column is called, which taking its field would change."""
    return column.meta.output_name(raise_if_undetermined=False) or FIELD


def _float(number: int) -> float:
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")
