"""The relation of trees (spec, section 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.agreement.reference.field import R, ceil_div, inverse
from tests.agreement.reference.relation import CONSTANT, Combination, Context, Layout, Opened

if TYPE_CHECKING:
    from tests.agreement.reference.key import Key

ZETA, NEXT, NEXT_V = "zeta", "omega*zeta", "v*zeta"


def limbs(key: Key) -> list[str]:
    return [f"s{i}" for i in range(1, key.L + 1)]


def helpers(key: Key, nb: int) -> dict[str, list[str]]:
    """Names of the helpers, each with its limbs."""
    return {f"h{j}": [f"s{i}" for i in group] for j, group in enumerate(key.limbs_of_helpers(nb), 1)}


def packs(key: Key) -> dict[str, list[str]]:
    """The commitments that the columns over H share, where they do, round by round (section 4.3)."""
    columns, sums = ["x", *limbs(key), "b", "p", "c"], [*helpers(key, 1), "phi"]
    width = key.pack_width(1)
    return {
        f"{name}{i}": own[i : i + width]
        for name, own in (("columns", columns), ("sums", sums))
        for i in range(0, len(own), width)
    }


def layout_of_packs(key: Key) -> Layout:
    shared = packs(key)
    together = [name for names in shared.values() for name in names]
    chunk = max(max(key.S, key.N) + 16, *(len(names) * (key.S + 5) for names in shared.values()))
    degree = max(3 * key.S + 12, key.N + 8)
    return Layout(
        round1=[*(name for name in shared if name.startswith("columns")), "m"],
        round2=[*(name for name in shared if name.startswith("sums")), "phi_V"],
        chunks=[f"Quot{i}" for i in range(ceil_div(degree + 1, chunk))],
        evaluations=[(name, ZETA) for name in (*key.fixed_names(1), *together, "phi_V")]
        + [(name, NEXT) for name in together]
        + [("phi_V", NEXT_V)],
        chunk_size=chunk,
        packs=shared,
    )


def layout(key: Key, nb: int) -> Layout:
    if key.pack_width(nb) > 1:
        return layout_of_packs(key)
    n = key.S * nb
    degree, chunk = max((3 if nb == 1 else 2) * n + 12, key.N + 8), max(n, key.N) + 16
    a = ["a"] if key.accumulates(nb) else []
    at_zeta = ["x", *limbs(key), *key.fixed_names(nb), "b", "p", "phi_V"]
    return Layout(
        round1=["x", "b", "p", "c", *limbs(key), "m"],
        round2=[*helpers(key, nb), *a, "phi", "phi_V"],
        chunks=[f"Quot{i}" for i in range(ceil_div(degree + 1, chunk))],
        evaluations=[(name, ZETA) for name in at_zeta]
        + [(name, NEXT) for name in ("b", "p", "c", *a, "phi")]
        + [("phi_V", NEXT_V)],
        chunk_size=chunk,
    )


def opened(context: Context) -> list[Opened]:
    """Section 4.7: the order and the point sets."""
    key, values = context.key, context.values
    if key.pack_width(context.nb) > 1:
        return opened_packs(context)
    single = ["x", *limbs(key), *key.fixed_names(context.nb)]
    sets = {name: [ZETA] for name in single}
    sets |= {"b": [ZETA, NEXT], "p": [ZETA, NEXT], "c": [NEXT]}
    sets |= {"a": [NEXT]} if key.accumulates(context.nb) else {}
    sets |= {"phi": [NEXT], "phi_V": [ZETA, NEXT_V]}
    polynomials = [Opened(context.Rz, [{context.c.zeta: 0}])]
    for name, points in sets.items():
        claims = {context.point(point): values[name, point] for point in points}
        polynomials.append(Opened(Combination({name: 1}), [claims]))
    return polynomials


def opened_packs(context: Context) -> list[Opened]:
    def claims(name: str, points: list[str]) -> dict[int, int]:
        return {context.point(point): context.values[name, point] for point in points}

    polynomials = [Opened(context.Rz, [{context.c.zeta: 0}])]
    polynomials += [Opened(Combination({name: 1}), [claims(name, [ZETA])]) for name in context.key.fixed_names(1)]
    for pack, names in packs(context.key).items():
        polynomials.append(Opened(Combination({pack: 1}), [claims(name, [ZETA, NEXT]) for name in names]))
    return [*polynomials, Opened(Combination({"phi_V": 1}), [claims("phi_V", [ZETA, NEXT_V])])]


def constrain(context: Context) -> None:
    key, c = context.key, context.c
    z_h, z_v = context.vanishing_inverse(context.n), context.vanishing_inverse(key.N)
    z_one = inverse(c.zeta - 1)
    at = {name: value for (name, point), value in context.values.items() if point == ZETA}
    after = {name: value for (name, point), value in context.values.items() if point == NEXT}
    slots = [context.slot(j) for j in range(key.st)]
    _on_steps(context, z_h, at, after, slots)
    _on_limbs(context, z_h, at)
    if key.private:
        _on_private_inputs(context, z_h, at, after, slots)
    if key.accumulates(context.nb):
        a, in_ = context.c.alpha, sum(slots[: key.q_in])
        step = {CONSTANT: after["a"] - in_ * at["x"], "a": -1 - in_ * (a - 1)}
        context.constrain(z_h, {name: (c.zeta - 1) * value for name, value in step.items()})
    out, b = slots[key.st - 1], at["b"]
    context.constrain(z_h, {CONSTANT: out * (after["c"] - b * at["p"]), "c": out * (b - 1)})
    _on_table(context, z_v, at["phi_V"])
    context.constrain(z_one, {CONSTANT: after["phi"]})
    context.constrain(z_one, {CONSTANT: context.values["phi_V", NEXT_V]})
    context.constrain(z_one, {"phi": 1, CONSTANT: -at["phi_V"] - output_sum(context)})
    if key.accumulates(context.nb):
        context.constrain(z_one, {CONSTANT: after["a"]})
        context.constrain(z_one, {"a": 1, CONSTANT: -input_sum(context)})


def _on_steps(context: Context, z: int, at: dict[str, int], after: dict[str, int], slots: list[int]) -> None:
    """Constraints 0 to 4."""
    key, a = context.key, context.c.alpha
    zeta, beta = context.c.zeta, context.c.beta
    in_, out, first = sum(slots[: key.q_in]), slots[key.st - 1], slots[key.q_in]
    step = 1 - in_ - out
    b, p, x = at["b"], at["p"], at["x"]
    s = sum(key.R**i * at[name] for i, name in enumerate(limbs(key)))
    kappa = zeta * at["rho"] if context.nb > 1 else 1
    tag = out + at.get("Gamma", 0)
    d_n = beta + p + 1 - b + a * (x - s + key.Bnd * after["b"]) + a**2 * after["p"] + a**3 * after["c"]
    d_x = beta + kappa + a * x + a**2 * tag + 2 * a**4
    context.constrain(z, {CONSTANT: b * b - b})
    context.constrain(z, {CONSTANT: first * (p - pow(zeta, context.nb, R))})
    context.constrain(z, {CONSTANT: first * (b - 1)})
    if key.private or key.accumulates(context.nb):
        context.constrain(z, {CONSTANT: out * x})
    else:
        context.constrain(z, {CONSTANT: (in_ + out) * x - context.placed(key.entry_rows(), context.inputs[0])})
    num = step + out * after["c"] - (at["E"] if key.private else in_) * p
    both, scale = d_n * d_x % R, zeta - 1
    terms = dict.fromkeys(("phi", *helpers(key, context.nb)), -scale * both)
    terms[CONSTANT] = scale * (after["phi"] * both - step * d_x - num * d_n)
    context.constrain(z, terms)


def _on_limbs(context: Context, z: int, at: dict[str, int]) -> None:
    """Constraints 5: h_j prod D_i - sum of the products without one."""
    a4 = pow(context.c.alpha, 4, R)
    for helper, names in helpers(context.key, context.nb).items():
        d = [context.c.beta + at[name] + a4 for name in names]
        product, partial = 1, 0
        for factor in d:
            product, partial = product * factor % R, (partial * factor + product) % R
        context.constrain(z, {helper: product, CONSTANT: -partial})


def _on_private_inputs(context: Context, z: int, at: dict[str, int], after: dict[str, int], slots: list[int]) -> None:
    """Constraints 6."""
    key = context.key
    e, b, x = at["E"], at["b"], at["x"]
    s = sum(key.R**i * at[name] for i, name in enumerate(limbs(key)))
    context.constrain(z, {CONSTANT: e * (x - at["Psi"] - s)})
    context.constrain(z, {"I": e, CONSTANT: -e * x})
    if key.pairs:
        even, odd = sum(slots[0 : key.q_in : 2]), sum(slots[1 : key.q_in : 2])
        context.constrain(z, {CONSTANT: even * (after["c"] - s - b * ((1 << key.bits) - 1))})
        context.constrain(z, {CONSTANT: even * b * s})
        context.constrain(z, {"c": odd, CONSTANT: -odd * s})


def _on_table(context: Context, z: int, phi_v: int) -> None:
    """Constraint 8, with the table of section 4.2."""
    key, a, zeta = context.key, context.c.alpha, context.c.zeta
    ranges = pow(zeta, key.N // key.q, R)
    tag = sum(pow(ranges, j, R) for j in range(key.q)) * inverse(key.q)
    scale = zeta - 1
    step = scale * (context.values["phi_V", NEXT_V] - phi_v) % R
    hidden = step * (ranges - 1) % R
    context.constrain(
        z,
        {
            CONSTANT: step * (context.c.beta + a**4 * tag),
            "Pub": step,
            "G": hidden * a,
            "A": hidden * a**2,
            "C": hidden * a**3,
            "m": -scale,
        },
    )


def output_sum(context: Context) -> int:
    """Osum of section 4.4, with the sums over the blocks written out."""
    key, a = context.key, context.c.alpha
    total = 0
    omega = pow(5, (R - 1) // context.nb, R)
    for g in range(key.Gr):
        k = context.c.beta + a**2 * (1 + g) + 2 * a**4
        for b in range(context.nb):
            value = context.outputs[b if b < context.rows else 0][g]
            total += value * inverse(k + pow(omega, b, R))
    return total % R


def input_sum(context: Context) -> int:
    """Asum of section 4.4, with its powers of alpha written out."""
    key = context.key
    slots, total = key.g * key.q_in, 0
    for b in range(context.nb):
        for j, entry in enumerate(context.inputs[b if b < context.rows else 0]):
            total += entry * pow(context.c.alpha, (context.nb - b) * slots - 2 - j, R)
    return total % R
