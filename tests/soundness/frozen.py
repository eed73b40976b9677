"""Attacks on challenges: each proves a false statement to a verifier whose challenge is known before its time.

A challenge is worth something only because whatever it combines was sent before. So for each there is a message that a
cheat fits to the challenge: against a verifier that draws it by hashing, the same message gives another challenge.
Each class knows the frozen challenges by name and replaces the one step of the honest prover that sends that message.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tests.agreement.reference import linear, trees
from tests.agreement.reference.field import R
from tests.agreement.reference.relation import Challenges, Context
from tests.agreement.reference.transcript import Transcript
from tests.agreement.reference.verify import folded

from .plain_prover import PlainProver, hidden
from .polynomials import Polynomial, add, scaled, times_linear

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .line import Line
    from .plain_prover import Columns
    from .stump import Stump

ORDER = ("alpha", "beta", "y", "zeta", "gamma", "z")
"""The challenges in the order in which they are drawn."""


class Frozen(Transcript):
    """A transcript some of whose challenges are constants; its state goes on as if they were not."""

    def __init__(
        self,
        digest: bytes,
        rows: int,
        words: Iterable[int],
        known: Mapping[str, int],
        order: tuple[str, ...] = ORDER,
    ) -> None:
        super().__init__(digest, rows, words)
        self.known, self.names = known, iter(order)

    def challenge(self) -> int:
        value = super().challenge()
        return self.known.get(next(self.names), value)


@dataclass
class Attack(PlainProver):
    """A prover that knows some challenges from the start."""

    KNOWS: ClassVar[tuple[str, ...]] = ()
    known: dict[str, int] = field(default_factory=dict)

    def forge(self) -> bytes:
        assert set(self.known) == set(self.KNOWS)
        return self.prove(Frozen(self.key.digest, self.rows, self.words, self.known))

    def random_quotient(self) -> Columns:
        """The constraints do not hold, so no quotient is right."""
        size = self.layout.chunk_size
        return {name: [random.randrange(R) for _ in range(size)] for name in self.layout.chunks}

    def mismatch(self, phi: int, phi_V: int) -> int:
        """By how much constraint 10 fails, from the ends of the sums."""
        challenges = Challenges(self.alpha, self.beta, 0, 0)
        inputs, outputs = self.statement.inputs, self.statement.outputs
        context = Context(self.key, self.rows, self.nb, inputs, outputs, {}, challenges)
        return (phi - phi_V - trees.output_sum(context)) % R


class OnAlphaBeta(Attack):
    """The lookups' sums agree as numbers and not as functions: a multiplicity pays the difference."""

    KNOWS = ("alpha", "beta")
    witness: Stump

    def round1(self) -> Columns:
        columns = super().round1()
        self.alpha, self.beta = (self.known[name] for name in self.KNOWS)
        _, phi = self.witness.sums(self.alpha, self.beta)
        phi_V = self.witness.table_sum(self.alpha, self.beta)
        # Any row of the table that counts.
        row = 5
        self.witness.uses[row] += self.mismatch(phi[0], phi_V[0]) * self.witness.table_row(row, self.alpha, self.beta)
        return columns | {"m": hidden(self.witness.uses)}


class OnY(Attack):
    """Constraints that fail cancel: phi starts so high that constraint 8 pays for constraint 10."""

    KNOWS = ("y",)

    def round2(self) -> Columns:
        columns = super().round2()
        ends = (sum(columns[name]) % R for name in ("phi", "phi_V"))
        square = self.known["y"] ** 2
        start = -square * self.mismatch(*ends) * pow(1 + square, -1, R) % R
        return columns | {"phi": add(columns["phi"], [start])}


class OnZeta(Attack):
    """The identity of the quotient holds at one point."""

    KNOWS = ("zeta",)

    def quotient(self) -> Columns:
        zeta, chunks = self.known["zeta"], self.random_quotient()
        self.polynomials |= chunks
        wanted = self.context(zeta, self.true_values(zeta)).Rz
        for i, name in enumerate(self.layout.chunks):
            wanted.plus(name, -pow(zeta, i * self.layout.chunk_size, R))
        first = self.layout.chunks[0]
        return chunks | {first: add(chunks[first], [self.value_of(wanted, zeta)])}


class OnGamma(Attack):
    """Two values that are claimed falsely cancel in their combination: those of Rz and of phi_V at zeta."""

    KNOWS = ("gamma",)
    FALSE = ("phi_V", "zeta")

    def quotient(self) -> Columns:
        return self.random_quotient()

    def evaluations(self) -> dict[tuple[str, str], int]:
        true = self.true_values(self.zeta)
        # What is left over at zeta is linear in the error of phi_V's value.
        without, with_one = (self._left(true | {self.FALSE: true[self.FALSE] + error}) for error in (0, 1))
        error = -without * pow(with_one - without, -1, R)
        return true | {self.FALSE: (true[self.FALSE] + error) % R}

    def _left(self, values: Mapping[tuple[str, str], int]) -> int:
        _, remainders = self.fraction(self.opened(values), self.known["gamma"])
        return remainders[1, self.zeta][0]


class OnZ(Attack):
    """Any values at all: W is what the check at z wants, not a quotient."""

    KNOWS = ("z",)

    def quotient(self) -> Columns:
        return self.random_quotient()

    def evaluations(self) -> dict[tuple[str, str], int]:
        return {name: random.randrange(R) for name in self.layout.evaluations}

    def opening(self, values: Mapping[tuple[str, str], int]) -> Polynomial:
        z = self.known["z"]
        wanted = self.combined(folded(self.opened(values), self.gamma, z))
        return add(wanted, scaled(times_linear([1], z), -random.randrange(1, R)))


class OnZetaOfLine(Attack):
    """The identity of a linear model holds at one point."""

    KNOWS = ("zeta",)
    witness: Line

    def round2(self) -> Columns:
        columns = super().round2()
        self.polynomials |= columns
        self.y, zeta = 0, self.known["zeta"]
        wrong = self.value_of(self.context(zeta, self.true_values(zeta)).Rz, zeta)
        return {"phi": add(columns["phi"], [-wrong * pow(1 + linear.theta(self.key), -1, R)])}

    def quotient(self) -> Columns:
        return {}


class OnBetaOfGroups(Attack):
    """The outputs of two groups are changed so that their combination stays: the rest of the proof is honest."""

    KNOWS = ("beta",)


class OnAlphaOfRows(Attack):
    """The rows of a batch are changed so that their combination stays: the rest of the proof is honest."""

    KNOWS = ("alpha",)


ATTACKS: tuple[type[Attack], ...] = (OnAlphaBeta, OnY, OnZeta, OnGamma, OnZ)
"""On one row of trees: every challenge."""

ATTACKS_ON_LINE: tuple[type[Attack], ...] = (OnZetaOfLine, OnZ)
"""On one row of a linear model. Only one polynomial is opened at each point, so gamma has nothing to separate; y is
not used; alpha combines rows, beta groups of outputs."""
