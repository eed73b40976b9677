"""The smallest linear model, with its key and its columns, written down from section 5 of the spec."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.agreement.reference.field import R, root

from .polynomials import multiplied

if TYPE_CHECKING:
    from .plain_prover import Columns, Commitments
    from .polynomials import Polynomial

# One output fills a lane, so that every output is a group of its own.
LANE, STRIDE, MAX_ROWS_LOG = 130, 16, 2


@dataclass
class Line:
    """The base plus the sum of weights times words, `groups` times; `rows` are the words."""

    commitments: Commitments
    weights: tuple[int, ...]
    base: int
    rows: tuple[tuple[int, ...], ...]
    groups: int = 1

    def __post_init__(self) -> None:
        packed = [*self.weights, self.base + (1 << (LANE - 1))]
        segment = [value % R for value in packed] + [0] * (STRIDE - len(packed))
        self.model: Columns = {"w": [*segment * self.groups, random.randrange(1, R)]}
        fields = (len(self.weights), self.groups, 0, LANE, 0, 0, STRIDE, self.groups, 0, 0, 0, MAX_ROWS_LOG)
        head = struct.pack(">4B13I", 1, 0, 0, 64, *fields, 0)
        self.key = self.commitments.key(head, [self.commitments.commit(self.model["w"])])

    @property
    def outputs(self) -> list[int]:
        """Of each row; the groups have the same."""
        return [self.base + sum(w * u for w, u in zip(self.weights, row, strict=True)) for row in self.rows]

    def words(self, *changes: int) -> tuple[int, ...]:
        """The public words, with changes of the first outputs."""
        outputs = [value for value in self.outputs for _ in range(self.groups)]
        padded = [*changes, *[0] * (len(outputs) - len(changes))]
        claimed = [value + change for value, change in zip(outputs, padded, strict=True)]
        return (*sum(self.rows, ()), *(value % (1 << 256) for value in claimed), 0)

    def round1(self) -> Columns:
        return {}

    def round2(self, alpha: int, beta: int) -> Columns:
        return {"phi": self.sum(alpha, beta)}

    def sum(self, alpha: int, beta: int) -> Polynomial:
        """Section 5, coefficient by coefficient."""
        rows = [[*row, 1] for row in self.rows]
        combined = [sum(pow(alpha, b, R) * row[f] for b, row in enumerate(rows)) for f in range(len(rows[0]))]
        size = STRIDE * self.groups
        inputs = [0] * size
        for group in range(self.groups):
            for f, value in enumerate(combined):
                inputs[STRIDE * group + f] = pow(beta, group, R) * value % R
        product = multiplied(self.model["w"], inputs[::-1])
        theta = root(2 * size)
        phi = [random.randrange(R) if k % (2 * size) == size - 1 else 0 for k in range(3 * size)]
        for k, value in enumerate(product):
            if k != size - 1:
                phi[k] = value * pow(1 + pow(theta, k + 1, R), -1, R) % R
        return phi
