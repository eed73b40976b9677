"""The relation of linear models (spec, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.agreement.reference.field import R, ceil_div
from tests.agreement.reference.relation import CONSTANT, Combination, Context, Layout, Opened

if TYPE_CHECKING:
    from tests.agreement.reference.key import Key


def layout(key: Key, _nb: int) -> Layout:
    degree, chunk = 2 * key.S + 8, key.S + 16
    return Layout(
        round1=[],
        round2=["phi"],
        chunks=[f"Quot{i}" for i in range(ceil_div(degree + 1, chunk))],
        evaluations=[("phi", "omega*zeta")],
        chunk_size=chunk,
    )


def opened(context: Context) -> list[Opened]:
    after = context.point("omega*zeta")
    return [
        Opened(context.Rz, [{context.c.zeta: 0}]),
        Opened(Combination({"phi": 1}), [{after: context.values["phi", "omega*zeta"]}]),
    ]


def constrain(context: Context) -> None:
    key = context.key
    z = context.vanishing_inverse(context.n)
    last = context.slot(key.st - 1)
    x = input_column(context)
    results = context.placed([key.st * (g + 1) - 1 for g in range(key.Gr)], combined(context, context.outputs))
    context.constrain(z, {"phi": context.slot(0)})
    context.constrain(z, {"phi": last, CONSTANT: -results})
    context.constrain(
        z,
        {CONSTANT: (1 - last) * context.values["phi", "omega*zeta"], "phi": last - 1, "w": (last - 1) * x},
    )


def combined(context: Context, rows: list[list[int]]) -> list[int]:
    """The sum of alpha^b times row b."""
    columns = zip(*rows, strict=True)
    return [sum(pow(context.c.alpha, b, R) * value for b, value in enumerate(column)) % R for column in columns]


def input_column(context: Context) -> int:
    """x(zeta): the combined words in every segment, and behind them what the base is multiplied with."""
    key = context.key
    words = combined(context, [[*row, 1] for row in context.inputs])
    rows = [key.st * g + f for g in range(key.Gr) for f in range(key.F + 1)]
    return context.placed(rows, words * key.Gr)
