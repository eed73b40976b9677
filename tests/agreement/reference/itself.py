"""A key's proof of itself (spec, section 7.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .curve import G1, Point, multi_multiply, negate
from .field import R, check, root
from .pairing import G2, product_is_one
from .transcript import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .key import Key


@dataclass(frozen=True)
class Drawn:
    """The powers of `weight` combine the public polynomials, which are opened at `point`."""

    weight: int
    point: int


def drawn(key_without_proof: bytes) -> Drawn:
    """Two challenges of a transcript that starts with the key's bytes."""
    state = keccak256(b"assay key proof" + key_without_proof)
    return Drawn(int.from_bytes(state, "big") % R, int.from_bytes(keccak256(state), "big") % R)


def check_itself(key: Key) -> None:
    """Returns if the key's public commitments are those of its shape; raises `Refused` if not."""
    if key.proof is None:
        return
    commitments, where = public_commitments(key), drawn(key.without_proof)
    value = combined_value(key, where)
    terms = [(pow(where.weight, i, R), point) for i, point in enumerate(commitments)]
    left = multi_multiply([*terms, (R - value, G1), (where.point, key.proof)])
    check(product_is_one([(left, G2), (negate(key.proof), key.tau)]), "the key does not prove itself")


def public_commitments(key: Key) -> list[Point]:
    """Pub, then the fixed polynomials for every number of blocks."""
    return [key.table[0], *(point for points in key.fixed for point in points)]


def combined_value(key: Key, where: Drawn) -> int:
    """The sum of weight^i times public polynomial i at the point."""
    values = [evaluated(list(public_column(key)), where.point)]
    for log in range(key.log_nb_max + 1):
        nb = 1 << log
        at = pow(where.point, nb, R)
        values += [evaluated(fixed_values(key, name, nb), at) for name in key.fixed_names(nb)]
    return sum(pow(where.weight, i, R) * value for i, value in enumerate(values)) % R


def public_column(key: Key) -> Iterator[int]:
    """Pub on the positions of V (section 4.2)."""
    step, power, node = pow(root(key.S), key.st, R), pow(root(key.S), key.q_in, R), 0
    for p in range(key.N):
        if p % key.q == 0:
            yield p // key.q - 1 if p else 0
        else:
            yield power if node < key.g else 2 + node
            node, power = node + 1, power * step % R


def fixed_values(key: Key, name: str, nb: int) -> list[int]:
    """A fixed polynomial on the rows of a block (section 4.6)."""
    if name == "rho":
        return powers(pow(root(key.S * nb), -1, R), key.S)
    rows = [0] * key.S
    if name == "Gamma":
        for t in range(key.T):
            rows[key.st * (t + 1) - 1] = t // (key.T // key.Gr)
        return rows
    for j, row in enumerate(key.entry_rows()):
        rows[row] = {"E": 1, "Psi": j + 1 << key.W}[name]
    return rows


def powers(base: int, count: int) -> list[int]:
    found = [1]
    while len(found) < count:
        found.append(found[-1] * base % R)
    return found


def evaluated(values: list[int], point: int) -> int:
    """The value at a point of the polynomial with these values on a domain: all denominators with one inversion."""
    m = len(values)
    nodes = [(node, value) for node, value in zip(powers(root(m), m), values, strict=True) if value]
    products = [1]
    for node, _ in nodes:
        products.append(products[-1] * (point - node) % R)
    check(products[-1] != 0, "the point is one of the domain's")
    inverse, total = pow(products[-1], -1, R), 0
    for (node, value), before in zip(reversed(nodes), reversed(products[:-1]), strict=True):
        total += value * node % R * (inverse * before % R)
        inverse = inverse * (point - node) % R
    return total * (pow(point, m, R) - 1) % R * pow(m, -1, R) % R
