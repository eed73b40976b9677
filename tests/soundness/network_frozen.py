"""Attacks on the challenges of networks, as frozen.py has them for trees: a cheat at the message that a challenge is to
come after, by a prover that knows it before.

Each gives what it knows, the rows it proves, and its changes of the plain prover; all claim an output that is wrong.
"""

from __future__ import annotations

import copy
import random
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.agreement.network_prover import R, evaluate, parts, root, weave
from tests.agreement.reference.networks import CONSTANT, Combination
from tests.agreement.test_networks import forged_read, forged_sum

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.agreement.network_prover import Cheat, Maker, Poly, Prover

NETWORK_ORDER = ("alpha", "beta", "u", "p", "s", "nu", "mu", "theta", "y", "zeta", "gamma", "z")
"""The challenges in the order in which they are drawn."""

Known = dict[str, int]
Attack = tuple[Known, int, dict[str, "Cheat"]]


def drawn(*names: str) -> Known:
    return {name: random.randrange(R) for name in names}


def pay(prover: Prover, known: Mapping[str, int], more: int) -> None:
    """A multiplicity that pays for what the sum on H has too much."""
    ident, slope, offset = prover.maker.table[1]
    t = known["beta"] + ident + known["alpha"] * slope + known["alpha"] ** 2 * offset
    prover.m[1] = (prover.m[1] + more * t) % R


def on_alpha_beta(_: Maker) -> Attack:
    """The lookups' sums agree as numbers and not as functions."""
    known = drawn("alpha", "beta")

    def counted(prover: Prover) -> None:
        row = prover.maker.network.output_rows[0]
        alpha, told = known["alpha"], prover.witness.columns["a"][row]
        start = known["beta"] + alpha * prover.H[row] * prover.wiring["delta_a"][row] + pow(alpha, 3, R)
        pay(prover, known, pow(start + told, -1, R) - pow(start + told - 5, -1, R))

    return known, 1, {"witness": forged_read, "counted": counted}


def on_mu(_: Maker) -> Attack:
    """The products' sum is wrong, and the lookups' sum by as much times mu."""
    known = drawn("alpha", "beta", "u", "p", "mu")

    def counted(prover: Prover) -> None:
        row = int(prover.maker.network.cells.a[prover.maker.network.output_rows[0]])
        column = known["p"] - prover.wiring["cz"][row]
        position = known["u"] - prover.H[row] * prover.wiring["pi"][row]
        pay(prover, known, known["mu"] * (5 << prover.key.shift) * pow(column * position, -1, R))

    return known, 1, {"witness": forged_sum, "counted": counted}


def on_u(maker: Maker) -> Attack:
    """One position's error cancels another's: those of the same row of two blocks."""
    row = int(maker.network.cells.a[maker.network.output_rows[0]])
    n = 2 * maker.S
    position = [maker.wiring[2]["pi"][row] * pow(root(n), row + b * maker.S, R) for b in (0, 1)]
    known = {"u": sum(position) * pow(2, -1, R) % R}

    def witness(prover: Prover) -> None:
        for b in (0, 1):
            raise_sum(prover, b, 1)

    return known, 2, {"witness": witness}


def raise_sum(prover: Prover, block: int, more: int) -> None:
    maker, columns, key = prover.maker, prover.witness.columns, prover.key
    output = maker.network.output_rows[0]
    start = block * key.S
    row = start + int(maker.network.cells.a[output])
    z = (columns["k"][row] * 2**key.f + columns["l"][row]) * 2**key.shift
    z += sum(columns[f"r{i + 1}"][row] << (key.rho * i) for i in range(key.L))
    new = parts(maker, z + (more << key.shift))
    for name, value in new.items():
        columns[name][row] = value
    offset = {entry[0]: entry[2] for entry in maker.table}[new["k"]]
    columns["y"][row] = columns["a"][start + output] = offset + new["S"] * new["l"]
    prover.witness.outputs[block][0] = columns["y"][row]


def on_p_s_nu(_: Maker) -> Attack:
    """What is gathered is another vector, whose two products differ by what is missing."""
    known = drawn("p", "s", "nu")

    def gathered(prover: Prover) -> None:
        x = prover.witness.x
        gaps = []
        for _ in range(2):
            gaps.append(gap_of(prover, known))
            x[6] += 1
            prover.complete(x)
        x[6] += -2 - gaps[0] * pow(gaps[1] - gaps[0], -1, R)
        prover.complete(x)

    return known, 1, {"witness": forged_sum, "gathered": gathered}


