"""Provers that claim a false value of a polynomial in a pack, or weave a pack in another order (spec, section 2.1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.agreement.reference.field import R

from .frozen import Attack
from .polynomials import Polynomial, evaluate, woven

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.agreement.reference.relation import Opened

    from .plain_prover import Columns

Value = tuple[str, str]


@dataclass
class FalseValue(Attack):
    """Opens the polynomials that it has, and claims another value of one of them."""

    name: Value = ("", "")
    true: dict[Value, int] = field(default_factory=dict)
    claimed: int = 0

    def evaluations(self) -> dict[Value, int]:
        self.true = self.true_values(self.zeta)
        self.claimed = self.choose()
        return self.true | {self.name: self.claimed}

    def choose(self) -> int:
        raise NotImplementedError

    def opened(self, values: Mapping[Value, int]) -> list[Opened]:
        """Constraints of what is claimed, an opening of what is true."""
        context = self.with_quotient(values)
        context.values.update(self.true)
        return self.relation.opened(context)

    def opening(self, values: Mapping[Value, int]) -> Polynomial:
        W, _ = self.fraction(self.opened(values), self.gamma)
        return W


class ThatSaves(FalseValue):
    """A false statement: the value is the one with which the constraints hold at zeta, whatever the quotient is."""

    def quotient(self) -> Columns:
        return self.random_quotient()

    def choose(self) -> int:
        def left(error: int) -> int:
            claimed = self.true | {self.name: (self.true[self.name] + error) % R}
            return self.value_of(self.with_quotient(claimed).Rz, self.zeta)

        nothing, one = left(0), left(1)
        return (self.true[self.name] - nothing * pow(one - nothing, -1, R)) % R


class AtAnotherPoint(FalseValue):
    """A true statement, and the value of a column two rows further where that of the next row belongs."""

    def choose(self) -> int:
        name, _ = self.name
        point = self.context(self.zeta, self.true).point("omega*zeta")
        return evaluate(self.polynomials[name], point * point * pow(self.zeta, -1, R) % R)


def exchange(polynomials: list[Opened], packs: Mapping[str, list[str]], pair: tuple[str, str]) -> list[Opened]:
    """The claims of two columns, of one pack or of two, in each other's place."""
    places = {name: (pack, names.index(name)) for pack, names in packs.items() for name in names}
    claims = {pack: own.claims for own in polynomials for pack in own.commitment}
    (one, i), (other, j) = (places[name] for name in pair)
    claims[one][i], claims[other][j] = claims[other][j], claims[one][i]
    return polynomials


class OtherOrder(Attack):
    """A true statement whose columns `exchanged` stand in each other's place in their packs."""

    exchanged: tuple[str, str] = ("", "")

    def woven(self, pack: str) -> Polynomial:
        other = dict(zip(self.exchanged, self.exchanged[::-1], strict=True))
        return woven([self.polynomials[other.get(name, name)] for name in self.layout.packs[pack]])

    def opened(self, values: Mapping[Value, int]) -> list[Opened]:
        return exchange(super().opened(values), self.layout.packs, self.exchanged)
