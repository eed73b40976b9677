"""The verifying key, read from its bytes (spec, sections 3, 4.1, 5 and 7)."""

# ruff: noqa: N802 - the names are the spec's

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from .curve import P, Point, parse_point
from .field import TWO_ADICITY, Refused, ceil_div, check, is_power_of_two
from .pairing import Point2, lines
from .transcript import keccak256

MAGIC = b"assay-vk/3\0"
REFUSE, LOW, HIGH, ZERO = range(4)
LANES = 4
FIELDS = ("F", "K", "scale_bits", "lane", "T", "D", "st", "g", "N", "q", "L", "log_nb_max")


@dataclass(frozen=True)
class View:
    feature: int
    missing: int
    zero_missing: bool


@dataclass(frozen=True)
class Key:
    """Shape and commitments, under the spec's names."""

    digest: bytes
    trees: bool
    private: bool
    bits: int
    F: int
    K: int
    scale_bits: int
    lane: int
    T: int
    D: int
    st: int
    g: int
    N: int
    q: int
    L: int
    log_nb_max: int
    views: tuple[View, ...]
    table: tuple[Point, ...]
    fixed: tuple[tuple[Point, ...], ...]
    tau: Point2
    proof: Point | None = None
    without_proof: bytes = b""

    @property
    def nb_max(self) -> int:
        return 1 << self.log_nb_max

    @property
    def lanes(self) -> int:
        return LANES if self.trees else 250 // self.lane

    @property
    def Gr(self) -> int:
        return ceil_div(self.K, self.lanes)

    @property
    def off(self) -> int:
        return 1 << (self.lane - 1)

    @property
    def S(self) -> int:
        return self.st * self.g

    @property
    def q_in(self) -> int:
        return self.st - self.D - 1

    @property
    def R(self) -> int:
        return self.N // self.q - 1

    @property
    def Bnd(self) -> int:
        bound: int = self.R**self.L
        return bound

    @property
    def W(self) -> int:
        return (4 * self.Bnd - 1).bit_length()

    def limbs_of_helpers(self, nb: int) -> list[list[int]]:
        """Section 4.3: the numbers of the limbs that each helper sums over."""
        hl = 3 if nb == 1 else 2
        numbers = list(range(1, self.L + 1))
        return [numbers[start : start + hl] for start in range(0, self.L, hl)]

    def pack_width(self, nb: int) -> int:
        """Section 4.3: how many columns of H may share a commitment."""
        return self.N // self.S if self.trees and nb == 1 and 2 * self.S <= self.N else 1

    def accumulates(self, nb: int) -> bool:
        """Whether the inputs are bound by the column `a`."""
        return self.trees and not self.private and nb > 1

    @property
    def pairs(self) -> bool:
        return self.trees and self.private and any(view.missing in {LOW, HIGH} for view in self.views)

    def entry_rows(self) -> list[int]:
        """Section 4.1: the row of each view's entry in a block."""
        if not self.pairs:
            return [self.st * (e // self.q_in) + e % self.q_in for e in range(1, len(self.views) + 1)]
        check(self.q_in % 2 == 0, "pairs need an even number of input slots")
        half, seen, rows = self.q_in // 2, set[int](), []
        for view in self.views:
            e = view.feature + 1
            rows.append(self.st * (e // half) + 2 * (e % half) + (view.feature in seen))
            seen.add(view.feature)
        return rows

    def fixed_names(self, nb: int) -> list[str]:
        """Section 4.6, or the weights of a linear model."""
        if not self.trees:
            return ["w"] if nb == 1 else []
        present = {"rho": nb > 1, "Gamma": self.Gr > 1, "E": self.private, "Psi": self.private}
        return [name for name, here in present.items() if here]


class Reader:
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        part = self.data[self.at : self.at + count]
        check(len(part) == count, "it ends early")
        self.at += count
        return part

    def number(self, size: int, top: int) -> int:
        value = int.from_bytes(self.take(size), "big")
        check(value <= top, "a field of the key is out of range")
        return value


@lru_cache(maxsize=64)
def parse_key(data: bytes) -> Key:
    """Raises Refused for bytes that are not a key of this version."""
    reader = Reader(data)
    check(reader.take(len(MAGIC)) == MAGIC, "not a verifying key of this version")
    linear, private = reader.number(1, 1), reader.number(1, 1)
    reader.number(1, 1)
    bits = reader.number(1, 64)
    shape = {name: reader.number(4, 2**32 - 1) for name in FIELDS}
    views = []
    for _ in range(reader.number(4, len(data) // 6)):
        view = View(reader.number(4, 2**32 - 1), reader.number(1, 3), reader.number(1, 1) == 1)
        views.append(view)
    check(shape["log_nb_max"] <= TWO_ADICITY, "too many rows")
    head = Key(
        digest=keccak256(data), trees=not linear, private=private == 1, bits=bits, **shape,
        views=tuple(views), table=(), fixed=(), tau=((0, 0), (0, 0)),
    )  # fmt: skip
    check_shape(head)
    points = 4 if head.trees else 0
    table = tuple(parse_point(reader.take(64)) for _ in range(points))
    fixed = tuple(
        tuple(parse_point(reader.take(64)) for _ in head.fixed_names(1 << log)) for log in range(head.log_nb_max + 1)
    )
    end = reader.at
    proof = parse_point(reader.take(64)) if head.trees else None
    without_proof = data[:end] + data[reader.at :]
    x_im, x_re, y_im, y_re = (reader.number(32, P - 1) for _ in range(4))
    check(reader.at == len(data), "bytes after the key")
    tau = ((x_re, x_im), (y_re, y_im))
    lines(tau)  # on the curve and in the subgroup
    return Key(
        **{**vars(head), "table": table, "fixed": fixed, "tau": tau, "proof": proof, "without_proof": without_proof}
    )


def check_shape(key: Key) -> None:
    check(1 <= key.F <= 1 << 16 and 1 <= key.K <= 1 << 12 and key.lane >= 2, "an empty or too large shape")
    check(key.scale_bits <= 1 << 10 and key.st <= 1 << 20 and key.log_nb_max <= 20, "a field is out of its limits")
    check(key.S >= 16 and key.S << key.log_nb_max <= 1 << 26, "too few or too many rows")
    check(is_power_of_two(key.st) and key.st <= 1 << TWO_ADICITY, "the stride is no power of two")
    if key.trees:
        check_tree_shape(key)
    else:
        check(key.bits == 64 and not key.views, "not the shape of a linear model")
        check(key.lane <= 248 and key.st >= key.F + 2, "not the shape of a linear model")
        check(is_power_of_two(key.g) and key.Gr <= key.g < 2 * key.Gr, "not the shape of a linear model")
        check(not key.private, "private inputs of a linear model")
        check(key.F * key.Gr <= 1 << 18, "too many inputs of a linear model")
        check((key.T, key.D, key.N, key.q, key.L) == (0,) * 5, "fields that a linear model lacks")


def check_tree_shape(key: Key) -> None:
    check(key.bits in {32, 64}, "keys have 32 or 64 bits")
    check(key.lane <= 128 and key.lane * min(key.K, LANES) <= 250, "the outputs do not fit")
    check(key.D >= 1 and key.q_in >= 1, "no room in the stride")
    check(is_power_of_two(key.g) and 1 <= key.T <= key.g, "not a number of groups")
    check(is_power_of_two(key.N) and key.N <= 1 << TWO_ADICITY and key.q in {2, 4, 8}, "not a table")
    check(key.N // key.q >= 4 and 1 <= key.L <= key.bits, "not a range table")
    check(key.L <= 9 and key.Bnd < 1 << 100 and 32 <= key.N <= 1 << 24, "a field is out of its limits")
    check(1 << key.bits <= key.Bnd, "the limbs do not span the keys")
    check(key.T % key.Gr == 0, "trees do not divide into the output groups")
    check(key.g <= key.N - key.N // key.q, "the roots do not fit")
    check(all(view.feature < key.F for view in key.views), "a view of no feature")
    check_views(key)
    check(all(row < key.S for row in key.entry_rows()), "the inputs do not fit")


def check_views(key: Key) -> None:
    """Section 4.1: sorted by feature, none twice; of a hidden feature one, or a low and a high one."""
    check(len(key.views) > 0 and list(key.views) == sorted(key.views, key=lambda v: v.feature), "views out of order")
    for feature in {view.feature for view in key.views}:
        own = [view for view in key.views if view.feature == feature]
        check(len(set(own)) == len(own), "a view stands twice")
        if key.private:
            check(not any(view.zero_missing for view in own), "a hidden feature with a zero rule")
            check(len(own) == 1 or [view.missing for view in own] == [LOW, HIGH], "views that nothing ties")
    if key.pairs:
        check({view.feature for view in key.views} == set(range(key.F)), "a hidden feature without a view")


def padded_rows(key: Key, rows: int) -> int:
    """nb, the least power of two that holds the rows (section 3)."""
    if not 1 <= rows <= key.nb_max:
        raise Refused("not a number of rows that the key can prove")
    return 1 << (rows - 1).bit_length() if key.trees else 1
