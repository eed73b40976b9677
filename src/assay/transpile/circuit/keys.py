"""Order-preserving integer keys: every comparison of a model becomes an exact comparison of integers.

A float32 is mapped to an unsigned 32-bit key so that ``x < y`` if and only if ``key(x) < key(y)``: the
bits of a non-negative number with the sign bit set, the complement of the bits of a negative one, and
-0.0 taken as +0.0. NaN has no key: it is a missing value. A float64 is mapped to a 64-bit key in the same way.

A split goes left if and only if ``key(x) < split key``:

==================  ================================================================
``x < t``           ``key(smallest float32 >= t)``
``x <= t``          ``key(largest float32 <= t) + 1``
float64 ``x < t``   ``key(t)``
float64 ``x <= t``  ``key(t) + 1``
integer ``x < t``   ``ceil(t) - min``, compared with ``x - min``
integer ``x <= t``  ``floor(t) + 1 - min``
==================  ================================================================
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.categorical import ZERO_THRESHOLD

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FLOAT_BITS = 32
WORD_BITS = 64

_SIGN = np.uint32(0x8000_0000)
_SIGN_64 = np.uint64(1 << 63)

KEY_OF_ZERO = 0x8000_0000


def float32_keys(values: ArrayLike) -> NDArray[np.uint64]:
    """Keys of float32 values.

    Parameters
    ----------
    values
        float32 of any shape. NaN gets a key like any bit pattern; it is for the caller to keep it out.

    Returns
    -------
    numpy.ndarray
        uint64 of the same shape, each below 2^32.
    """
    bits = np.asarray(values, dtype=np.float32).view(np.uint32)
    # On the bits, not the numbers: a process that flushes subnormals to zero gets the same keys.
    bits = np.where(bits == _SIGN, np.uint32(0), bits)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN).astype(np.uint64)


def keys_to_float32(keys: ArrayLike) -> NDArray[np.float32]:
    """The float32 values of keys; the inverse of `float32_keys` but for -0.0."""
    codes = np.asarray(keys, dtype=np.uint64).astype(np.uint32)
    return np.where(codes & _SIGN, codes ^ _SIGN, ~codes).astype(np.uint32).view(np.float32)


def float64_keys(values: ArrayLike) -> NDArray[np.uint64]:
    """Keys of doubles, as `float32_keys` of float32 values.

    Returns
    -------
    numpy.ndarray
        uint64 of the same shape. Between the keys of the infinities; 0 and 2^64 - 1 are no number's.
    """
    bits = np.asarray(values, dtype=np.float64).view(np.uint64)
    bits = np.where(bits == _SIGN_64, np.uint64(0), bits)
    return np.where(bits & _SIGN_64, ~bits, bits | _SIGN_64)


def keys_to_float64(keys: ArrayLike) -> NDArray[np.float64]:
    """The doubles of keys; the inverse of `float64_keys` but for -0.0."""
    codes = np.asarray(keys, dtype=np.uint64)
    return np.where(codes & _SIGN_64, codes ^ _SIGN_64, ~codes).astype(np.uint64).view(np.float64)


def floor32(values: ArrayLike) -> NDArray[np.float32]:
    """The largest float32 that is not above each double; NaN stays NaN."""
    doubles = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        near = doubles.astype(np.float32)
        return np.where(near > doubles, np.nextafter(near, np.float32(-np.inf)), near).astype(np.float32)


def ceil32(values: ArrayLike) -> NDArray[np.float32]:
    """The smallest float32 that is not below each double; NaN stays NaN."""
    return -floor32(-np.asarray(values, dtype=np.float64))


def split_keys(thresholds: ArrayLike, *, strict: bool, double: bool = False) -> NDArray[np.uint64]:
    """Keys of splits: a value goes left if and only if its key is below the split's.

    Parameters
    ----------
    thresholds
        Doubles, infinities allowed, no NaN.
    strict
        True for ``x < t`` (XGBoost), False for ``x <= t`` (LightGBM, scikit-learn).
    double
        Whether x is any double; else a float32.
    """
    if double:
        return float64_keys(thresholds) + np.uint64(not strict)
    if strict:
        return float32_keys(ceil32(thresholds))
    return float32_keys(floor32(thresholds)) + np.uint64(1)


def integer_split(threshold: float, *, strict: bool, low: int, high: int) -> int:
    """The key of a split of an integer feature with the range `low` to `high`, compared with ``x - low``.

    Returns
    -------
    int
        From 0 (no value of the range goes left) to ``high - low + 1`` (every value does).
    """
    span = high - low + 1
    if math.isinf(threshold):
        return span if threshold > 0 else 0
    first_right = math.ceil(threshold) if strict else math.floor(threshold) + 1
    return min(max(first_right - low, 0), span)


def flush_zero(thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Thresholds of ``x <= t`` that decide as LightGBM does after it has read ``|x| <= 1e-35`` as zero.

    LightGBM's predictor skips such values when it fills its row buffer, so they all behave as 0.0: left
    if ``t >= 0``, else right.
    """
    inside_right = (thresholds < 0) & (thresholds >= -ZERO_THRESHOLD)
    inside_left = (thresholds >= 0) & (thresholds < ZERO_THRESHOLD)
    below = np.nextafter(-ZERO_THRESHOLD, -np.inf)
    return np.where(inside_right, below, np.where(inside_left, ZERO_THRESHOLD, thresholds))
