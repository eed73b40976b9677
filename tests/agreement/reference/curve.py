"""G1 of BN254 in plain integers: y^2 = x^3 + 3. Points are affine pairs; None is the neutral element."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .field import R, check

if TYPE_CHECKING:
    from collections.abc import Iterable

P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
Point = tuple[int, int]
Jacobian = tuple[int, int, int]

G1: Point = (1, 2)
NEUTRAL: Jacobian = (1, 1, 0)
WINDOW = 4


def is_on_curve(point: Point) -> bool:
    x, y = point
    return (y * y - x * x * x - 3) % P == 0


def parse_point(data: bytes) -> Point:
    """Rule 2 of section 6."""
    x, y = int.from_bytes(data[:32], "big"), int.from_bytes(data[32:], "big")
    check(x < P and y < P, "a coordinate is not reduced")
    check((x, y) != (0, 0), "a point is (0, 0)")
    check(is_on_curve((x, y)), "a point is not on the curve")
    return x, y


def point_bytes(point: Point) -> bytes:
    return point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def negate(point: Point) -> Point:
    return point[0], -point[1] % P


def double(a: Jacobian) -> Jacobian:
    x, y, z = a
    if z == 0:
        return a
    yy = y * y % P
    s = 4 * x * yy % P
    m = 3 * x * x % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def add(a: Jacobian, b: Jacobian) -> Jacobian:
    if a[2] == 0:
        return b
    if b[2] == 0:
        return a
    x1, y1, z1 = a
    x2, y2, z2 = b
    z1z1, z2z2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * z2z2 % P, x2 * z1z1 % P
    s1, s2 = y1 * z2 * z2z2 % P, y2 * z1 * z1z1 % P
    if u1 == u2:
        return double(a) if s1 == s2 else NEUTRAL
    h, t = u2 - u1, s2 - s1
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (t * t - hhh - 2 * v) % P
    return x3, (t * (v - x3) - s1 * hhh) % P, z1 * z2 * h % P


def affine(a: Jacobian) -> Point | None:
    if a[2] == 0:
        return None
    z = pow(a[2], -1, P)
    return a[0] * z * z % P, a[1] * z * z * z % P


def multi_multiply(terms: Iterable[tuple[int, Point]]) -> Point | None:
    """Sum of scalars times points (Straus: one chain of doublings for all)."""
    tables = []
    for scalar, point in terms:
        table = [NEUTRAL, (point[0], point[1], 1)]
        while len(table) < 1 << WINDOW:
            table.append(add(table[-1], table[1]))
        tables.append((scalar % R, table))
    total = NEUTRAL
    for shift in range(256 - WINDOW, -1, -WINDOW):
        for _ in range(WINDOW):
            total = double(total)
        for scalar, table in tables:
            digit = scalar >> shift & ((1 << WINDOW) - 1)
            if digit:
                total = add(total, table[digit])
    return affine(total)
