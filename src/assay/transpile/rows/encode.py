"""From rows to the words that a proof speaks about."""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.circuit.evaluate import missing_value
from assay.transpile.circuit.keys import WORD_BITS, float32_keys, float64_keys
from assay.transpile.circuit.quantise import round_shift
from assay.transpile.errors import NotANumber, OptionError, OutOfRange
from assay.transpile.rows.arrange import order
from assay.transpile.rows.categories import codes, filled, without
from assay.transpile.rows.columns import shown, to_floats, to_table
from assay.transpile.rows.saturated import Saturated
from assay.transpile.rows.whole import check_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit, Feature

    Words = NDArray[np.uint64]
    Mask = NDArray[np.bool_]


def saturate(circuit: Circuit, X: Any) -> tuple[Words, Mask, list[Saturated]]:
    """As `encode`, with values outside a declared range moved to its end, and which those are.

    Raises
    ------
    OptionError
        No feature of the circuit has a declared range.
    """
    if not any(feature.kind in {"fixed", "integer"} for feature in circuit.features):
        raise OptionError(
            "saturate does not apply: no feature of the model has a declared range, so no row is outside of one",
            "Leave it out.",
        )
    beyond: list[Saturated] = []
    return *encode(circuit, X, beyond), sorted(beyond, key=lambda one: one.row)


def encode(circuit: Circuit, X: Any, beyond: list[Saturated] | None = None) -> tuple[Words, Mask]:
    """Words uint64[B, F] and missing flags bool[B, F]; see `Circuit.encode`.

    `beyond` collects values outside their range, which are refused without it.
    """
    columns = arrange(circuit, X)
    check_whole(circuit.meta, columns, [feature.name for feature in circuit.features])
    together = _together(circuit.features, columns)
    if together is not None:
        return together, np.zeros(together.shape, dtype=np.bool_)
    refused = _refused(circuit)
    rows = len(columns[0])
    words = np.zeros((rows, len(columns)), dtype=np.uint64)
    missing = np.zeros((rows, len(columns)), dtype=np.bool_)
    done = _floats_together(circuit.features, columns, words, missing)
    for index, (feature, column) in enumerate(zip(circuit.features, columns, strict=True)):
        try:
            if index not in done:
                words[:, index], missing[:, index] = _ENCODERS[feature.kind](feature, column, beyond)
        except _Fault as fault:
            raise fault.named(index, feature) from None
        if index in refused and missing[:, index].any():
            raise missing_value(feature.name, index, int(np.flatnonzero(missing[:, index])[0]))
    return words, missing


def arrange(circuit: Circuit, X: Any) -> list[NDArray[Any]]:
    """The rows' columns in the order of the features, categories as codes, missing values as None or NaN."""
    table = to_table(X)
    columns = []
    for index, place in enumerate(order(table, [feature.name for feature in circuit.features])):
        feature = circuit.features[index]
        column = codes(feature, table, place, index)
        column = column if circuit.missing_value is None else without(column, circuit.missing_value)
        columns.append(column if feature.fill is None else filled(column, feature.fill))
    return columns


def rounded(circuit: Circuit, X: Any) -> int:
    """How many rows have numbers of float32 features that are no float32."""
    floats = [index for index, feature in enumerate(circuit.features) if feature.kind == "float32"]
    columns = arrange(circuit, X)
    values = to_floats([columns[index] for index in floats], [circuit.features[index].name for index in floats])
    with np.errstate(over="ignore", under="ignore"):
        differ = values.astype(np.float32) != values
    return int((differ & ~np.isnan(values)).any(axis=1).sum()) if floats else 0


def _refused(circuit: Circuit) -> set[int]:
    if circuit.kind != "trees":
        return set(range(len(circuit.features)))
    return {view.feature for view in circuit.views if view.missing == "refuse"}


class _Fault(Exception):
    """Carries a fault to where its column is known."""

    def __init__(self, kind: type[NotANumber | OutOfRange], row: int, problem: str, todo: str) -> None:
        self.kind, self.row, self.problem, self.todo = kind, row, problem, todo

    def named(self, column: int, feature: Feature) -> NotANumber | OutOfRange:
        return self.kind(f"row {self.row}, column {column} ({feature.name}): {self.problem}", self.todo)


