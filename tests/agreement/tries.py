"""Random Merkle-Patricia tries and their proofs by py-trie, for the Solidity tests: the second implementation.

`python -m tests.agreement.tries` writes contracts/test/fixtures/tries.bin, the ABI encoding of a list of
(root, key, proof, value): the proof is the nodes one behind the other, and an empty value says that the key is absent.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

import rlp
from eth_abi import encode
from trie import HexaryTrie

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURE = Path(__file__).parents[2] / "contracts/test/fixtures/tries.bin"
SEED = 11
Case = tuple[bytes, bytes, bytes, bytes]


def case(trie: HexaryTrie, key: bytes) -> Case:
    """What the trie has at a key, with its proof."""
    return trie.root_hash, key, proof(trie, key), trie.get(key) if key in trie else b""


def proof(trie: HexaryTrie, key: bytes) -> bytes:
    """The nodes that have a hash: those of less than 32 bytes stand in their parents, but the root."""
    nodes = [rlp.encode(node) for node in trie.get_proof(key)]
    return b"".join(node for i, node in enumerate(nodes) if i == 0 or len(node) >= 32)


def make(content: dict[bytes, bytes]) -> HexaryTrie:
    """A trie."""
    trie = HexaryTrie({})
    for key, value in content.items():
        trie[key] = value
    return trie


def cases() -> list[Case]:
    """All of them, from one seed."""
    draw = random.Random(SEED)
    return [one for kind in (_empty, _single, _few, _many, _close, _embedded, _deep) for one in kind(draw)]


def _key(draw: random.Random) -> bytes:
    return draw.randbytes(32)


def _value(draw: random.Random) -> bytes:
    """What storage holds, from a byte to a word, or an account's 70 to 110 bytes."""
    kind = draw.randrange(4)
    if kind == 0:
        return bytes([draw.randrange(1, 256)])
    if kind == 1:
        return rlp.encode(draw.randrange(1, 1 << 8 * draw.randrange(1, 33)))
    return draw.randbytes(draw.choice([2, 33, 54, 55, 56, 70, 110, 200]))


def _empty(draw: random.Random) -> Iterator[Case]:
    # A node gives no nodes of an empty trie.
    yield HexaryTrie({}).root_hash, _key(draw), b"", b""


def _single(draw: random.Random) -> Iterator[Case]:
    for _ in range(4):
        key = _key(draw)
        trie = make({key: _value(draw)})
        yield case(trie, key)
        yield case(trie, _key(draw))


def _some(draw: random.Random, content: dict[bytes, bytes], there: int, absent: int) -> Iterator[Case]:
    trie = make(content)
    keys = sorted(content)
    for key in draw.sample(keys, min(there, len(keys))):
        yield case(trie, key)
    for _ in range(absent):
        yield case(trie, _key(draw))


def _few(draw: random.Random) -> Iterator[Case]:
    for size in (2, 3, 5, 9):
        yield from _some(draw, {_key(draw): _value(draw) for _ in range(size)}, 2, 2)


def _many(draw: random.Random) -> Iterator[Case]:
    yield from _some(draw, {_key(draw): _value(draw) for _ in range(300)}, 4, 3)
    yield from _some(draw, {_key(draw): _value(draw) for _ in range(3000)}, 4, 2)


def _close(draw: random.Random) -> Iterator[Case]:
    """Keys with beginnings in common: extensions, some of an odd and some of an even number of nibbles."""
    for shared in (1, 2, 3, 7, 20, 31):
        start = draw.randbytes(shared)
        half = draw.randrange(16) << 4
        content = {
            start + bytes([half | draw.randrange(16)]) + draw.randbytes(31 - shared): _value(draw) for _ in range(4)
        }
        trie = make(content)
        yield from (case(trie, key) for key in sorted(content)[:2])
        # Where the extension, or a branch below it, leads elsewhere.
        key = bytearray(min(content))
        key[shared - 1] ^= 0x10
        yield case(trie, bytes(key))


def _embedded(draw: random.Random) -> Iterator[Case]:
    """Keys that differ at the end only, with short values: nodes of less than 32 bytes in their parents."""
    for length in (31, 30, 28):
        start = draw.randbytes(length)
        content = {start + draw.randbytes(32 - length): bytes([draw.randrange(1, 128)]) for _ in range(6)}
        trie = make(content | {_key(draw): _value(draw)})
        yield from (case(trie, key) for key in sorted(content)[:3])
        yield case(trie, start + draw.randbytes(32 - length))
    # A root that is shorter than a hash: only keys that end soon could make one, and none of 32 bytes does.


def _deep(draw: random.Random) -> Iterator[Case]:
    """A branch at each of 64 nibbles, with values long enough that none is embedded, and short ones at the end."""
    for length in (33, 1):
        key = _key(draw)
        content = {key: draw.randbytes(length - 1) + b"\x01"}
        for nibble in range(64):
            other = bytearray(key)
            other[nibble // 2] ^= 0x10 if nibble % 2 == 0 else 0x01
            content[bytes(other)] = draw.randbytes(length - 1) + b"\x02"
        trie = make(content)
        yield case(trie, key)
        other = bytearray(key)
        other[31] ^= 0x02
        yield case(trie, bytes(other))


def write(path: Path = FIXTURE) -> None:
    """Write the fixture."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content())


def content() -> bytes:
    """The fixture's bytes."""
    return encode(["(bytes32,bytes32,bytes,bytes)[]"], [cases()])


if __name__ == "__main__":
    write()
