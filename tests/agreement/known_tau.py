"""A reference string whose tau the tests know, in the product's file format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reference.curve import G1, NEUTRAL, Jacobian, P, Point, add, affine
from .reference.field import R
from .reference.pairing import G2, multiply2
from .reference.transcript import keccak256, word

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"assay-srs/1\0"
DEVELOPMENT = b"\0"
WINDOW = 8


class Generator:
    """Multiples of the generator, from a table of its multiples by each window's digits."""

    def __init__(self) -> None:
        self.windows: list[list[Jacobian]] = []
        base: Jacobian = (*G1, 1)
        for _ in range(0, 256, WINDOW):
            row = [NEUTRAL]
            for _ in range((1 << WINDOW) - 1):
                row.append(add(row[-1], base))
            self.windows.append(row)
            base = add(row[-1], base)

    def times(self, scalar: int) -> Point | None:
        total, rest = NEUTRAL, scalar % R
        for row in self.windows:
            total = add(total, row[rest & ((1 << WINDOW) - 1)])
            rest >>= WINDOW
        return affine(total)


def write_srs(path: Path, tau: int, degree: int) -> None:
    """Header, powers of tau in G1 (little-endian coordinates), as the product reads them."""
    generator = Generator()
    powers = b""
    power = 1
    for _ in range(degree + 1):
        point = generator.times(power)
        assert point is not None
        powers += point[0].to_bytes(32, "little") + point[1].to_bytes(32, "little")
        power = power * tau % R
    (x0, x1), (y0, y1) = multiply2(tau, G2)
    in_g2 = b"".join(word(value % P) for value in (x1, x0, y1, y0))
    digest = keccak256(DEVELOPMENT + powers + in_g2)
    path.write_bytes(MAGIC + DEVELOPMENT + degree.to_bytes(4, "big") + digest + in_g2 + powers)
