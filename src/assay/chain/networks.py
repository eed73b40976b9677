"""What the templates of a network's verifier are filled with (docs/spec/networks.md): key, calldata, memory.

A proof of one row has everything at a constant place. Of several rows, packs and chunks are others for each number of
blocks: what differs is put into memory, and the packs are gone through one by one.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from assay import __version__
from assay.chain.context import (
    ADD_GAS,
    DOUBLED,
    GENERATOR2,
    LOCAL_CHAIN_IDS,
    MUL_GAS,
    PAIRING_GAS,
    hex_word,
)
from assay.chain.errors import KeyNotSupported
from assay.chain.key import FIELD_ORDER, MAGIC, Point, root_of_unity
from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Iterable

KIND = 2
"""The number of networks in a key's bytes."""

LANES, LANE_BITS, _LOG_PUBLIC_SLOTS = 13, 19, 14
_HEAD = struct.Struct(">4B13I4B2Iq")
_PROOF = 0x64
_WORD, _POINT = 32, 64

MOST_LOG_ROWS = 7
"""A contract takes proofs of up to 2^7 rows, whatever its key allows: each number of blocks has points of its own."""

_SLACK = 16
_RESERVED_MODE, _MOST_MODE = 1, 13
_MOST_PARTS = 128

Pack = tuple[str, ...]


