"""The relation of linear models (spec, section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .field import R, ceil_div, lagrange
from .relation import CONSTANT, Combination, Context, Layout, Opened

if TYPE_CHECKING:
    from .key import Key


def layout(key: Key, nb: int) -> Layout:
    n = key.S * nb
    degree, chunk = 2 * n + 8, n + 16
    own = ["x"] if key.private else []
    return Layout(
        round1=own,
        round2=["phi"],
        chunks=[f"Quot{i}" for i in range(ceil_div(degree + 1, chunk))],
        evaluations=[(name, "zeta") for name in own] + [("phi", "omega*zeta")],
        chunk_size=chunk,
    )


def opened(context: Context) -> list[Opened]:
    after = context.point("omega*zeta")
    polynomials = [Opened(context.Rz, {context.c.zeta: 0})]
    if context.key.private:
        polynomials.append(Opened(Combination({"x": 1}), {context.c.zeta: context.values["x", "zeta"]}))
    polynomials.append(Opened(Combination({"phi": 1}), {after: context.values["phi", "omega*zeta"]}))
    return polynomials


def constrain(context: Context) -> None:
    key = context.key
    z = context.vanishing_inverse(context.n)
    slots = [context.slot(j) for j in range(key.st)]
    last, ones, features = slots[-1], slots[key.F], sum(slots[: key.F])
    x = context.values["x", "zeta"] if key.private else public_column(context)
    results = context.placed([key.st * g + key.st - 1 for g in range(key.Gr)], context.outputs)
    context.constrain(z, {"phi": slots[0]})
    context.constrain(z, {"phi": last, CONSTANT: -results})
    context.constrain(
        z,
        {CONSTANT: (1 - last) * context.values["phi", "omega*zeta"], "phi": last - 1, "w": (last - 1) * x},
    )
    if key.private:
        context.constrain(z, {"I": features, CONSTANT: -features * x})
        context.constrain(z, {CONSTANT: ones * (x - 1)})
        context.constrain(z, {CONSTANT: (1 - features - ones) * x})


def public_column(context: Context) -> int:
    """x(zeta): the input words in every segment, and the 1 that the base is multiplied with."""
    key = context.key
    block_point = pow(context.c.zeta, context.nb, R)
    segments = [key.st * g for g in range(key.Gr)]
    rows = [start + f for start in segments for f in range(key.F)]
    words = [row * key.Gr for row in context.inputs]
    ones = sum(lagrange(key.S, start + key.F, block_point) for start in segments)
    return (context.placed(rows, words) + ones) % R
