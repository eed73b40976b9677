"""What an expression's parts are while it is compiled: a kind of value, and how it is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from assay.data.expressions import wide

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import polars as pl

Kind = Literal["whole", "number", "truth", "text", "bytes", "time", "null"]

NAMES: dict[str, str] = {
    "whole": "a whole number",
    "number": "a number",
    "truth": "true or false",
    "text": "text",
    "bytes": "bytes",
    "time": "a time",
    "null": "NULL",
}
NUMERIC = frozenset({"whole", "number", "truth", "null"})
_BITS_64 = 1 << 63


@dataclass(frozen=True)
class Exact:
    """A whole number that may need more than 127 bits, as Python computes it.

    Attributes
    ----------
    leaves
        What it is made of, by name: columns of Int64, Int128 or the bytes of `wide`.
    function
        From arrays of Python's integers, one for each leaf, to the array of results. Where a leaf is missing
        the result is missing too, and what the function says there is not looked at.
    """

    leaves: Mapping[str, pl.Expr]
    function: Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Value:
    """One part of an expression.

    Attributes
    ----------
    kind
        What it is.
    native
        How polars computes it: Int64 or Int128, Float64, Boolean, String, Binary, Datetime in UTC. None for a whole
        number that may need more than 127 bits.
    low, high
        For a whole number, what it lies between.
    exact
        For a whole number that may need more than 127 bits, how Python computes it.
    constant
        Its value, if it has the same one in every row; None if not.
    columns
        The columns it is made of, for messages.
    """

    kind: Kind
    native: pl.Expr | None = None
    low: int = 0
    high: int = 0
    exact: Exact | None = None
    constant: Any = None
    columns: frozenset[str] = field(default=frozenset())

    @property
    def expr(self) -> pl.Expr:
        """How polars computes it; not for wide whole numbers."""
        assert self.native is not None  # noqa: S101 - callers ask for the kind, and wholes for their width, before
        return self.native

    @property
    def bits(self) -> int:
        """64 or 128: the type a whole number is computed in; 0 if neither holds it."""
        if self.exact is not None or not fits(self.low, self.high):
            return 0
        return 64 if self.low >= -_BITS_64 and self.high < _BITS_64 else 128


def fits(low: int, high: int) -> bool:
    """Whether numbers between the two are computed as Int128."""
    return low > -wide.NARROW and high < wide.NARROW


def whole(native: pl.Expr, low: int, high: int, columns: frozenset[str]) -> Value:
    """A whole number that polars computes; in the type that its bounds ask for."""
    import polars as pl

    made = Value("whole", native, low, high, columns=columns)
    return Value("whole", native.cast(pl.Int64 if made.bits == 64 else pl.Int128), low, high, columns=columns)


def constant(number: int) -> Value:
    """A whole number that stands in the text."""
    import polars as pl

    if not fits(number, number):
        exact = Exact({}, lambda _: number)
        return Value("whole", None, number, number, exact=exact, constant=number)
    narrow = -_BITS_64 <= number < _BITS_64
    native = pl.lit(number, dtype=pl.Int64 if narrow else pl.Int128)
    return Value("whole", native, number, number, constant=number)


def number(native: pl.Expr, columns: frozenset[str]) -> Value:
    """A Float64."""
    return Value("number", native, columns=columns)


def literal(found: float) -> Value:
    """A number that stands in the text."""
    import polars as pl

    return Value("number", pl.lit(found, dtype=pl.Float64), constant=found)


def truth(native: pl.Expr, columns: frozenset[str]) -> Value:
    """True or false."""
    return Value("truth", native, columns=columns)


def exact_of(value: Value) -> Exact:
    """A whole number as Python computes it."""
    if value.exact is not None:
        return value.exact
    if value.constant is not None:
        found = value.constant
        return Exact({}, lambda _: found)
    # One leaf for one column, however often it stands in the expression: the leaf holds what its name tells apart.
    name = str(id(value.native))
    return Exact({name: value.expr}, lambda arrays: arrays[name])


def keys(value: Value, where: str) -> pl.Expr:
    """A whole number as the bytes of `wide`."""
    import polars as pl

    if value.constant is not None:
        return wide.literal(value.constant)
    exact = exact_of(value)

    def made(numbers: np.ndarray[Any, Any], missing: pl.Series) -> pl.Series:
        there = [None if gone else number for gone, number in zip(missing, numbers, strict=True)]
        return wide.encode(there, missing.name, where)

    return _mapped(exact, made, pl.Binary())


def floats(value: Value) -> pl.Expr:
    """A whole number as the nearest Float64."""
    import polars as pl

    if value.exact is None:
        return value.expr.cast(pl.Float64)
    if value.constant is not None:
        return pl.lit(nearest(value.constant), dtype=pl.Float64)

    def made(numbers: np.ndarray[Any, Any], missing: pl.Series) -> pl.Series:
        return pl.Series(missing.name, wide.floats(numbers), dtype=pl.Float64).set(missing, None)

    return _mapped(value.exact, made, pl.Float64())


def nearest(found: float) -> float:
    """A constant as the nearest float64; what is beyond is infinite."""
    try:
        return float(found)
    except OverflowError:
        return math.inf if found > 0 else -math.inf


def _mapped(exact: Exact, made: Callable[[np.ndarray[Any, Any], pl.Series], pl.Series], to: pl.DataType) -> pl.Expr:
    import polars as pl

    names = list(exact.leaves)

    def on(record: pl.Series) -> pl.Series:
        columns = [record.struct.field(str(place)) for place in range(len(names))]
        missing = pl.Series(record.name, [False] * len(record))
        for column in columns:
            missing |= column.is_null()
        arrays = {name: wide.integers(column) for name, column in zip(names, columns, strict=True)}
        found = exact.function(arrays)
        if not isinstance(found, np.ndarray):
            found = np.full(len(record), found, dtype=object)
        return made(found, missing.alias(record.name))

    record = pl.struct(leaf.alias(str(place)) for place, leaf in enumerate(exact.leaves.values()))
    return record.map_batches(on, return_dtype=to, is_elementwise=True)
