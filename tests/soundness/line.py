"""The smallest linear model, with its key and its columns, written down from section 5 of the spec."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.agreement.reference.field import R

from .plain_prover import hidden

if TYPE_CHECKING:
    from .plain_prover import Columns, Commitments

LANE, STRIDE, MAX_ROWS_LOG = 80, 16, 2


@dataclass
class Line:
    """The base plus the sum of weights times words; `rows` are the words."""

    commitments: Commitments
    weights: tuple[int, ...]
    base: int
    rows: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        packed = [*self.weights, self.base + (1 << (LANE - 1))]
        self.slots = packed + [0] * (STRIDE - len(packed))
        self.model: Columns = {"w": hidden([value % R for value in self.slots])}
        fields = (len(self.weights), 1, 0, LANE, 0, 0, STRIDE, 1, 0, 0, 0, MAX_ROWS_LOG)
        head = struct.pack(">4B13I", 1, 0, 0, 64, *fields, 0)
        self.key = self.commitments.key(head, [self.commitments.commit(self.model["w"])])

    @property
    def outputs(self) -> list[int]:
        return [self.base + sum(w * u for w, u in zip(self.weights, row, strict=True)) for row in self.rows]

    def words(self, *changes: int) -> tuple[int, ...]:
        """The public words, with changes of the first outputs."""
        padded = [*changes, *[0] * (len(self.rows) - len(changes))]
        claimed = [value + change for value, change in zip(self.outputs, padded, strict=True)]
        return (*sum(self.rows, ()), *(value % (1 << 256) for value in claimed), 0)

    def round1(self) -> Columns:
        return {}

    def round2(self, alpha: int, beta: int) -> Columns:
        del beta
        return {"phi": hidden(self.sums(alpha))}

    def sums(self, alpha: int) -> list[int]:
        """The running sum over the slots of weights times the rows' words, each row times its power of alpha."""
        rows = [[*row, 1] for row in self.rows]
        combined = [sum(pow(alpha, b, R) * row[f] for b, row in enumerate(rows)) for f in range(len(rows[0]))]
        phi = [0]
        for weight, word in zip(self.slots, combined + [0] * STRIDE, strict=False):
            phi.append((phi[-1] + weight * word) % R)
        return phi[:STRIDE]
