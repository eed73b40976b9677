"""The optimal ate pairing on BN254, in plain integers.

F_p12 is F_p[w] / (w^12 - 18 w^6 + 82): w^6 = 9 + i with i^2 = -1, so a + b i = (a - 9 b) + b w^6.
G2 is on the twist y^2 = x^3 + 3 / (9 + i) over F_p[i]; (x, y) -> (x w^2, y w^3) maps it to the curve.
The points of G2 are few and fixed (the generator and one a reference string), so their lines are kept.
Sources: Vercauteren, Optimal pairings (2008/096); the curve and the encodings are those of EIP-197.
"""

from __future__ import annotations

from functools import lru_cache
from operator import mul
from typing import TYPE_CHECKING

from .curve import P, Point
from .field import R, check

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Fp2 = tuple[int, int]
Point2 = tuple[Fp2, Fp2]
Fp12 = list[int]
Line = tuple[Fp2, Fp2]

U = 4965661367192848881
XI: Fp2 = (9, 1)
ONE: Fp12 = [1] + [0] * 11

G2: Point2 = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)


def mul2(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def sub2(a: Fp2, b: Fp2) -> Fp2:
    return (a[0] - b[0]) % P, (a[1] - b[1]) % P


def inv2(a: Fp2) -> Fp2:
    norm = pow(a[0] * a[0] + a[1] * a[1], -1, P)
    return a[0] * norm % P, -a[1] * norm % P


def pow2(a: Fp2, exponent: int) -> Fp2:
    result: Fp2 = (1, 0)
    for bit in f"{exponent:b}":
        result = mul2(result, result)
        if bit == "1":
            result = mul2(result, a)
    return result


TWIST_B = mul2((3, 0), inv2(XI))
FROBENIUS_X = pow2(XI, (P - 1) // 3)
FROBENIUS_Y = pow2(XI, (P - 1) // 2)
# w^p = FROBENIUS_W * w.
FROBENIUS_W = pow2(XI, (P - 1) // 6)


def chord(a: Point2, b: Point2) -> tuple[Line, Point2]:
    """The line through two points of the twist (the tangent if they are one), and their sum."""
    (xa, ya), (xb, yb) = a, b
    square = mul2(xa, xa)
    rise, run = (mul2((3, 0), square), mul2((2, 0), ya)) if a == b else (sub2(yb, ya), sub2(xb, xa))
    check(run != (0, 0), "a point of G2 has a small order")
    slope = mul2(rise, inv2(run))
    x = sub2(sub2(mul2(slope, slope), xa), xb)
    return (slope, sub2(mul2(slope, xa), ya)), (x, sub2(mul2(slope, sub2(xa, x)), ya))


def is_on_twist(q: Point2) -> bool:
    x, y = q
    return sub2(sub2(mul2(y, y), mul2(mul2(x, x), x)), TWIST_B) == (0, 0)


def frobenius(q: Point2) -> Point2:
    (x0, x1), (y0, y1) = q
    return mul2((x0, -x1), FROBENIUS_X), mul2((y0, -y1), FROBENIUS_Y)


@lru_cache(maxsize=64)
def lines(q: Point2) -> tuple[tuple[bool, Line], ...]:
    """The lines of Miller's loop, each with whether a squaring comes before it.

    Raises Refused if `q` is not in the subgroup of order r.
    """
    check(is_on_twist(q), "a point of G2 is not on the curve")
    check(multiply2(R - 1, q) == (q[0], sub2((0, 0), q[1])), "a point of G2 is not in the subgroup")
    out: list[tuple[bool, Line]] = []
    t = q
    for bit in bin(6 * U + 2)[3:]:
        line, t = chord(t, t)
        out.append((True, line))
        if bit == "1":
            line, t = chord(t, q)
            out.append((False, line))
    first = frobenius(q)
    x, y = frobenius(first)
    for other in (first, (x, sub2((0, 0), y))):
        line, t = chord(t, other)
        out.append((False, line))
    return tuple(out)


def multiply2(scalar: int, q: Point2) -> Point2:
    result = q
    for bit in bin(scalar)[3:]:
        result = chord(result, result)[1]
        if bit == "1":
            result = chord(result, q)[1]
    return result


def reduce12(c: Sequence[int]) -> Fp12:
    """Coefficients 0 .. 22 to 0 .. 11, by w^12 = 18 w^6 - 82."""
    d = list(c)
    for i in range(22, 11, -1):
        d[i - 6] += 18 * d[i]
        d[i - 12] -= 82 * d[i]
    return [value % P for value in d[:12]]


def mul12(a: Fp12, b: Fp12) -> Fp12:
    back = b[::-1]
    low = [sum(map(mul, a[: k + 1], back[11 - k :])) for k in range(12)]
    return reduce12(low + [sum(map(mul, a[k + 1 :], back[: 11 - k])) for k in range(11)])


def mul_by_line(a: Fp12, line: Line, point: Point) -> Fp12:
    """Times y_P - slope x_P w + c w^3, the line at P."""
    (s0, s1), (c0, c1) = line
    x, y = point
    sparse = ((0, y), (1, (9 * s1 - s0) * x % P), (3, c0 - 9 * c1), (7, -s1 * x % P), (9, c1))
    out = [0] * 23
    for shift, factor in sparse:
        for i, value in enumerate(a, shift):
            out[i] += value * factor
    return reduce12(out)


def frobenius12(a: Fp12) -> Fp12:
    """a^p, coefficient of w^j in F_p[i] by coefficient."""
    low, high, factor = [], [], (1, 0)
    for j in range(6):
        c0, c1 = mul2((a[j] + 9 * a[j + 6], -a[j + 6]), factor)
        low.append((c0 - 9 * c1) % P)
        high.append(c1)
        factor = mul2(factor, FROBENIUS_W)
    return low + high


def conjugate(a: Fp12) -> Fp12:
    """a^(p^6): w^(p^6) = -w."""
    return [-value % P if i % 2 else value for i, value in enumerate(a)]


def inverse12(a: Fp12) -> Fp12:
    """By the norms to F_p6 and to F_p2."""
    bar = conjugate(a)
    half = mul12(a, bar)
    once = frobenius12(frobenius12(half))
    rest = mul12(once, frobenius12(frobenius12(once)))
    norm = mul12(half, rest)
    n0, n1 = inv2((norm[0] + 9 * norm[6], norm[6]))
    return mul12(mul12(bar, rest), [(n0 - 9 * n1) % P, *[0] * 5, n1, *[0] * 5])


def power(a: Fp12, exponent: int) -> Fp12:
    result = ONE
    for bit in f"{exponent:b}":
        result = mul12(result, result)
        if bit == "1":
            result = mul12(result, a)
    return result


def final_exponentiation(f: Fp12) -> Fp12:
    """f^((p^12 - 1) / r), with (p^4 - p^2 + 1) / r = p^3 + (6 u^2 + 1) p^2 + ... (Scott et al. 2008/490)."""
    f = mul12(conjugate(f), inverse12(f))
    f = mul12(frobenius12(frobenius12(f)), f)
    u1 = power(f, U)
    u2 = power(u1, U)
    u36, u18 = power(power(u2, U), 36), power(u2, 18)
    l0 = conjugate(mul12(mul12(u36, power(u2, 30)), mul12(power(u1, 18), mul12(f, f))))
    l1 = mul12(conjugate(mul12(mul12(u36, u18), power(u1, 12))), f)
    l2 = mul12(power(u2, 6), f)
    return mul12(l0, frobenius12(mul12(l1, frobenius12(mul12(l2, frobenius12(f))))))


def product_is_one(pairs: Iterable[tuple[Point | None, Point2]]) -> bool:
    """Whether the product of e(p, q) is 1. A neutral p contributes 1; every q must be in G2."""
    active = [(p, lines(q)) for p, q in pairs if p is not None]
    f = ONE
    for steps in zip(*(chain for _, chain in active), strict=True):
        if steps[0][0]:
            f = mul12(f, f)
        for (point, _), (_, line) in zip(active, steps, strict=True):
            f = mul_by_line(f, line, point)
    return final_exponentiation(f) == ONE
