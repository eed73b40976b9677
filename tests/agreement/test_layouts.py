"""Which columns share a commitment follows from the shape, alike in everything that reads it (spec, 4.3)."""

from __future__ import annotations

import random
import struct
from itertools import count
from typing import TYPE_CHECKING

from assay import _core
from assay.chain.context import context
from assay.chain.key import Key as ChainKey
from assay.models.cost.shape import Shape

from .reference import parse_key, trees
from .reference.curve import G1, point_bytes
from .reference.key import MAGIC, REFUSE, Key
from .reference.pairing import G2
from .reference.transcript import word

if TYPE_CHECKING:
    from .reference.relation import Layout


def key_of(stride: int, groups: int, table: int, ratio: int, bits: int) -> bytes:
    """A key of a shape, for one or two rows; its points are no model's."""
    limbs = next(number for number in count(1) if (table // ratio - 1) ** number >= 1 << bits)
    fields = (1, 1, 0, 40, 1, 1, stride, groups, table, ratio, limbs, 1)
    head = struct.pack(">4B13I", 0, 0, 0, bits, *fields, 1) + struct.pack(">I2B", 0, REFUSE, 0)
    (x_re, x_im), (y_re, y_im) = G2
    # Pub, G, A, C, rho, the key's proof of itself.
    return MAGIC + head + point_bytes(G1) * 6 + b"".join(map(word, (x_im, x_re, y_im, y_re)))


def shapes() -> list[tuple[int, int, int, int, int]]:
    """Random ones that the protocol defines, from tables far longer than a block to blocks far longer than a table."""
    rng, found = random.Random(7), []
    while len(found) < 200:
        stride, groups, table = 1 << rng.randint(2, 6), 1 << rng.randint(0, 12), 1 << rng.randint(5, 18)
        ratio, bits = rng.choice([2, 4, 8]), rng.choice([32, 64])
        base = table // ratio - 1
        if stride * groups >= 16 and base >= 3 and base**9 >= 1 << bits and groups <= table - table // ratio:
            found.append((stride, groups, table, ratio, bits))
    return found


def test_the_rule_is_one() -> None:
    widths = set()
    for shape in shapes():
        key = key_of(*shape)
        plain, chain = parse_key(key), ChainKey.parse(key)
        cost = Shape(stride=plain.st, groups=plain.g, table=plain.N, ratio=plain.q, limbs=plain.L)
        layout, native, several = trees.layout(plain, 1), *_core.vk_info(key)["fixed"]
        width = plain.pack_width(1)
        assert chain.pack_width == cost.pack_width == width
        assert native["packs"] == (width > 1) == bool(layout.packs)
        assert not several["packs"]
        assert native["chunk"] == layout.chunk_size == chain.chunk(0)
        assert native["chunks"] == len(layout.chunks) == chain.chunks(0)
        values = context(chain, key)
        assert [*values["first"][0], *values["second"][0]] == [in_the_contract(name, plain) for name in points(layout)]
        assert len(values["evaluated"][0]) == len(layout.evaluations)
        widths.add(min(width, plain.L + 4))
    assert {1, 2, 4} < widths


def points(layout: Layout) -> list[str]:
    return [*layout.round1, *layout.round2]


def in_the_contract(name: str, key: Key) -> str:
    """The contract's name of a commitment: packs are numbered over both rounds."""
    packs = list(trees.packs(key)) if trees.layout(key, 1).packs else []
    if name in packs:
        return f"PACK{packs.index(name) + 1}"
    return {"phi_V": "PHI_TABLE"}.get(name, name.upper())


def test_no_string_is_longer_than_without_packs_but_by_their_blinding() -> None:
    for shape in shapes():
        key = parse_key(key_of(*shape))
        alone, length = max(key.S, key.N) + 16, trees.layout(key, 1).chunk_size
        assert alone <= length <= alone + 5 * (key.L + 4)
        if key.pack_width(1) <= 2:
            assert length == alone
