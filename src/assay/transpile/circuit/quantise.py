"""Fixed point: which power of two makes leaf values integers, and the integers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.errors import ModelUnsupported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

# The proof packs up to four outputs into one field element of 250 usable bits; 240 leaves some room.
FIELD_BITS = 240
_OUTPUTS_PACKED = 4
LARGEST_SCALE = 1024
_LEAF_BITS = 62
_LEAF_BITS_PACKED = 54


@dataclass(frozen=True)
class Scale:
    """Integers stand for multiples of ``2^-bits``.

    Attributes
    ----------
    bits
        The exponent.
    exact
        Whether every value is such a multiple, so that nothing was rounded.
    """

    bits: int
    exact: bool


def sum_bits(outputs: int) -> int:
    """Bits that a signed sum over all trees may take, for a number of outputs."""
    return FIELD_BITS // min(outputs, _OUTPUTS_PACKED)


def choose_scale(values: NDArray[np.float64], largest_sum: float, outputs: int) -> Scale:
    """Choose the scale of leaves.

    Exact if the leaves then fit (float32 leaves nearly always do), else the finest scale that fits.

    Parameters
    ----------
    values
        All leaf values and base values; finite.
    largest_sum
        A bound on the absolute value of any output.
    outputs
        K.

    Raises
    ------
    ModelUnsupported
        If the values are too large for any scale.
    """
    numbers = np.unique(np.abs(values))
    numbers = numbers[numbers > 0]
    if not numbers.size:
        return Scale(0, exact=True)
    top = math.frexp(float(numbers[-1]))[1]
    exact = max(0, -_lowest_bit(numbers))
    leaf_bits = _LEAF_BITS if outputs < 3 else _LEAF_BITS_PACKED
    fits = min(leaf_bits - top, sum_bits(outputs) - 2 - math.frexp(largest_sum)[1])
    if fits < 0:
        raise ModelUnsupported(
            f"the model's leaf values reach {float(numbers[-1]):g} and their sum {largest_sum:g}, "
            "more than the proof's integers hold",
            "Train on a rescaled target (for example in ether instead of wei).",
        )
    fits = min(fits, LARGEST_SCALE)
    return Scale(min(exact, fits), exact=exact <= fits)


def to_integers(values: NDArray[np.float64], scale_bits: int) -> NDArray[np.int64]:
    """Values as multiples of ``2^-scale_bits``, rounded half to even; they must fit 63 bits."""
    return np.rint(np.ldexp(values, scale_bits)).astype(np.int64)


def to_integer(value: float, scale_bits: int) -> int:
    """One value as a multiple of ``2^-scale_bits``, rounded half to even, of any size."""
    mantissa, exponent = math.frexp(value)
    return round_shift(int(mantissa * 2**53), exponent - 53 + scale_bits)


def round_shift(integer: int, shift: int) -> int:
    """``integer * 2^shift``, rounded half to even."""
    if shift >= 0:
        return integer << shift
    whole, rest = integer >> -shift, integer & ((1 << -shift) - 1)
    half = 1 << (-shift - 1)
    return whole + (rest > half or (rest == half and whole & 1 == 1))


def from_integers(integers: NDArray[np.object_], scale_bits: int) -> NDArray[np.float64]:
    """Integers of any size as the nearest doubles to ``integer * 2^-scale_bits``."""
    flat: Sequence[float] = [math.ldexp(float(int(value)), -scale_bits) for value in integers.ravel()]
    return np.array(flat, dtype=np.float64).reshape(integers.shape)


def _lowest_bit(numbers: NDArray[np.float64]) -> int:
    """The exponent of the lowest bit set in any of these positive doubles."""
    mantissa, exponent = np.frexp(numbers)
    whole = np.ldexp(mantissa, 53).astype(np.int64)
    lowest = whole & -whole
    return int((exponent - 53 + np.frexp(lowest.astype(np.float64))[1] - 1).min())