def _float32(feature: Feature, column: NDArray[Any], beyond: list[Saturated] | None) -> tuple[Words, Mask]:
    del feature, beyond
    values, missing = _numbers(column)
    with np.errstate(over="ignore", under="ignore"):
        floats = values.astype(np.float32)
    lost = np.isinf(floats) & np.isfinite(values.astype(np.float64))
    if lost.any():
        row = int(np.flatnonzero(lost)[0])
        raise _Fault(OutOfRange, row, f"{values[row]:g} is beyond the range of float32", "Rescale the feature.")
    return np.where(missing, np.uint64(0), float32_keys(floats)), missing


def _float64(feature: Feature, column: NDArray[Any], beyond: list[Saturated] | None) -> tuple[Words, Mask]:
    del feature, beyond
    values, missing = _numbers(column, "float64")
    # Integers beyond 2^53 are rounded to the nearest double, as every library does that compares doubles.
    return np.where(missing, np.uint64(0), float64_keys(values.astype(np.float64))), missing


def _integer(feature: Feature, column: NDArray[Any], beyond: list[Saturated] | None) -> tuple[Words, Mask]:
    if column.dtype.kind in "iub":
        return _words(column.astype(object), feature, beyond), np.zeros(len(column), dtype=np.bool_)
    return _each(feature, column, _whole, beyond)


def _fixed(feature: Feature, column: NDArray[Any], beyond: list[Saturated] | None) -> tuple[Words, Mask]:
    if column.dtype.kind == "f":
        with np.errstate(over="ignore"):
            scaled = np.rint(np.ldexp(column.astype(np.float64), feature.bits))
        if np.isfinite(scaled).all():
            integers = np.array([int(value) for value in scaled], dtype=object)
            return _words(integers, feature, beyond), np.zeros(len(column), dtype=np.bool_)
    return _each(feature, column, lambda value, row: _rounded(value, row, feature.bits), beyond)


_EXACT = 1 << 52  # integers up to here, and differences of two, are floats and 64-bit integers

_ENCODERS: dict[str, Callable[[Feature, NDArray[Any], list[Saturated] | None], tuple[Words, Mask]]] = {
    "float32": _float32,
    "float64": _float64,
    "integer": _integer,
    "fixed": _fixed,
}


def _together(features: Sequence[Feature], columns: list[NDArray[Any]]) -> Words | None:
    """Words of many fixed features at once; None unless all columns are floats and all values in their ranges."""
    if any(f.kind != "fixed" or max(abs(f.low), abs(f.high)) > _EXACT for f in features):
        return None
    if any(column.dtype.kind != "f" for column in columns):
        return None
    lows = np.array([f.low for f in features], dtype=np.int64)
    highs = np.array([f.high for f in features], dtype=np.int64)
    values = np.stack(columns, axis=1).astype(np.float64)
    with np.errstate(over="ignore"):
        scaled = np.rint(np.ldexp(values, np.array([f.bits for f in features])))
    if not ((scaled >= lows) & (scaled <= highs)).all():
        return None
    words: Words = (scaled.astype(np.int64) - lows).astype(np.uint64)
    return words


def _floats_together(features: Sequence[Feature], columns: list[NDArray[Any]], words: Words, missing: Mask) -> set[int]:
    """Words of all float32 features given as doubles, at once; which they are, none where one is out of range."""
    chosen = [
        index
        for index, (feature, column) in enumerate(zip(features, columns, strict=True))
        if feature.kind == "float32" and column.dtype == np.float64
    ]
    if not chosen:
        return set()
    values = np.stack([columns[index] for index in chosen], axis=1)
    with np.errstate(over="ignore", under="ignore"):
        floats = values.astype(np.float32)
    if (np.isinf(floats) & np.isfinite(values)).any():
        return set()
    absent = np.isnan(values)
    words[:, chosen], missing[:, chosen] = np.where(absent, np.uint64(0), float32_keys(floats)), absent
    return set(chosen)


def _each(
    feature: Feature, column: NDArray[Any], convert: Callable[[Any, int], int], beyond: list[Saturated] | None
) -> tuple[Words, Mask]:
    """Convert value by value, so that integers of any size stay exact."""
    missing = _missing(column)
    integers = np.full(len(column), feature.low, dtype=object)
    for row in np.flatnonzero(~missing):
        integers[row] = convert(column[row], int(row))
    return np.where(missing, np.uint64(0), _words(integers, feature, beyond)), missing


