"""Keccak-256 as Ethereum uses it: hashlib has only the later SHA-3, which pads differently."""

from __future__ import annotations

_RATE = 136
_MASK = (1 << 64) - 1


def _round_constants() -> list[int]:
    constants, state = [], 1
    for _ in range(24):
        value = 0
        for bit in range(7):
            if state & 1:
                value |= 1 << ((1 << bit) - 1)
            state = (state << 1) ^ (0x171 if state >> 7 else 0)
        constants.append(value)
    return constants


_CONSTANTS = _round_constants()


def keccak256(data: bytes) -> bytes:
    """Hash `data`; source: the Keccak reference, version 3.0, with Keccak's original padding."""
    lanes = [0] * 25
    padded = bytearray(data + b"\x01" + bytes(-(len(data) + 1) % _RATE))
    padded[-1] |= 0x80
    for start in range(0, len(padded), _RATE):
        for i in range(_RATE // 8):
            lanes[i] ^= int.from_bytes(padded[start + 8 * i : start + 8 * i + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permuted(a: list[int]) -> list[int]:
    """Keccak-f[1600]; lane (x, y) is a[x + 5y]."""
    for constant in _CONSTANTS:
        # theta
        c = [a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20] for x in range(5)]
        d = [c[x - 1] ^ _rotated(c[(x + 1) % 5], 1) for x in range(5)]
        a = [lane ^ d[i % 5] for i, lane in enumerate(a)]
        # rho and pi
        b = a[:]
        x, y, lane = 1, 0, a[1]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            here = x + 5 * y
            lane, b[here] = a[here], _rotated(lane, (t + 1) * (t + 2) // 2 % 64)
        # chi and iota
        a = [b[i] ^ (~b[i - i % 5 + (i + 1) % 5] & b[i - i % 5 + (i + 2) % 5]) for i in range(25)]
        a[0] ^= constant
    return a


def _rotated(lane: int, by: int) -> int:
    return ((lane << by) | (lane >> (64 - by))) & _MASK
