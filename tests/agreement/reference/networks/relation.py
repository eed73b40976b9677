"""The constraints of networks at a point, as the page writes them (networks.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.agreement.reference.field import R, inverse, root

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .key import NetworkKey

Values = dict[tuple[str, str], int]


@dataclass(frozen=True)
class Challenges:
    """In the order in which they are drawn."""

    alpha: int
    beta: int
    u: int
    p: int
    s: int
    nu: int
    mu: int
    theta: int
    y: int


def total(
    key: NetworkKey, nb: int, c: Challenges, v: Mapping[tuple[str, str], int], X: int, T_pub: int, removed: int = -1
) -> int:
    """The sum of y^i C_i over their vanishing polynomials at X, without constraint number `removed`."""
    weight, found = 1, 0
    for i, (value, over) in enumerate(constraints(key, nb, c, v, X, T_pub)):
        if i != removed:
            found += weight * value % R * over
        weight = weight * c.y % R
    return found % R


def constraints(
    key: NetworkKey, nb: int, c: Challenges, v: Mapping[tuple[str, str], int], X: int, T_pub: int
) -> list[tuple[int, int]]:
    """Each C_i with the inverse of its vanishing polynomial."""
    n, N, K, M, L, f, s_z = key.S * nb, key.N, key.K, key.M, key.L, key.f, key.shift

    def at(name: str) -> int:
        return v[name, "here"]

    a, b, k, low, S, y = (at(name) for name in ("a", "b", "k", "l", "S", "y"))
    r = [at(f"r{i}") for i in range(1, L + 1)]
    mx = at("mx") if key.max else 0
    sa = 1 if key.private else at("sa")
    multq = at("multq") if key.cell else 0
    ra, rb, cp = X * at("delta_a"), X * at("delta_b"), X * at("pi")
    alpha, beta, alpha3 = c.alpha, c.beta, pow(c.alpha, 3, R)
    z = (k * 2**f + low) * 2**s_z + sum(limb * 2 ** (key.rho * i) for i, limb in enumerate(r))
    zl = z - at("qm") * (a * b + v["a", "next"] * v["b", "next"]) - mx * 2**s_z * (a - b)
    qv = 2**key.q_shift * ((k - key.base_c) * 2**f + low)

    fractions = [(1, beta + 2**50 + limb + alpha * 2**100) for limb in r]
    fractions += [(1, beta + 2**51 + low + alpha * 2**101)]
    fractions += [(1, beta + a + alpha * ra + alpha3), (1, beta + b + alpha * rb + alpha3)]
    fractions += [(-multq, beta + qv + alpha * 5 * X + alpha3)] if key.cell else []
    D_y = beta + y + alpha * X + alpha3
    D_t = (beta + k + alpha * S + alpha * alpha * (y - S * low - mx * b)) % R

    Z_n, Z_N, Z_1 = inverse(pow(X, n, R) - 1), inverse(pow(X, N, R) - 1), inverse(X - 1)
    C: list[tuple[int, int]] = []
    for j in range(key.Hn):
        shared = fractions[3 * j : 3 * j + 3]
        left, right = at(f"h{j + 1}"), 0
        for _, D in shared:
            left = left * D % R
        for own, (num, _) in enumerate(shared):
            part = num
            for other, (_, D) in enumerate(shared):
                part = part * D % R if other != own else part
            right += part
        C.append((left - right, Z_n))
    A, B, P = c.s - at("ca"), c.p - at("cz"), c.u - cp
    C.append((at("h_lin") * A % R * B % R * P - c.nu * sa % R * a % R * B - zl % R * A, Z_n))
    h = sum(at(f"h{j + 1}") for j in range(key.Hn))
    step = v["phi", "next"] - at("phi") - h - c.mu * at("h_lin")
    C.append(((X - 1) * ((step % R * D_t - 1) % R * D_y + at("mult") * D_t), Z_n))
    if key.private:
        C.append((at("Ein") * (y - at("I")), Z_n))

    u_K = root(K)
    E, E2 = 1, X - pow(u_K, 5, R)
    for j in range(1, 5):
        E = E * (X - pow(u_K, j, R)) % R
    kappa = M * inverse(pow(c.p, M, R) - 1)
    Theta = sum(pow(c.theta, t + 1, R) * pow(X, t, R) for t in range(4))
    one_U = K * inverse(N) % R * (pow(X, N, R) - 1) % R * inverse(pow(X, K, R) - 1) % R
    t = beta + at("ID") + alpha * at("S_V") + alpha * alpha * at("B_V")
    products = c.mu * one_U % R * at("x") % R * ((kappa * at("w_fold") + Theta) % R * E2 % R * (c.s - X) + c.nu * E)
    grown = (v["phi_V", "next_V"] - at("phi_V")) * (c.s - X) - products
    C.append(((X - 1) * (grown % R * t - (c.s - X) * at("m")), Z_N))

    C.append((v["phi", "next"], Z_1))
    C.append((v["phi_V", "next_V"], Z_1))
    C.append((at("phi") - at("phi_V") - c.mu * T_pub, Z_1))
    C.append((whole(key, c, v) - at("w_fold"), inverse(pow(X, K, R) - c.p)))
    C.append((pow(X, K + 3, R) * v["w_fold", "inverse"], 1))
    return C


def whole(key: NetworkKey, c: Challenges, v: Mapping[tuple[str, str], int]) -> int:
    """w, from its parts (section 2.3)."""
    return sum(pow(c.p, key.M_p * i, R) * v[part, "here"] for i, part in enumerate(key.matrix)) % R


def public_sum(key: NetworkKey, nb: int, c: Challenges, inputs: list[list[int]], outputs: list[list[int]]) -> int:
    """T_pub, block by block as it is defined: blocks behind the last row repeat row 0."""
    slots = [5 * pow(root(1 << 14), i, R) % R for i in range(1 + key.G + key.O)]
    found = 0
    for b in range(nb):
        row = b if b < len(outputs) else 0
        words = [1, *(inputs[row] if inputs else []), *outputs[row]]
        t = sum(word * inverse(c.s - slot) for word, slot in zip(words, slots, strict=True))
        found += c.nu * t % R * inverse(c.u - root(2 * key.S * nb) * pow(root(nb), b, R))
    return found % R
