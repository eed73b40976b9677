"""The scalar field of BN254 and the two kinds of Lagrange sums a verifier needs (spec, section 1)."""

from __future__ import annotations

R = 21888242871839275222246405745257275088548364400416034343698204186575808495617
GENERATOR = 5
TWO_ADICITY = 28


class Refused(Exception):
    """The proof, its statement or the key is not valid; the message says where."""


def check(condition: bool, reason: str) -> None:
    if not condition:
        raise Refused(reason)


def inverse(value: int) -> int:
    """Rule 4 of section 6: a denominator of zero refuses the proof."""
    check(value % R != 0, "a denominator is zero")
    return pow(value, -1, R)


def root(order: int) -> int:
    """The root of unity of an order that is a power of two."""
    check(is_power_of_two(order) and order <= 1 << TWO_ADICITY, f"no domain of order {order}")
    return pow(GENERATOR, (R - 1) // order, R)


def is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


def lagrange(order: int, row: int, point: int) -> int:
    """L^m_i(X) = w^i (X^m - 1) / (m (X - w^i))."""
    node = pow(root(order), row, R)
    return node * (pow(point, order, R) - 1) * inverse(order * (point - node)) % R


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)
