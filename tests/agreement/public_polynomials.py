"""What anyone can recompute of a tree model's key: Pub and the fixed polynomials (spec, sections 4.2 and 4.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .reference.field import R, lagrange, root

if TYPE_CHECKING:
    from .reference.key import Key


def block_values(key: Key, name: str, nb: int, output_groups: list[int]) -> list[int]:
    """The values of a fixed polynomial on the rows of a block; `output_groups[t]` is tree slot t's."""
    rows = [0] * key.S
    if name == "rho":
        step = pow(root(key.S * nb), -1, R)
        return [pow(step, row, R) for row in range(key.S)]
    if name == "Gamma":
        for t, group in enumerate(output_groups):
            rows[key.st * t + key.st - 1] = group
        return rows
    for j, row in enumerate(key.entry_rows()):
        rows[row] = {"E": 1, "Psi": j + 1 << key.W}[name]
    return rows


def interpolated(values: list[int], point: int) -> int:
    """The value at a point of the polynomial with these values on a domain."""
    return sum(value * lagrange(len(values), row, point) for row, value in enumerate(values) if value) % R


def fixed_at(key: Key, name: str, nb: int, output_groups: list[int], point: int) -> int:
    """f(X^nb) at a point."""
    return interpolated(block_values(key, name, nb, output_groups), pow(point, nb, R))


def public_column(key: Key) -> list[int]:
    """Pub on all positions of V."""
    values, node = [0] * key.N, 0
    for p in range(key.N):
        if p % key.q == 0:
            values[p] = p // key.q - 1 if p else 0
            continue
        values[p] = pow(root(key.S), key.st * node + key.q_in, R) if node < key.g else 2 + node
        node += 1
    return values


def groups_in_order(key: Key) -> list[int]:
    """Gamma when every tree speaks in every output group: group 0's trees first, then group 1's, and so on."""
    each = key.T // key.Gr
    return [slot // each for slot in range(each * key.Gr)]
