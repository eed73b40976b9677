"""Ethereum's 256-bit words as exact numbers.

A word is 32 bytes, big-endian. Nothing here passes an integer through a float before it is divided by the
token's decimals: words of up to 127 bits are split into quotient and remainder as 128-bit integers, the few
larger ones as Python's integers.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from assay.data.expressions import wide as wide_numbers

if TYPE_CHECKING:
    import polars as pl

WORD = 32
_HIGH = bytes(16)
_ONES = b"\xff" * 16
_BELOW = (b"\x7f", b"\xff")
_EXACT = 1 << 53
_EXACT_POWER = 22
"""The largest power of ten that is a float64."""


def small(word: pl.Expr, *, signed: bool) -> pl.Expr:
    """The integer in a word that is declared to have at most 64 bits, as Int64 or UInt64."""
    import polars as pl

    dtype = pl.Int64 if signed else pl.UInt64
    return word.bin.slice(24, 8).bin.reinterpret(dtype=dtype, endianness="big")


def fits(word: pl.Expr, bits: int, *, signed: bool) -> pl.Expr:
    """Whether the bits above `bits` are those of an integer of that width."""
    import polars as pl

    if bits == 256:
        return pl.lit(value=True)
    head = WORD - bits // 8
    zeros = word.bin.slice(0, head) == bytes(head)
    if not signed:
        return zeros
    # Sign extension: the head repeats the first bit of the rest.
    negative = word.bin.slice(head, 1) >= b"\x80"
    return (zeros & ~negative) | ((word.bin.slice(0, head) == b"\xff" * head) & negative)


def wide(word: pl.Expr, *, signed: bool) -> pl.Expr:
    """The integer in a word as Int128; null where it has more than 127 bits."""
    import polars as pl

    value = word.bin.slice(16, 16).bin.reinterpret(dtype=pl.Int128, endianness="big")
    return pl.when(_narrow(word, value, signed=signed)).then(value)


def whole(word: pl.Expr, *, signed: bool) -> pl.Expr:
    """The integer in a word in the type that holds all: its bytes behind those of the sign."""
    import polars as pl

    above, below = (pl.lit(sign + fill * (wide_numbers.BYTES - WORD - 1)) for sign, fill in ((b"\x80", b"\0"), _BELOW))
    if not signed:
        return wide_numbers.record(above + word)
    negative = word.bin.slice(0, 1) >= b"\x80"
    return wide_numbers.record(pl.when(negative).then(below + word).otherwise(above + word))


def _narrow(word: pl.Expr, value: pl.Expr, *, signed: bool) -> pl.Expr:
    """Whether `value`, the lower half of the word, is all there is to it: the upper half repeats its sign."""
    high = word.bin.slice(0, 16)
    narrow = (high == _HIGH) & (value >= 0)
    return narrow | ((high == _ONES) & (value < 0)) if signed else narrow


def scaled(word: pl.Expr, decimals: int, *, signed: bool) -> pl.Expr:
    """The integer in a word divided by 10^decimals, as Float64.

    The quotient and the remainder are exact; the result is within one unit in the last place of the exact
    quotient, and is the nearest float where the integer has at most 53 bits or decimals is above 22.
    """
    import polars as pl

    def exactly(some: pl.Expr) -> pl.Expr:
        return some.map_batches(
            lambda words: _exactly(words, decimals, signed=signed), return_dtype=pl.Float64, is_elementwise=True
        )

    if decimals > _EXACT_POWER:
        return exactly(word)
    divisor = 10**decimals
    value = word.bin.slice(16, 16).bin.reinterpret(dtype=pl.Int128, endianness="big")
    split = pl.lit(divisor, dtype=pl.Int128)
    magnitude = value.abs()
    # The least Int128 has no magnitude of that type.
    inside = _narrow(word, value, signed=signed) & (magnitude >= 0)
    # A column of equal values, since polars divides by a constant by multiplying with its reciprocal.
    by = magnitude.cast(pl.Float64) * 0 + float(divisor)
    parts = (magnitude // split).cast(pl.Float64) + (magnitude % split).cast(pl.Float64) / by
    nearest = magnitude.cast(pl.Float64) / by
    quotient = pl.when(magnitude < _EXACT).then(nearest).otherwise(parts)
    signed_quotient = pl.when(value < 0).then(-quotient).otherwise(quotient)
    return pl.when(inside).then(signed_quotient).otherwise(exactly(pl.when(~inside).then(word)))


def integer(word: bytes, *, signed: bool) -> int:
    """The integer in one word."""
    return int.from_bytes(word, "big", signed=signed)


def _exactly(words: pl.Series, decimals: int, *, signed: bool) -> pl.Series:
    import polars as pl

    if words.null_count() == len(words):
        return pl.Series(words.name, [None] * len(words), dtype=pl.Float64)
    divisor = 10**decimals
    return pl.Series(
        words.name,
        [None if word is None else float(Fraction(integer(word, signed=signed), divisor)) for word in words],
        dtype=pl.Float64,
    )