@dataclass(frozen=True)
class NetworkKey:
    """A network's verifying key. Names are those of the protocol, `slots` and `columns` its `K` and `M`."""

    private: bool
    development: bool
    limb_bits: int
    features: int
    outputs: int
    scale_bits: int
    lane: int
    block: int
    table: int
    limbs: int
    log_max_rows: int
    low_bits: int
    max: bool
    cell: bool
    q_shift: int
    slots: int
    columns: int
    parts_of_matrix: int
    cell_base: int
    tau: tuple[int, ...] = ()
    points: tuple[Point, ...] = ()

    @classmethod
    def parse(cls, content: bytes) -> NetworkKey:
        """Read the bytes of a key that the native verifier has accepted.

        Raises
        ------
        KeyNotSupported
            They are not a network's key of this version.
        """
        body = content[len(MAGIC) :]
        if not content.startswith(MAGIC) or len(body) < _HEAD.size or body[0] != KIND:
            raise KeyNotSupported("The bytes are not a network's verifying key.", "Make the keys again.")
        fields = _HEAD.unpack_from(body)
        _, inputs, srs, rho, features, outputs, scale, lane, _, _, block, _, table, _, limbs, log, _ = fields[:17]
        low, flags, shift, mode, slots, columns, base = fields[17:]
        words = [int.from_bytes(body[i : i + _WORD], "big") for i in range(_HEAD.size, len(body), _WORD)]
        key = cls(
            inputs == 1, srs == 0, rho, features, outputs, scale, lane, block, table, limbs, log, low,
            bool(flags & 1), bool(flags & 2), shift, slots, columns, 1 << max(mode - 1, 0), base,
            tuple(words[-4:]), tuple(zip(words[:-4:2], words[1:-4:2], strict=True)),
        )  # fmt: skip
        if mode == _RESERVED_MODE or mode > _MOST_MODE or len(key.points) < key.own_points + len(key.packs(key.wiring)):
            raise KeyNotSupported("The network's verifying key is damaged.", "Make the keys again.")
        if key.parts_of_matrix > _MOST_PARTS:
            raise KeyNotSupported(
                f"The network's matrix is in {key.parts_of_matrix} parts, and a contract holds at most {_MOST_PARTS}.",
                "Make the keys again, with fewer.",
            )
        return key

    @property
    def groups(self) -> int:
        """`G`, input words of a row."""
        return 0 if self.private else -(-self.features // LANES)

    @property
    def most_log(self) -> int:
        """`log2` of the most rows that the contract takes."""
        return min(self.log_max_rows, MOST_LOG_ROWS)

    @property
    def part_columns(self) -> int:
        """`M_p`, powers of `X^K` in a part of the matrix."""
        return self.columns // self.parts_of_matrix

    @property
    def part(self) -> int:
        """`N_p`, coefficients of a part of the matrix."""
        return self.slots * self.part_columns

    def longest(self, log: int = 0) -> int:
        """`max(n, N, N_p)` for `2^log` blocks."""
        return max(self.block << log, self.table, self.part)

    def chunk(self, log: int = 0) -> int:
        """`Ck`."""
        return self.longest(log) + self.slots + _SLACK

    def chunks(self, log: int = 0) -> int:
        """Chunks of the quotient."""
        degree = max(3 * (self.block << log) + 12, self.table + self.slots + 6, self.part - self.slots)
        return -(-(degree + 1) // self.chunk(log))

    @property
    def parts(self) -> list[str]:
        """`k, l, r_1 …, S, y`."""
        return ["K", "L", *(f"R{i}" for i in range(1, self.limbs + 1)), "S", "Y"]

    @property
    def helpers(self) -> list[str]:
        """`h_1 …`."""
        return [f"H{i}" for i in range(1, -(-(self.limbs + 3 + self.cell) // 3) + 1)]

    @property
    def wiring(self) -> list[str]:
        """The fixed polynomials (section 2.2)."""
        here = {"DA": True, "DB": True, "CA": True, "CZ": True, "PI": True, "MX": self.max, "EIN": self.private}
        here |= {"MULT": True, "MULTQ": self.cell, "SA": not self.private, "QM": True}
        return [name for name, there in here.items() if there]

    def width(self, log: int = 0) -> int:
        """How many columns with a value for each row share a commitment (section 4.3)."""
        return max(1, (self.chunk(log) + 1) // ((self.block << log) + 5))

    def packs(self, names: list[str], log: int = 0) -> list[Pack]:
        """Columns that share commitments."""
        return _cut(names, self.width(log))

    @property
    def table_packs(self) -> list[Pack]:
        """Of `ID, S_V, B_V`."""
        return _cut(TABLE, (self.chunk() + 1) // (self.table + 5))

    @property
    def once(self) -> list[Pack]:
        """What a key has once, but a matrix in parts, whose points are `matrix_points`."""
        return [*self.table_packs, *([("W",)] if self.parts_of_matrix == 1 else [])]

    @property
    def own_points(self) -> int:
        """How many points a key has once."""
        return len(self.table_packs) + self.parts_of_matrix

    @property
    def matrix_points(self) -> list[Point]:
        """Those of a matrix in parts; empty for one in a single part."""
        return [*self.points[len(self.once) : self.own_points]]

    def key_packs(self, log: int = 0) -> list[Pack]:
        """The key's points that a proof of `2^log` blocks needs, in their order, without `matrix_points`."""
        return [*self.once, *self.packs(self.wiring, log)]

    def key_points(self, log: int = 0) -> list[Point]:
        """The points of `key_packs`."""
        start = self.own_points + sum(len(self.packs(self.wiring, before)) for before in range(log))
        return [*self.points[: len(self.once)], *self.points[start : start + len(self.packs(self.wiring, log))]]

    def rounds(self, log: int = 0) -> list[tuple[list[Pack], list[str]]]:
        """The packs of each round and the challenges behind it (section 4)."""
        first = [*self.packs(["A", "B"], log), *self.packs(self.parts, log), ("M",)]
        third = [*self.packs([*self.helpers, "HLIN"], log), ("FOLD",)]
        return [
            (first, ["ALPHA", "BETA", "UC"]),
            ([("X",)], ["PC", "SC", "NU"]),
            (third, ["MU", "THETA"]),
            ([("PHI",), ("PHIV",)], ["YC"]),
        ]

    @property
    def opened_here(self) -> list[Pack]:
        """The packs that are opened at zeta alone, in the order of the powers of gamma."""
        columns = [*self.packs(self.parts), *self.packs([*self.helpers, "HLIN"]), *self.packs(self.wiring)]
        return [*columns, *self.table_packs, ("X",)]

    @property
    def evaluations(self) -> list[str]:
        """Their names, in the proof's order."""
        here = [name for pack in self.opened_here for name in pack]
        shifted = ["A_NEXT", "B_NEXT", "PHI_NEXT", "PHIV_NEXT", "FOLD_INVERSE"]
        return [*here, "A", "B", "PHIV", "FOLD", *shifted]


TABLE = ["ID", "SV", "BV"]


def _cut(names: list[str], width: int) -> list[Pack]:
    step = max(1, width)
    return [tuple(names[i : i + step]) for i in range(0, len(names), step)]


def context(key: NetworkKey, vk: bytes) -> dict[str, Any]:
    """Return the values of the templates."""
    points = [pack for packs, _ in key.rounds() for pack in packs]
    first = _POINT * len(points)
    at_evaluations = _PROOF + first + _POINT * key.chunks()
    at_w = at_evaluations + _WORD * len(key.evaluations)
    words = at_w + 2 * _POINT
    count = (2 if key.private else key.groups) + key.outputs + 1
    widths = sorted({len(pack) for pack in key.opened_here} | {len(key.packs(["A", "B"])[0]), 1})
    logs = {"n": key.block, "N": key.table, "K": key.slots}
    values: dict[str, Any] = {
        "key": key,
        "version": __version__,
        "digest": keccak256(vk).hex(),
        "r": hex_word(FIELD_ORDER),
        "hex": hex,
        "negative": lambda value: hex_word(-value % FIELD_ORDER),
        "word": lambda value: hex_word(value % FIELD_ORDER),
        "p": hex_word(_BASE),
        "doubled": [hex_word(value) for value in DOUBLED],
        "local_chains": sorted(LOCAL_CHAIN_IDS),
        "generator2": [hex_word(value) for value in GENERATOR2],
        "selector_not_enough_gas": "0x" + keccak256(b"NotEnoughGas()")[:4].hex(),
        "add_gas": ADD_GAS,
        "mul_gas": MUL_GAS,
        "rounds": _rounds(key),
        "at_chunks": _PROOF + first,
        "at_evaluations": at_evaluations,
        "at_w": at_w,
        "words": words,
        "count": count,
        "log": {name: size.bit_length() - 1 for name, size in logs.items()},
        "log_columns": key.columns.bit_length() - 1,
        "log_chunk": key.longest().bit_length() - 1,
        "powers": max(key.longest(key.most_log), 1 << 4).bit_length(),
        "omega": hex_word(root_of_unity(key.block)),
        "v": hex_word(root_of_unity(key.table)),
        "twice": root_of_unity(2 * key.block),
        "slot_root": hex_word(root_of_unity(1 << _LOG_PUBLIC_SLOTS)),
        "reserved": [pow(root_of_unity(key.slots), j, FIELD_ORDER) for j in range(1, 6)],
        "share": hex_word(key.slots * pow(key.table, -1, FIELD_ORDER) % FIELD_ORDER),
        "lanes_of_last": key.features - LANES * (key.groups - 1),
        "offset": lambda lanes: sum(1 << (LANE_BITS * j + LANE_BITS - 1) for j in range(lanes)),
        "fractions": _fractions(key),
        "widths": widths,
        "pairs": key.packs(["A", "B"]),
        "at_point": dict(zip(map(_named, points), range(_PROOF, _PROOF + first, _POINT), strict=True)),
        "key_point": dict(zip(map(_named, key.key_packs()), key.key_points(), strict=True)),
        "named": _named,
        "second_slot": 5 * root_of_unity(1 << _LOG_PUBLIC_SLOTS),
        "gas_floor": _gas_floor(key, 0) if key.most_log == 0 else "mload(FLOOR)",
        "batches": key.most_log > 0,
        "blocks": [_blocks(key, log) for log in range(key.most_log + 1)],
        "table_width": len(key.table_packs[0]),
        "once": len(key.once),
        "matrix_points": key.matrix_points,
        "log_part_columns": key.part_columns.bit_length() - 1,
    }
    return values | _layout(key, values)


def _gas_floor(key: NetworkKey, log: int) -> int:
    """Products, additions and the pairing, and the 1/64 that a call holds back."""
    points = sum(len(packs) for packs, _ in key.rounds(log)) + len(key.key_packs(log)) + len(key.matrix_points)
    return (points + key.chunks(log) + 3) * (64 * 6_500 // 63 + 1) + 64 * (PAIRING_GAS + 1_000) // 63


def _blocks(key: NetworkKey, log: int) -> dict[str, Any]:
    """What is another value for each number of blocks; widths of packs are those of the last ones where so named."""
    packs = {
        name: key.packs(names, log)
        for name, names in (
            ("pairs", ["A", "B"]),
            ("parts", key.parts),
            ("helpers", [*key.helpers, "HLIN"]),
            ("wiring", key.wiring),
        )
    }
    first, _, third, _ = (_POINT * len(round_packs) for round_packs, _ in key.rounds(log))
    return {
        "memory": {
            "SIZE1": first,
            "SIZE3": third,
            "CHUNKS": key.chunks(log),
            "OMEGA": root_of_unity(key.block << log),
            "ROWS_AT": _WORD * ((key.block << log).bit_length() - 1),
            "FLOOR": _gas_floor(key, log),
        },
        # Only with several blocks.
        "more": {
            "TWICE": root_of_unity(key.block << log + 1),
            "BLOCK_ROOT": root_of_unity(1 << log),
            "CHUNK_AT": _WORD * (key.longest(log).bit_length() - 1),
            "WIDTH": key.width(log),
            "PARTS_LAST": len(packs["parts"][-1]),
            "HELPERS_LAST": len(packs["helpers"][-1]),
            "WIRING_LAST": len(packs["wiring"][-1]),
            "PAIR": len(packs["pairs"][0]),
            "PAIRS_SIZE": _POINT * len(packs["pairs"]),
        },
        "first_points": key.points[: len(key.once)],
        "points": key.key_points(log)[len(key.once) :],
    }


_BASE = 0x30644E72E131A029B85045B68181585D97816A916871CA8D3C208C16D87CFD47


def _named(pack: Pack) -> str:
    return "_".join(pack) if len(pack) < 3 else f"{pack[0]}_TO_{pack[-1]}"


def _rounds(key: NetworkKey) -> list[dict[str, Any]]:
    sizes = [_POINT * len(packs) for packs, _ in key.rounds()]
    starts = accumulate(sizes, initial=_PROOF)
    of_blocks = ["mload(SIZE1)", hex(_POINT), "mload(SIZE3)", hex(2 * _POINT)]
    return [
        {"at": at, "size": size, "challenges": challenges, "of_blocks": of_log}
        for at, size, of_log, (_, challenges) in zip(starts, sizes, of_blocks, key.rounds(), strict=False)
    ]


def _fractions(key: NetworkKey) -> list[list[str]]:
    """For each helper the denominators of its fractions, as Yul."""
    wire = "add(add(mload(WIRE), mload({0})), mulmod(mload(ALPHA_ZETA), mload({1}), r))"
    found = [f"add(mload(RANGE), mload(R{i}))" for i in range(1, key.limbs + 1)]
    found += ["add(mload(LOW), mload(L))", wire.format("A", "DA"), wire.format("B", "DB")]
    found += ["add(add(mload(WIRE), mload(ARGUMENT)), mulmod(mload(ALPHA_ZETA), 5, r))"] if key.cell else []
    return [found[i : i + 3] for i in range(0, len(found), 3)]


def _layout(key: NetworkKey, v: dict[str, Any]) -> dict[str, Any]:
    """Memory: scratch for hashing, values, denominators with their products, cells of points, the pairing's input."""
    logs = range(key.most_log + 1)
    rounds = [_POINT * len(packs) for log in logs for packs, _ in key.rounds(log)]
    chunks = _POINT * max(key.chunks(log) for log in logs)
    # The public words are hashed before anything else stands anywhere.
    at = max(max(rounds) + _WORD, chunks + _WORD, _WORD * (len(key.evaluations) + 1), 6 * _WORD)
    lines: list[str] = []

    def add(title: str, names: Iterable[str], words: int = 1, offset: int = 0) -> None:
        nonlocal at
        lines.append(f"    // {title}")
        for name in names:
            lines.append(f"    uint256 private constant {name} = {at + offset:#x};")
            at += _WORD * words
        lines.append("")

    challenges = [name for _, names in key.rounds() for name in names]
    points = [*v["at_point"], *v["key_point"], *(["INPUT"] if key.private else [])]
    cells = [f"{name}_SCALAR" for name in ["P_" + name for name in points]]
    cells += [*(f"Q{i}_SCALAR" for i in range(key.chunks())), "ONE_SCALAR", "WP_SCALAR"]
    add("Evaluations, in the proof's order.", key.evaluations)
    add("Challenges.", [*challenges, "ZETA", "GAMMA", "Z"])
    derived = ["RANGE", "LOW", "WIRE", "ALPHA_ZETA", "ARGUMENT", "PUBLIC", "CONSTANT", "OF_PHI", "WEIGHT"]
    derived += ["P_W_SCALAR"] if key.matrix_points else []
    add("What follows from them.", derived)
    if v["batches"]:
        own = [
            "LOG",
            *v["blocks"][0]["memory"],
            *v["blocks"][0]["more"],
            "AT_CHUNKS",
            "AT_EVALUATIONS",
            "AT_W",
            "WORDS",
        ]
        add("What the number of blocks decides, and where things stand in the calldata.", own)
        add("The sum over the later blocks' words, and nb·u^(nb-1).", ["LATER", "FIRST_BLOCK"])
    add("zeta^(2^i).", ["POWERS"], v["powers"])
    add("z^i.", [f"Z{i}" for i in range(2, max(v["widths"]) + 1)])
    start, ends = at, []
    common, alone, together = _denominators(v)
    add("Denominators, later their inverses; behind them the products that lead there.", common)
    for title, names in (("Those of one block.", alone), ("Those of several, in the same place.", together)):
        if names:
            at = start + _WORD * len(common)
            add(title, names)
        ends.append(_WORD * (len(common) + len(names)))
    size = max(ends)
    at = start + 2 * size
    add("Scalars; the two words before each hold its point.", cells, 3, 2 * _WORD)
    add("The sum of all terms, then the rest of the pairing's input.", ["SUM"], 2)
    add("The term that is added to it.", ["TERM"], 10)
    if v["batches"] or key.matrix_points:
        add("A point with its scalar.", ["CELL"], 3)
    if key.matrix_points:
        add("The points of the matrix's parts.", ["MATRIX"], 2 * len(key.matrix_points))
    if v["batches"]:
        of_proof = [sum(len(packs) for packs, _ in key.rounds(log)) + key.chunks(log) for log in logs]
        add("The points of a proof, and those of the key.", ["POINTS"], 2 * max(of_proof))
        add("", ["KEY_POINTS"], 2 * max(len(key.key_packs(log)) for log in logs))
    return {"layout": "\n".join(lines), "denominators_size": size, "denominators_ends": ends}


def _denominators(v: dict[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """Those of all proofs, those of one row alone, those of several rows alone."""
    common = ["D_PUBLIC", "D_ROWS", "D_TABLE", "D_ONE", "D_FOLD", "D_SLOTS", "D_COLUMNS", "D_WORDS"]
    common += ["D_GAP_NEXT", "D_GAP_TABLE", "D_GAP_INVERSE", "D_INVERSE", "D_TABLE_NEXT", "D1_NEXT", "D1_HERE"]
    pair = len(v["pairs"][0])
    alone = [f"D{width}_HERE" for width in v["widths"] if width > 1]
    alone += [f"D{pair}_NEXT"] if pair > 1 else []
    together = ["D_LATER", "D_WIDTH", "D_PARTS", "D_HELPERS", "D_WIRING", "D_FULL_TABLE", "D_LAST_TABLE"]
    return common, alone, [*together, "D_PAIR", "D_PAIR_NEXT"] if v["batches"] else []
