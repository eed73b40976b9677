"""BN254 in plain integers: just enough to make points whose discrete logarithms a test knows."""

from __future__ import annotations

P = 21888242871839275222246405745257275088696311157297823662689037894645226208583
R = 21888242871839275222246405745257275088548364400416034343698204186575808495617

G1 = (1, 2)
# Coordinates a + b·i as pairs (a, b), EIP-197.
G2 = (
    (
        10857046999023057135944570762232829481370756359578518086990519993285655852781,
        11559732032986387107991004021392285783925812861821192530917403151452391805634,
    ),
    (
        8495653923123431417604973247489272438418190587263600148770280649306958101930,
        4082367875863433681332203403145435568316851327593401208105741076214120093531,
    ),
)


def multiply(scalar: int, point: tuple[int, int] = G1) -> tuple[int, int]:
    """`scalar` times a point of G1; infinity is (0, 0)."""
    result = (0, 0)
    for bit in f"{scalar % R:b}":
        result = add(result, result)
        if bit == "1":
            result = add(result, point)
    return result


def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    if a == (0, 0):
        return b
    if b == (0, 0):
        return a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return (0, 0)
        slope = 3 * a[0] * a[0] * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply2(scalar: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """`scalar` times the generator of G2."""
    result = None
    for bit in f"{scalar % R:b}":
        result = _add2(result, result)
        if bit == "1":
            result = _add2(result, G2)
    assert result is not None
    return result


def _times(a, b):
    return (a[0] * b[0] - a[1] * b[1]) % P, (a[0] * b[1] + a[1] * b[0]) % P


def _minus(a, b):
    return (a[0] - b[0]) % P, (a[1] - b[1]) % P


def _over(a, b):
    norm = pow(b[0] * b[0] + b[1] * b[1], -1, P)
    return _times(a, (b[0] * norm % P, -b[1] * norm % P))


def _add2(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a == b:
        square = _times(a[0], a[0])
        slope = _over((3 * square[0], 3 * square[1]), (2 * a[1][0], 2 * a[1][1]))
    else:
        slope = _over(_minus(b[1], a[1]), _minus(b[0], a[0]))
    x = _minus(_minus(_times(slope, slope), a[0]), b[0])
    return x, _minus(_times(slope, _minus(a[0], x)), a[1])
