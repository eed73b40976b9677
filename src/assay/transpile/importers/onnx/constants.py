"""Which single numbers anybody would write: those may be seen in a table, and others are a model's own."""

from __future__ import annotations

import math

import numpy as np

_DIGITS = 5
_LARGEST_DIVISOR, _LARGEST_PART = 12, 64
_EXACT = 2.0**-23  # what a float of 32 bits holds
_KNOWN = (
    *(math.sqrt(2), math.sqrt(0.5), math.sqrt(2 / math.pi), 2 / math.sqrt(math.pi), math.sqrt(math.pi)),
    *(math.pi, 2 * math.pi, math.pi / 2, 1 / math.pi, math.e, math.log(2), 1 / math.log(2), math.log(10)),
    *(1.6732632423543772, 1.0507009873554805, 1.6732632423543772 * 1.0507009873554805),
)


def common(number: float) -> bool:
    """Whether a number has few digits, is a simple fraction or one that mathematics has a name for, or none at all."""
    if not math.isfinite(number) or abs(number) >= float(np.finfo(np.float32).max):
        return True
    return (
        _short(number)
        or _fraction(abs(number))
        or any(math.isclose(abs(number), one, rel_tol=_EXACT) for one in _KNOWN)
    )


def _short(number: float) -> bool:
    value = np.float32(number) if float(np.float32(number)) == number else np.float64(number)
    digits = np.format_float_scientific(value, unique=True, trim="-").partition("e")[0]
    return len(digits.replace(".", "").replace("-", "")) <= _DIGITS


def _fraction(number: float) -> bool:
    parts = (number * divisor for divisor in range(1, _LARGEST_DIVISOR + 1))
    return any(round(part) <= _LARGEST_PART and math.isclose(part, round(part), rel_tol=_EXACT) for part in parts)
