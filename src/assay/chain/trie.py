"""What a Merkle-Patricia trie has at a key, by its nodes: keys of 32 bytes, as state and storage have.

Every node is checked to its last byte, as `contracts/src/state/TrieWalk.sol` does: what that takes this takes. The
contract takes no node of 2^16 bytes or more and no value of more than 255, which state and storage never have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.core.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

# Source: the yellow paper, appendices B (RLP) and D.
EMPTY_ROOT = bytes.fromhex("56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421")
"""Root of a trie with nothing in it: the hash of an empty string's RLP."""

_NIBBLES = 64
_HASH = 32
_BRANCH, _PAIR = 17, 2


class Unsound(ValueError):
    """The bytes are no RLP, or the nodes no proof; the text says which."""


def encode(item: bytes | Sequence[bytes]) -> bytes:
    """The RLP of a string, or of a list of what is RLP already."""
    if isinstance(item, bytes):
        return item if len(item) == 1 and item[0] < 0x80 else _headed(0x80, item)
    return _headed(0xC0, b"".join(item))


def encode_integer(value: int) -> bytes:
    """The RLP of an integer: its bytes without zeros in front."""
    return encode(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _headed(offset: int, content: bytes) -> bytes:
    if len(content) < 56:
        return bytes([offset + len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([offset + 55 + len(length)]) + length + content


def items(encoded: bytes) -> list[bytes]:
    """The items of a list, each still encoded; raises `Unsound` unless that is all of it, each in its shortest form."""
    start, end = _span(encoded, 0)
    if not encoded or encoded[0] < 0xC0 or end != len(encoded):
        raise Unsound("no list")
    found, place = [], start
    while place < end:
        _, after = _span(encoded, place)
        if after > end:
            raise Unsound("an item is longer than its list")
        found.append(encoded[place:after])
        place = after
    return found


def string(encoded: bytes) -> bytes:
    """The content of a string; raises `Unsound` if it is a list."""
    start, end = _span(encoded, 0)
    if encoded[0] >= 0xC0 or end != len(encoded):
        raise Unsound("no string")
    return encoded[start:end]


def integer(encoded: bytes) -> int:
    """An integer of up to 32 bytes; raises `Unsound` if it has zeros in front."""
    content = string(encoded)
    if len(content) > _HASH or content[:1] == b"\0":
        raise Unsound("no integer in its shortest form")
    return int.from_bytes(content, "big")


def _span(encoded: bytes, place: int) -> tuple[int, int]:
    """Where the content of the item at a place begins and ends."""
    if place >= len(encoded):
        raise Unsound("the bytes end too soon")
    prefix = encoded[place]
    if prefix < 0x80:
        return place, place + 1
    base = 0x80 if prefix < 0xC0 else 0xC0
    length, start = prefix - base, place + 1
    if length > 55:
        width = length - 55
        said = encoded[start : start + width]
        length, start = int.from_bytes(said, "big"), start + width
        if length < 56 or said[0] == 0:
            raise Unsound("a length is not in its shortest form")
    end = start + length
    if end > len(encoded):
        raise Unsound("the bytes end too soon")
    if base == 0x80 and length == 1 and encoded[start] < 0x80:
        raise Unsound("a byte is not in its shortest form")
    return start, end


def split(proof: bytes) -> list[bytes]:
    """A proof's nodes, which stand one behind the other; raises `Unsound`."""
    found, place = [], 0
    while place < len(proof):
        if proof[place] < 0xC0:
            raise Unsound("a node is no list")
        _, end = _span(proof, place)
        found.append(proof[place:end])
        place = end
    return found


def find(root: bytes, key: bytes, proof: bytes) -> bytes | None:
    """The value at a key, or None if the trie has not the key.

    Parameters
    ----------
    root
        Hash of the root's node.
    key
        32 bytes, as they stand in the trie: the hash of an address or a slot.
    proof
        The nodes from the root to the key, one behind the other; embedded ones stand in their parents only.

    Raises
    ------
    Unsound
        The nodes are not those of the root, are none of a trie, or more or fewer than the key needs.
    """
    nodes = split(proof)
    if root == EMPTY_ROOT:
        if nodes:
            raise Unsound("the trie is empty, and there are nodes")
        return None
    path = key.hex()
    expected: bytes = root
    for number, node in enumerate(nodes):
        if keccak256(node) != expected:
            raise Unsound(f"node {number} is not the one that its parent names")
        if number and len(node) < _HASH:
            raise Unsound(f"node {number} should be embedded in its parent")
        child, path, value = _through(node, path)
        if child is None:
            if number != len(nodes) - 1:
                raise Unsound("nodes are left over")
            return value
        expected = child
    raise Unsound("the proof ends before the key does")


def _through(node: bytes, path: str) -> tuple[bytes | None, str, bytes | None]:
    """Go through a node and those embedded in it: the hash of the next one, or None and the value."""
    while True:
        parts = items(node)
        if len(parts) == _BRANCH:
            child, path = _at_branch(parts, path)
        elif len(parts) == _PAIR:
            leaf, own = _path(parts[0])
            if leaf:
                return None, "", _at_leaf(parts[1], own, path)
            child, path = _at_extension(parts[1], own, path)
        else:
            raise Unsound(f"a node with {len(parts)} items")
        if not child:
            return None, path, None
        if len(child) == _HASH:
            return child, path, None
        node = child


def _at_branch(parts: list[bytes], path: str) -> tuple[bytes, str]:
    if not path:
        raise Unsound("a branch below the last nibble")
    children = [_child(part) for part in parts[:-1]]
    if parts[-1] != b"\x80":  # no key ends in a branch where all are of one length
        raise Unsound("a branch with a value")
    return children[int(path[0], 16)], path[1:]


def _at_leaf(part: bytes, own: str, path: str) -> bytes | None:
    value = string(part)
    if len(own) != len(path) or not value:
        raise Unsound("a leaf of another depth, or without a value")
    return value if own == path else None


def _at_extension(part: bytes, own: str, path: str) -> tuple[bytes, str]:
    """The child, or nothing where the path leads elsewhere, and what is left of the path."""
    child = _child(part)
    if not own or len(own) >= len(path) or not child:
        raise Unsound("an extension that leads nowhere")
    return (child, path[len(own) :]) if path.startswith(own) else (b"", path)


def _child(part: bytes) -> bytes:
    """A hash of 32 bytes, an embedded node of less, or nothing."""
    if part[0] >= 0xC0:
        if not 1 < len(part) < _HASH:
            raise Unsound("an embedded node of 32 bytes or more, or of none")
        return part
    content = string(part)
    if len(content) not in {0, _HASH}:
        raise Unsound("a child that is neither a hash nor a node")
    return content


def _path(part: bytes) -> tuple[bool, str]:
    """Whether it is of a leaf, and its nibbles."""
    digits = string(part).hex()
    if not digits or digits[0] > "3" or (digits[0] in "02" and digits[1] != "0"):
        raise Unsound("a path without its flags")
    return digits[0] in "23", digits[1:] if digits[0] in "13" else digits[2:]
