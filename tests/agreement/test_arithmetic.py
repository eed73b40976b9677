"""The plain verifier's own arithmetic: the group laws, the pairing, what it refuses."""

from __future__ import annotations

import random

import pytest

from .known_tau import Generator
from .reference import Refused
from .reference.curve import G1, P, add, affine, multi_multiply, negate, parse_point
from .reference.field import R, lagrange, root
from .reference.pairing import (
    G2,
    final_exponentiation,
    is_on_twist,
    lines,
    mul2,
    multiply2,
    power,
    product_is_one,
    sub2,
)
from .reference.transcript import keccak256

A, B = 0x1234567890ABCDEF << 180, R - 987654321987654321


def test_keccak_is_the_one_before_the_standard() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_multiples_of_the_generator() -> None:
    # EIP-196: 2 G1.
    two = (
        1368015179489954701390400359078579693043519447331113978918064868415326638035,
        9918110051302171585080402603319702774565515993150576347155970296011118125764,
    )
    assert multi_multiply([(2, G1)]) == two == affine(add((*G1, 1), (*G1, 1)))
    assert multi_multiply([(R, G1)]) is None
    assert multi_multiply([(A, G1), (R - A, G1)]) is None
    assert multi_multiply([(A, G1), (B, two)]) == Generator().times(A + 2 * B)


@pytest.mark.parametrize("point", [(0, 0), (1, 3), (P + 1, 2), (1, P + 2), (1 << 255, 2)])
def test_points_that_are_refused(point: tuple[int, int]) -> None:
    with pytest.raises(Refused):
        parse_point(b"".join(c.to_bytes(32, "big") for c in point))


def test_the_pairing_is_bilinear_and_not_trivial() -> None:
    left = multi_multiply([(A, G1)])
    right = multiply2(B, G2)
    both = multi_multiply([(A * B, G1)])
    assert left is not None
    assert both is not None
    assert product_is_one([(left, right), (negate(both), G2)])
    assert not product_is_one([(left, right), (both, G2)])
    assert not product_is_one([(left, G2)])
    assert product_is_one([(None, G2), (left, right), (negate(left), right)])


def test_the_final_exponentiation_is_the_power_that_it_stands_for() -> None:
    rng = random.Random(2)
    f = [rng.randrange(P) for _ in range(12)]
    assert final_exponentiation(f) == power(f, (P**12 - 1) // R)


def test_points_of_g2_outside_the_subgroup_are_refused() -> None:
    with pytest.raises(Refused, match="curve"):
        lines((G2[0], G2[0]))
    # Almost every point of the twist is outside; a random x has a y in one case of two.
    rng = random.Random(1)
    while True:
        x = (rng.randrange(P), rng.randrange(P))
        y = _root(_right_side(x))
        if y is not None:
            break
    assert is_on_twist((x, y))
    with pytest.raises(Refused, match="subgroup"):
        lines((x, y))


def _right_side(x: tuple[int, int]) -> tuple[int, int]:
    b = sub2(mul2(G2[1], G2[1]), mul2(mul2(G2[0], G2[0]), G2[0]))
    cube = mul2(mul2(x, x), x)
    return (cube[0] + b[0]) % P, (cube[1] + b[1]) % P


def _root(a: tuple[int, int]) -> tuple[int, int] | None:
    """A square root in F_p[i], by the norm's root (p = 3 mod 4)."""
    norm = pow(a[0] * a[0] + a[1] * a[1], (P + 1) // 4, P)
    for sign in (norm, -norm):
        half = (a[0] + sign) * pow(2, -1, P) % P
        real = pow(half, (P + 1) // 4, P)
        if real:
            root_ = (real, a[1] * pow(2 * real, -1, P) % P)
            if mul2(root_, root_) == (a[0] % P, a[1] % P):
                return root_
    return None


def test_lagrange_polynomials_interpolate() -> None:
    # X^3 on a domain of 8.
    point = 123456789
    values = [pow(root(8), 3 * row, R) for row in range(8)]
    assert sum(value * lagrange(8, row, point) for row, value in enumerate(values)) % R == point**3 % R
    with pytest.raises(Refused):
        lagrange(8, 3, pow(root(8), 3, R))
