"""Read the bytes of a verifying key (docs/spec/protocol.md, section 7) and derive what a contract needs."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from itertools import accumulate

from assay.chain.errors import KeyNotSupported

MAGIC = b"assay-vk/3\0"

FIELD_ORDER = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""Order of BN254's groups, the field `F` of the protocol."""

Point = tuple[int, int]


_FIELDS = (
    "features",
    "outputs",
    "scale_bits",
    "lane",
    "trees",
    "depth",
    "stride",
    "groups",
    "table",
    "ratio",
    "limbs",
    "log_max_rows",
)


class Missing(IntEnum):
    """What a view does with a missing value."""

    REFUSE = 0
    LOW = 1
    HIGH = 2
    ZERO = 3


@dataclass(frozen=True)
class View:
    """A feature and its rule for missing values."""

    feature: int
    missing: Missing
    zero_missing: bool


@dataclass(frozen=True)
class Key:
    """A verifying key. Names are those of the protocol's section 4.1."""

    linear: bool
    private: bool
    development: bool
    bits: int
    features: int
    outputs: int
    scale_bits: int
    lane: int
    trees: int
    depth: int
    stride: int
    groups: int
    table: int
    ratio: int
    limbs: int
    log_max_rows: int
    views: tuple[View, ...]
    tau: tuple[int, int, int, int]
    table_points: tuple[Point, ...] = ()
    fixed_points: tuple[tuple[Point, ...], ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> Key:
        """Read the key's bytes.

        Raises
        ------
        KeyNotSupported
            The bytes are not a key of this format version.
        """
        if not content.startswith(MAGIC):
            raise KeyNotSupported(
                "The bytes are not a verifying key of the version that this release writes Solidity for.",
                "Make the keys again with `assay transpile`.",
            )
        try:
            return cls._read(content[len(MAGIC) :])
        except (struct.error, ValueError) as error:
            raise KeyNotSupported(
                f"The verifying key is damaged ({error}).", "Make the keys again with `assay transpile`."
            ) from error

    @classmethod
    def _read(cls, content: bytes) -> Key:
        kind, inputs, srs, bits, *fields, count = struct.unpack_from(">4B13I", content)
        views, at = _read_views(content, 4 + 13 * 4, count)
        words = [int.from_bytes(content[i : i + 32], "big") for i in range(at, len(content), 32)]
        if (len(content) - at) % 32 or len(words) < 4 or len(words) % 2:
            raise ValueError("its length is not that of whole points")
        x1, x0, y1, y0 = words[-4:]
        points = tuple(zip(words[:-4:2], words[1:-4:2], strict=True))
        names = dict(zip(_FIELDS, fields, strict=True))
        if kind > 1 or inputs > 1 or srs > 1:
            raise ValueError("it is of an unknown kind")
        key = cls(kind == 1, inputs == 1, srs == 0, bits, **names, views=views, tau=(x1, x0, y1, y0))
        key._check()
        return key._with_points(points)

    def _check(self) -> None:
        """Refuse what no circuit has and what the templates cannot divide by or count up to."""
        sizes = (self.stride, self.groups) if self.linear else (self.stride, self.groups, self.table, self.ratio)
        if not all(size > 0 and size & (size - 1) == 0 for size in sizes) or max(sizes) > 1 << 26:
            raise ValueError("a size is not a power of two in range")
        if not (1 <= self.features <= 1 << 16 and 1 <= self.outputs <= 1 << 12 and 2 <= self.lane <= 248):
            raise ValueError("its shape is out of range")
        if self.log_max_rows > 20 or self.stride > 1 << 20:
            raise ValueError("its shape is out of range")
        if self.block << self.log_max_rows > 1 << 26:
            raise ValueError("it has too many rows")
        if self.linear:
            fits = self.bits == 64 and self.features + 2 <= self.stride and self.output_groups <= self.groups
            fits = fits and not self.private
        else:
            fits = self.bits in {32, 64} and 1 <= self.depth <= self.stride - 2 and 1 <= self.limbs <= 9
            fits = fits and 2 <= self.ratio <= 8 and self.table >= 32 and bool(self.views)
            fits = fits and all(view.feature < self.features for view in self.views)
        if not fits:
            raise ValueError("its shape is out of range")

    def _with_points(self, points: tuple[Point, ...]) -> Key:
        counts = [0 if self.linear else 4]
        counts += [1] if self.linear else [len(self.fixed_names(log)) for log in range(self.log_max_rows + 1)]
        # The last point is the key's proof of itself, which the contract does not need: its source was checked.
        counts += [] if self.linear else [1]
        if sum(counts) != len(points):
            raise ValueError(f"it has {len(points)} points and needs {sum(counts)}")
        ends = list(accumulate(counts))
        table, *fixed = (points[end - count : end] for end, count in zip(ends, counts, strict=True))
        fixed = fixed if self.linear else fixed[:-1]
        return replace(self, table_points=table, fixed_points=tuple(fixed))

    def fixed_names(self, log: int) -> list[str]:
        """Names of the opened fixed polynomials for 2^log blocks (section 4.6)."""
        if self.linear:
            return []
        names = ["rho"] if log > 0 else []
        if self.output_groups > 1:
            names.append("group")
        return names + (["used", "offset"] if self.private else [])

    @cached_property
    def views_by_feature(self) -> list[list[tuple[int, View]]]:
        """For each feature its views, each with its number."""
        found: list[list[tuple[int, View]]] = [[] for _ in range(self.features)]
        for number, view in enumerate(self.views):
            found[view.feature].append((number, view))
        return found

    @property
    def block(self) -> int:
        """Rows of a block, `S`."""
        return self.stride * self.groups

    @property
    def log_block(self) -> int:
        """log2 S."""
        return self.block.bit_length() - 1

    @property
    def log_table(self) -> int:
        """log2 N."""
        return self.table.bit_length() - 1

    @property
    def lanes(self) -> int:
        """Outputs packed in one field element."""
        return 250 // self.lane if self.linear else 4

    @property
    def output_groups(self) -> int:
        """`Gr`."""
        return -(-self.outputs // self.lanes)

    @property
    def input_slots(self) -> int:
        """`q_in`."""
        return self.stride - self.depth - 1

    @property
    def limb_base(self) -> int:
        """`R`."""
        return self.table // self.ratio - 1

    @property
    def bound(self) -> int:
        """`Bnd`."""
        return int(self.limb_base**self.limbs)

    @property
    def view_bits(self) -> int:
        """`W`."""
        return (4 * self.bound - 1).bit_length()

    @property
    def max_log(self) -> int:
        """The largest log2 of the number of blocks: a linear model combines its rows into one."""
        return 0 if self.linear else self.log_max_rows

    def limbs_of_helpers(self, log: int) -> list[list[int]]:
        """Numbers of the limbs that each helper sums over, for 2^log blocks."""
        numbers, size = list(range(1, self.limbs + 1)), 2 if log else 3
        return [numbers[i : i + size] for i in range(0, self.limbs, size)]

    @property
    def pack_width(self) -> int:
        """How many columns of one block may share a commitment (section 4.3); of several none do."""
        return 1 if self.linear else max(self.table // self.block, 1)

    @property
    def accumulates(self) -> bool:
        """Whether proofs of more than one block have the accumulator `a`."""
        return not self.linear and not self.private and self.log_max_rows > 0

    @property
    def pairs(self) -> bool:
        """Whether the input rows come in pairs: hidden inputs with a feature that may be missing."""
        return self.private and any(view.missing in {Missing.LOW, Missing.HIGH} for view in self.views)

    def input_row(self, view: int) -> int:
        """Row in a block of a view's entry, for public inputs."""
        group, slot = divmod(view + 1, self.input_slots)
        return self.stride * group + slot

    def chunk(self, log: int) -> int:
        """`Ck` for 2^log blocks."""
        if self.linear:
            return 3 * self.block
        alone = max(self.block << log, self.table) + 16
        if log or self.pack_width == 1:
            return alone
        # As many as the longest pack has.
        return max(alone, min(self.pack_width, self.limbs + 4) * (self.block + 5))

    def chunks(self, log: int) -> int:
        """Chunks of the quotient for 2^log blocks; a linear model has none."""
        if self.linear:
            return 0
        rows = self.block << log
        degree = max((2 if log else 3) * rows + 12, self.table + 8)
        return -(-(degree + 1) // self.chunk(log))


def _read_views(content: bytes, at: int, count: int) -> tuple[tuple[View, ...], int]:
    """The views and where they end."""
    views = []
    for _ in range(count):
        feature, missing, zero = struct.unpack_from(">I2B", content, at)
        views.append(View(feature, Missing(missing), bool(zero)))
        at += 6
    return tuple(views), at


def root_of_unity(order: int) -> int:
    """`ω_m`, the root of unity of a power-of-two order (section 1)."""
    return pow(5, (FIELD_ORDER - 1) // order, FIELD_ORDER)
