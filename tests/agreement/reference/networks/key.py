"""A network's verifying key and the order of its proof's messages (networks.md, sections 1, 4 to 7)."""

# ruff: noqa: N802 - the names are the spec's

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

from tests.agreement.reference.curve import P, Point, parse_point
from tests.agreement.reference.field import Refused, ceil_div, check, is_power_of_two
from tests.agreement.reference.pairing import Point2, lines
from tests.agreement.reference.transcript import keccak256

MAGIC = b"assay-vk/3\0"
HEAD = struct.Struct(">4B13I4B2Iq")
LANES, LANE_BITS = 13, 19
Pack = tuple[str, ...]


@dataclass(frozen=True)
class NetworkKey:
    """Shape and commitments, under the spec's names; `shift` is s_z."""

    digest: bytes
    private: bool
    rho: int
    F: int
    O: int  # noqa: E741
    lane: int
    S: int
    N: int
    L: int
    log_nb_max: int
    f: int
    max: bool
    cell: bool
    q_shift: int
    K: int
    M: int
    P: int
    base_c: int
    tau: Point2 = ((0, 0), (0, 0))
    points: tuple[Point, ...] = ()

    @property
    def shift(self) -> int:
        return self.rho * self.L

    @property
    def G(self) -> int:
        return 0 if self.private else ceil_div(self.F, LANES)

    @property
    def Hn(self) -> int:
        return ceil_div(self.L + 3 + self.cell, 3)

    @property
    def M_p(self) -> int:
        return self.M // self.P

    @property
    def matrix(self) -> list[str]:
        """The parts of w."""
        return [f"w{c}" for c in range(1, self.P + 1)]

    def chunk(self, nb: int) -> int:
        return max(self.S * nb, self.N, self.K * self.M_p) + self.K + 16

    def chunks(self, nb: int) -> int:
        degree = max(3 * self.S * nb + 12, self.N + self.K + 6, self.K * self.M_p - self.K)
        return ceil_div(degree + 1, self.chunk(nb))

    def packs(self, names: list[str], nb: int) -> list[Pack]:
        """Section 4.3, of columns with a value for each row."""
        return cut(names, (self.chunk(nb) + 1) // (self.S * nb + 5))

    @property
    def table_packs(self) -> list[Pack]:
        return cut(["ID", "S_V", "B_V"], (self.chunk(1) + 1) // (self.N + 5))

    @property
    def parts(self) -> list[str]:
        return ["k", "l", *(f"r{i}" for i in range(1, self.L + 1)), "S", "y"]

    @property
    def helpers(self) -> list[str]:
        return [*(f"h{i}" for i in range(1, self.Hn + 1)), "h_lin"]

    @property
    def wiring(self) -> list[str]:
        """Section 2.2."""
        there = {"delta_a": True, "delta_b": True, "ca": True, "cz": True, "pi": True, "mx": self.max}
        there |= {"Ein": self.private, "mult": True, "multq": self.cell, "sa": not self.private, "qm": True}
        return [name for name, present in there.items() if present]

    def rounds(self, nb: int) -> list[tuple[list[Pack], int]]:
        """Section 4: packs, and how many challenges follow."""
        first = [*self.packs(["a", "b"], nb), *self.packs(self.parts, nb), ("m",)]
        third = [*self.packs(self.helpers, nb), ("w_fold",)]
        return [(first, 3), ([("x",)], 3), (third, 2), ([("phi",), ("phi_V",)], 1)]

    def opened(self, nb: int) -> list[tuple[Pack, tuple[str, ...]]]:
        """Section 6: behind Rz."""
        here = [*self.packs(self.parts, nb), *self.packs(self.helpers, nb), *self.packs(self.wiring, nb)]
        here += [*self.table_packs, ("x",)]
        found: list[tuple[Pack, tuple[str, ...]]] = [(pack, ("here",)) for pack in here]
        found += [(pack, ("here", "next")) for pack in self.packs(["a", "b"], nb)]
        return [*found, (("phi",), ("next",)), (("phi_V",), ("here", "next_V")), (("w_fold",), ("here", "inverse"))]

    def evaluations(self, nb: int) -> list[tuple[str, str]]:
        points = ("here", "next", "next_V", "inverse")
        return [(name, at) for at in points for pack, where in self.opened(nb) if at in where for name in pack]

    def committed(self, nb: int) -> dict[Pack, Point]:
        """The key's points that a proof of nb blocks needs."""
        own = [*self.table_packs, *((part,) for part in self.matrix)]
        found = dict(zip(own, self.points, strict=False))
        at = len(own)
        for log in range(nb.bit_length()):
            packs = self.packs(self.wiring, 1 << log)
            if 1 << log == nb:
                found |= dict(zip(packs, self.points[at:], strict=False))
            at += len(packs)
        return found


def cut(names: list[str], width: int) -> list[Pack]:
    step = max(1, width)
    return [tuple(names[start : start + step]) for start in range(0, len(names), step)]


def parse_network_key(data: bytes) -> NetworkKey:
    """Raises Refused for bytes that are not a network's key of this version."""
    head = data[len(MAGIC) : len(MAGIC) + HEAD.size]
    check(data.startswith(MAGIC) and len(head) == HEAD.size, "not a verifying key of this version")
    kind, inputs, srs, rho, F, O, scale, lane, T, D, st, g, N, q, L, log, views, f, flags, qs, mode, K, M, base = (  # noqa: E741
        HEAD.unpack(head)
    )
    check(kind == 2 and inputs <= 1 and srs <= 1 and flags <= 3, "not the kind of key")
    check(mode != 1, "pairing mode is reserved")
    check(mode <= 13, "not a mode")
    key = NetworkKey(
        keccak256(data),
        inputs == 1,
        rho,
        F,
        O,
        lane,
        st,
        N,
        L,
        log,
        f,
        bool(flags & 1),
        bool(flags & 2),
        qs,
        K,
        M,
        1 << max(mode - 1, 0),
        base,
    )
    check(not any((T, D, q, views)) and g == 1 and scale <= 1 << 10, "fields that a network lacks")
    check_shape(key)
    reader = data[len(MAGIC) + HEAD.size :]
    count = len(key.table_packs) + key.P + sum(len(key.packs(key.wiring, 1 << i)) for i in range(log + 1))
    check(len(reader) == 64 * count + 128, "not the length of a key")
    points = tuple(parse_point(reader[64 * i : 64 * i + 64]) for i in range(count))
    words = [int.from_bytes(reader[64 * count + 32 * i :][:32], "big") for i in range(4)]
    check(all(value < P for value in words), "a coordinate is not reduced")
    tau = ((words[1], words[0]), (words[3], words[2]))
    lines(tau)  # on the curve and in the subgroup
    return replace(key, points=points, tau=tau)


def check_shape(key: NetworkKey) -> None:
    check(1 <= key.F <= 1 << 16 and 1 <= key.O <= 1 << 12 and 2 <= key.lane <= 61, "an empty or too large shape")
    check(4 <= key.rho <= 16 and 1 <= key.L <= 4 and key.shift <= 40 and 1 <= key.f <= 12, "not a format")
    check(all(map(is_power_of_two, (key.S, key.N, key.K, key.M))), "a size is no power of two")
    check(16 <= key.S <= 1 << 20 and key.log_nb_max <= 20 and key.S << key.log_nb_max <= 1 << 26, "too many rows")
    check(8 <= key.K <= 1 << 24 and 2 <= key.M <= 1 << 20 and key.K * key.M <= 1 << 26, "not a matrix")
    check(key.P == 1 or key.P < key.M, "too many parts")
    check(32 <= key.N <= 1 << 24 and key.K <= key.N, "not a table")
    check((1 << key.rho) + (1 << key.f) + 2 <= key.N, "the table does not hold its ranges")
    check(key.q_shift < 64 and abs(key.base_c) < 1 << 40, "not a cell")
    check(key.cell or (key.q_shift, key.base_c) == (0, 0), "a cell that nobody reads")
    check(key.F + key.O + 3 <= key.S, "too few rows")


def padded(key: NetworkKey, rows: int) -> int:
    if not 1 <= rows <= 1 << key.log_nb_max:
        raise Refused("not a number of rows that the key can prove")
    return 1 << (rows - 1).bit_length()
