"""What a relation gives the common part of the verifier: its messages, and Rz with the openings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .field import R, inverse, lagrange, root

if TYPE_CHECKING:
    from .key import Key

# A linear combination of named commitments; the constant stands at the generator's name.
CONSTANT = "1"


class Combination(dict[str, int]):
    """Coefficients by name."""

    def plus(self, name: str, value: int) -> None:
        self[name] = (self.get(name, 0) + value) % R


@dataclass(frozen=True)
class Layout:
    """The order of the messages. An evaluation is a name and the name of its point.

    A name in `packs` is a commitment of several columns (section 2.1), every other one that of the column itself.
    """

    round1: list[str]
    round2: list[str]
    chunks: list[str]
    evaluations: list[tuple[str, str]]
    chunk_size: int
    packs: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Challenges:
    alpha: int
    beta: int
    y: int
    zeta: int


@dataclass
class Opened:
    """A commitment of the opening: of each polynomial in it, what is claimed at which points."""

    commitment: Combination
    claims: list[dict[int, int]]


def shift_of(point: str, key: Key, n: int) -> int:
    """What zeta is multiplied with."""
    orders = {"zeta": 1, "omega*zeta": n, "v*zeta": max(key.N, 1), "theta*zeta": 2 * n}
    return root(orders[point])


@dataclass
class Context:
    """Everything that the constraints at zeta need."""

    key: Key
    rows: int
    nb: int
    inputs: list[list[int]]
    outputs: list[list[int]]
    values: dict[tuple[str, str], int]
    c: Challenges
    Rz: Combination = field(default_factory=Combination)
    weight: int = 1

    @property
    def n(self) -> int:
        return self.key.S * self.nb

    def point(self, name: str) -> int:
        return shift_of(name, self.key, self.n) * self.c.zeta % R

    def slot(self, j: int) -> int:
        """l_j(zeta): 1 on slot j of every stride."""
        return lagrange(self.key.st, j, pow(self.c.zeta, self.n // self.key.st, R))

    def vanishing_inverse(self, order: int) -> int:
        return inverse(pow(self.c.zeta, order, R) - 1)

    def constrain(self, over: int, terms: dict[str, int]) -> None:
        """The next constraint: `terms` times y^i, over its vanishing polynomial (`over` is its inverse)."""
        for name, value in self.known(terms).items():
            self.Rz.plus(name, self.weight * over % R * value)
        self.weight = self.weight * self.c.y % R

    def known(self, terms: dict[str, int]) -> dict[str, int]:
        """The terms with every polynomial that is evaluated at zeta as its value there."""
        found = Combination()
        for name, value in terms.items():
            at = self.values.get((name, "zeta"))
            found.plus(*((name, value) if at is None else (CONSTANT, value * at)))
        return found

    def placed(self, rows: list[int], values: list[int]) -> int:
        """The value at zeta of the polynomial with `values[j]` at row `rows[j]` of the only block."""
        return sum(value * lagrange(self.key.S, row, self.c.zeta) for row, value in zip(rows, values, strict=True)) % R
