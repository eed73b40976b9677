"""`Flow`: what a network computes, value by value, in real numbers and before any rounding.

A **base** is something that can be named: base 0 is the constant zero; a *value* can be read by other rows; a *pending*
sum is a column of an affine call, or one or two products, on which no function was put yet. Tensors are arrays of
``scale * base + shift`` (see `tensor`), so that operators which only move or scale numbers cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelMalformed
from assay.transpile.flow.functions import IDENTITY, SIGMOID, Function

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

ZERO = 0


@dataclass(frozen=True, eq=False)
class Matrix:
    """Weights float64[k, m] and bias float64[m] that any number of calls share."""

    weights: Floats
    bias: Floats


@dataclass(frozen=True, eq=False)
class Call:
    """An affine function of values that are read: ``reads @ weights + bias``.

    Attributes
    ----------
    reads
        int64[k], bases of values; 0 where a window leaves its image.
    layer, place
        Which operator made it and where in its grid, so that neighbours can be laid out together.
    """

    reads: Integers
    matrix: Matrix
    layer: int
    place: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pending:
    """``scale * column + shift + coefficient * (a b + a' b')``; the column or the products may be absent.

    Attributes
    ----------
    call, column
        -1 without a linear part.
    pairs
        Up to two pairs of values.
    """

    call: int = -1
    column: int = 0
    scale: float = 1.0
    shift: float = 0.0
    pairs: tuple[tuple[int, int], ...] = ()
    coefficient: float = 0.0


@dataclass(frozen=True)
class Value:
    """``function(scale * pending + shift)``."""

    pending: int
    scale: float
    shift: float
    function: Function


@dataclass(frozen=True)
class Input:
    """A feature."""

    index: int


@dataclass(frozen=True)
class Largest:
    """The larger of two values."""

    first: int
    second: int


Base = Pending | Value | Input | Largest | None


@dataclass
class Flow:
    """A network under construction.

    Attributes
    ----------
    bases
        By number; each names only earlier ones, but for the reads of a call, whose values are earlier than its columns.
    calls
        Affine calls, by number.
    features, outputs
        Names.
    layers
        For people: which operator made the calls and values of a layer.
    """

    bases: list[Base] = field(default_factory=lambda: [None])
    calls: list[Call] = field(default_factory=list)
    features: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    layer_of: list[int] = field(default_factory=lambda: [0])
    notes: list[str] = field(default_factory=list)
    meta: dict[str, Any] = field(default_factory=dict)
    results: list[tuple[int, float, float]] = field(default_factory=list)
    _known: dict[Base | tuple[Any, ...], int] = field(default_factory=dict)
    _matrices: dict[tuple[Any, ...], Matrix] = field(default_factory=dict)

    def add(self, base: Base) -> int:
        """The number of a base; equal ones are one."""
        if base not in self._known:
            self._known[base] = len(self.bases)
            self.bases.append(base)
            self.layer_of.append(max(len(self.layers) - 1, 0))
        return self._known[base]

    def call(self, reads: Integers, weights: Floats, bias: Floats, place: tuple[int, ...] = ()) -> list[int]:
        """An affine call; returns its pending columns."""
        if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
            raise ModelMalformed(
                f"{self.layers[-1] if self.layers else 'a layer'} has a weight that is not finite",
                "Train the model again.",
            )
        key = (weights.shape, weights.tobytes(), bias.tobytes())
        matrix = self._matrices.setdefault(key, Matrix(weights, bias))
        same = ("call", reads.tobytes(), id(matrix))
        if same not in self._known:
            self._known[same] = len(self.calls)
            self.calls.append(Call(reads, matrix, max(len(self.layers) - 1, 0), place))
        number = self._known[same]
        return [self.add(Pending(number, column)) for column in range(weights.shape[1])]

    def is_value(self, base: int) -> bool:
        """Whether rows can read it as it is."""
        return base == ZERO or not isinstance(self.bases[base], Pending)

    def value(self, pending: int, scale: float, shift: float, function: Function = IDENTITY) -> int:
        """The value of a function on a pending sum."""
        return self.add(Value(pending, float(scale), float(shift), function))

    def apply(self, base: int, scale: float, shift: float, function: Function) -> int:
        """The value ``function(scale * base + shift)`` for any base."""
        found = self.bases[base]
        if (
            isinstance(found, Value)
            and found.function == SIGMOID
            and function == IDENTITY
            and (scale, shift) == (-1.0, 1.0)
        ):
            return self.value(found.pending, -found.scale, -found.shift, SIGMOID)  # 1 - s(z) = s(-z)
        if self.is_value(base):
            reads = np.array([base] if base else [], dtype=np.int64)
            (base,) = self.call(reads, np.full((len(reads), 1), float(scale)), np.array([float(shift)]))
            scale, shift = 1.0, 0.0
        return self.value(base, scale, shift, function)
