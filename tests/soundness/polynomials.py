"""Polynomials over the scalar field as lists of coefficients, lowest first: what a prover needs and no verifier."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from tests.agreement.reference.field import R, root

if TYPE_CHECKING:
    from collections.abc import Sequence

Polynomial = list[int]


def evaluate(f: Sequence[int], x: int) -> int:
    value = 0
    for coefficient in reversed(f):
        value = (value * x + coefficient) % R
    return value


def add(f: Sequence[int], g: Sequence[int]) -> Polynomial:
    return [(a + b) % R for a, b in zip_longest(f, g, fillvalue=0)]


def scaled(f: Sequence[int], factor: int) -> Polynomial:
    return [factor * coefficient % R for coefficient in f]


def times_linear(f: Sequence[int], point: int) -> Polynomial:
    """f * (X - point)."""
    return times_binomial(f, 1, point)


def times_binomial(f: Sequence[int], width: int, point: int) -> Polynomial:
    """f * (X^width - point)."""
    return add([0] * width + [*f], scaled(f, -point))


def multiplied(f: Sequence[int], g: Sequence[int]) -> Polynomial:
    """f * g."""
    total = [0] * (len(f) + len(g) - 1)
    for i, a in enumerate(f):
        for j, b in enumerate(g):
            total[i + j] += a * b
    return [value % R for value in total]


def woven(polynomials: Sequence[Sequence[int]]) -> Polynomial:
    """The sum of X^i f_i(X^c) of c polynomials."""
    longest, width = max(map(len, polynomials)), len(polynomials)
    total = [0] * (longest * width)
    for i, f in enumerate(polynomials):
        total[i : width * len(f) : width] = f
    return total


def parted(f: Sequence[int], width: int, point: int) -> tuple[Polynomial, Polynomial]:
    """f / (X^width - point) and the remainder: every width-th coefficient is divided by X - point."""
    parts = [divided(f[i::width] or [0], point) for i in range(width)]
    return woven([quotient or [0] for quotient, _ in parts]), [value for _, value in parts]


def divided(f: Sequence[int], point: int) -> tuple[Polynomial, int]:
    """f / (X - point) and the remainder, which is f(point)."""
    quotient, carry = [], 0
    for coefficient in reversed(f):
        carry = (carry * point + coefficient) % R
        quotient.append(carry)
    return quotient[-2::-1], carry


def transformed(values: Sequence[int], omega: int) -> list[int]:
    """The values at the powers of omega of the polynomial with these coefficients (a power of two of them)."""
    if len(values) == 1:
        return list(values)
    even, odd = (transformed(values[start::2], omega * omega % R) for start in (0, 1))
    power, low, high = 1, [], []
    for a, b in zip(even, odd, strict=True):
        low.append((a + power * b) % R)
        high.append((a - power * b) % R)
        power = power * omega % R
    return low + high


def interpolated(values: Sequence[int], shift: int = 1) -> Polynomial:
    """The polynomial with these values at shift * omega^i."""
    size = len(values)
    back, undo = pow(size, -1, R), pow(shift, -1, R)
    coefficients = transformed(values, pow(root(size), -1, R))
    return [coefficient * back * pow(undo, i, R) % R for i, coefficient in enumerate(coefficients)]
