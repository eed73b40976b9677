"""The transcript (spec, section 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from Crypto.Hash import keccak

from .field import R

if TYPE_CHECKING:
    from collections.abc import Iterable


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


class Transcript:
    """A state of 32 bytes, hashed with everything that is said."""

    def __init__(self, digest: bytes, rows: int, words: Iterable[int]) -> None:
        self.state = keccak256(digest + word(rows) + b"".join(map(word, words)))

    def absorb(self, data: bytes) -> None:
        self.state = keccak256(self.state + data)

    def challenge(self) -> int:
        value = int.from_bytes(self.state, "big") % R
        self.state = keccak256(self.state)
        return value