def gap_of(prover: Prover, known: Mapping[str, int]) -> int:
    """What the products' sum will lack, a multiple of it that is the same for all `x`."""
    probe = copy.copy(prover)
    probe.polys, probe.cheats, probe.rng = dict(prover.polys), {}, random.Random(1)
    probe.c = replace(prover.c, **known)
    probe.round3()
    return probe.missing()


def on_theta(_: Maker) -> Attack:
    """The gathered vector meets the masks, and theta's share of that is paid by the first mask."""
    known = drawn("theta")

    def gathered(prover: Prover) -> None:
        prover.witness.x[1] += 1

    def fold(prover: Prover) -> None:
        w, c, theta = prover.witness, prover.c, known["theta"]
        u = root(prover.K)
        meets = [(u - pow(u, 5, R)) * pow(u, t, R) % R for t in range(4)]
        scale = prover.key.M * pow(pow(c.p, prover.key.M, R) - 1, -1, R) * (1 - c.p) % R
        drawn_away = sum(pow(theta, t + 1, R) * meets[t] for t in range(4)) * pow(scale, -1, R)
        rest = sum(w.masks[t] * meets[t] for t in (1, 2, 3))
        w.masks[0] = (prover.missing() - drawn_away - rest) * pow(meets[0], -1, R) % R

    return known, 1, {"witness": forged_sum, "gathered": gathered, "fold": fold}


def on_y(_: Maker) -> Attack:
    """Constraints that fail cancel: phi starts so high that constraint 5 pays for constraint 7."""
    known = drawn("y")

    def sums(prover: Prover) -> None:
        square = known["y"] ** 2
        gap = prover.phi[0] - prover.phi_V[0] - prover.c.mu * prover.public()
        start = -square * gap * pow(1 + square, -1, R)
        prover.phi[:] = [(value + start) % R for value in prover.phi]

    return known, 1, {"witness": forged_sum, "sums": sums}


def on_zeta(_: Maker) -> Attack:
    """The identity of the quotient holds at one point."""
    known = drawn("zeta")

    def chunks(prover: Prover) -> None:
        zeta = known["zeta"]
        prover.polys["Quot0"][0] += rest_at(prover, zeta, prover.values_at(zeta))

    return known, 1, {"witness": forged_sum, "chunks": chunks}


def rest_at(prover: Prover, zeta: int, values: dict[tuple[str, str], int]) -> int:
    """Rz(zeta), with these values claimed."""
    key, nb = prover.key, prover.nb
    return evaluate(prover.remainder(values, zeta, key.chunks(nb), key.chunk(nb)), zeta)


def on_gamma(_: Maker) -> Attack:
    """Two values that are claimed falsely cancel in their combination: those of Rz and of phi_V at zeta."""
    known = drawn("gamma")

    def values(prover: Prover) -> None:
        false, zeta = ("phi_V", "here"), prover.zeta
        place = [pack for pack, _ in prover.key.opened(prover.nb)].index(("phi_V",)) + 1
        pole = pow(known["gamma"], place, R) * pow(zeta - zeta * root(prover.N), -1, R)
        claimed = dict(prover.values)
        left = []
        for error in (0, 1):
            claimed[false] = prover.values[false] + error
            left.append(rest_at(prover, zeta, claimed) - error * pole)
        error = -left[0] * pow(left[1] - left[0], -1, R)
        prover.values[false] = (prover.values[false] + error) % R

    return known, 1, {"witness": forged_sum, "values": values}


def on_z(_: Maker) -> Attack:
    """Any values at all: W is what the check at z wants, not a quotient."""
    known = drawn("z")

    def values(prover: Prover) -> None:
        prover.values |= {name: random.randrange(R) for name in prover.values}

    def opened(prover: Prover) -> None:
        z, nb = known["z"], prover.nb
        combination = Combination(
            prover.key, nb, prover.c, prover.values, prover.zeta, prover.gamma, prover.public()
        ).at(z)
        wanted: Poly = [combination.pop(CONSTANT)]
        for pack, factor in combination.items():
            f = weave([prover.polys[name] for name in pack])
            wanted += [0] * max(0, len(f) - len(wanted))
            for i, value in enumerate(f):
                wanted[i] = (wanted[i] + factor * value) % R
        some = random.randrange(1, R)
        wanted[0] += some * z
        wanted[1] -= some
        prover.W = [value % R for value in wanted]

    return known, 1, {"witness": forged_sum, "values": values, "opened": opened}


NETWORK_ATTACKS: tuple[Callable[[Maker], Attack], ...] = (
    on_alpha_beta, on_u, on_p_s_nu, on_mu, on_theta, on_y, on_zeta, on_gamma, on_z,
)  # fmt: skip
