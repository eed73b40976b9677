"""The relation of linear models (spec, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.agreement.reference.field import R, root
from tests.agreement.reference.relation import CONSTANT, Combination, Context, Layout, Opened

if TYPE_CHECKING:
    from tests.agreement.reference.key import Key

HALF = "theta*zeta"


def theta(key: Key) -> int:
    return root(2 * key.S)


def layout(key: Key, _nb: int) -> Layout:
    return Layout(round1=[], round2=["phi"], chunks=[], evaluations=[("phi", HALF)], chunk_size=3 * key.S)


def opened(context: Context) -> list[Opened]:
    after = context.point(HALF)
    return [
        Opened(context.Rz, [{context.c.zeta: 0}]),
        Opened(Combination({"phi": 1}), [{after: context.values["phi", HALF]}]),
    ]


def constrain(context: Context) -> None:
    """phi(X) + theta phi(theta X) = w(X) x(X) - O X^(S-1)."""
    key, c = context.key, context.c
    total = sum(pow(c.beta, g, R) * packed for g, packed in enumerate(combined(context, context.outputs)))
    constant = theta(key) * context.values["phi", HALF] + total * pow(c.zeta, key.S - 1, R)
    context.constrain(1, {"phi": 1, "w": -input_polynomial(context), CONSTANT: constant})


def combined(context: Context, rows: list[list[int]]) -> list[int]:
    """The sum of alpha^b times row b."""
    columns = zip(*rows, strict=True)
    return [sum(pow(context.c.alpha, b, R) * value for b, value in enumerate(column)) % R for column in columns]


def input_polynomial(context: Context) -> int:
    """At zeta: the combined words, and 1 behind them, in every group's segment, from the highest power."""
    key, c = context.key, context.c
    words = combined(context, [[*row, 1] for row in context.inputs])
    total = 0
    for g in range(key.Gr):
        for f, value in enumerate(words):
            total += pow(c.beta, g, R) * value * pow(c.zeta, key.S - 1 - (key.st * g + f), R)
    return total % R