def _words(integers: NDArray[Any], feature: Feature, beyond: list[Saturated] | None) -> Words:
    outside = np.flatnonzero((integers < feature.low) | (integers > feature.high))
    if outside.size and beyond is not None:
        taken = np.minimum(np.maximum(integers, feature.low), feature.high)
        beyond += [
            Saturated(row, feature.name, _given(integers[row], feature), _given(taken[row], feature))
            for row in outside.tolist()
        ]
        integers = taken
    elif outside.size:
        row = int(outside[0])
        value = int(integers[row])
        raise _Fault(OutOfRange, row, _range_problem(value, feature), _range_todo(value, feature))
    words: Words = (integers - feature.low).astype(np.uint64)
    return words


def _range_problem(integer: int, feature: Feature) -> str:
    if feature.kind == "integer" or feature.bits == 0:
        return f"{shown(integer)} is outside the declared range {feature.low} to {feature.high}"
    low, high = _real(feature.low, feature.bits), _real(feature.high, feature.bits)
    return f"{_real(integer, feature.bits):g} is outside the circuit's range {low:g} to {high:g}"


def _range_todo(value: int, feature: Feature) -> str:
    if feature.kind == "fixed":
        return "Transpile with calibration rows that cover such values, or prove the end of the range (saturate)."
    if max(abs(value - feature.low), abs(value - feature.high)) >= 1 << WORD_BITS:
        return "A proof compares whole numbers of 64 bits: give the feature in a larger unit, such as gwei for wei."
    return "Transpile with a wider range in integer_features."


def _given(integer: int, feature: Feature) -> float | int:
    return int(integer) if feature.bits == 0 else _real(int(integer), feature.bits)


def _real(integer: int, bits: int) -> float:
    try:
        return math.ldexp(integer, -bits)
    except OverflowError:
        return float("inf") if integer > 0 else float("-inf")


def _whole(value: Any, row: int) -> int:
    _check_number(value, row)
    try:
        integer = int(value)
    except (OverflowError, ValueError):
        raise _Fault(OutOfRange, row, f"{shown(value)} is no whole number", "Give a whole number.") from None
    if integer != value:
        raise _Fault(NotANumber, row, f"{shown(value)} is no whole number", "Give a whole number.")
    return integer


def _rounded(value: Any, row: int, bits: int) -> int:
    _check_number(value, row)
    if isinstance(value, int | np.integer):
        return round_shift(int(value), bits)
    try:
        top, bottom = float(value).as_integer_ratio()
    except (OverflowError, ValueError):
        raise _Fault(OutOfRange, row, f"{shown(value)} is not finite", "Give a finite number.") from None
    return round_shift(top, bits + 1 - bottom.bit_length())


def _numbers(column: NDArray[Any], kind: str = "float32") -> tuple[NDArray[Any], Mask]:
    """A column as an array of numbers, NaN where missing."""
    if column.dtype.kind in "iub":
        return column, np.zeros(len(column), dtype=np.bool_)
    if column.dtype.kind == "f":
        return column, np.isnan(column)
    missing = _missing(column)
    values = np.full(len(column), np.nan)
    for row in np.flatnonzero(~missing):
        values[row] = _float(column[row], int(row), kind)
    return values, missing


def _float(value: Any, row: int, kind: str) -> float:
    _check_number(value, row)
    try:
        return float(value)
    except OverflowError:
        raise _Fault(OutOfRange, row, f"{shown(value)} is beyond the range of {kind}", "Rescale the feature.") from None


def _missing(column: NDArray[Any]) -> Mask:
    absent: Mask
    if column.dtype.kind == "f":
        absent = np.isnan(column)
        return absent
    if column.dtype.kind in "iub":
        return np.zeros(len(column), np.bool_)
    if column.dtype.kind != "O":
        raise _Fault(NotANumber, 0, f"values of type {column.dtype} are no numbers", "Give numbers.")
    each = (value is None or value != value for value in column)  # noqa: PLR0124 - NaN
    absent = np.fromiter(each, np.bool_, len(column))
    return absent


def _check_number(value: Any, row: int) -> None:
    if isinstance(value, numbers.Number | np.bool_) and not isinstance(value, complex):
        return
    raise _Fault(NotANumber, row, f"{shown(value)} is no number", "Give a number.")
