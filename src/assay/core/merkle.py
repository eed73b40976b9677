"""Merkle trees: one digest for many entries in order.

Source: RFC 6962, section 2.1: entries and inner nodes are hashed with different first bytes, so that a root belongs to
one list of entries alone, of one length.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENTRY, _NODE = b"\0", b"\1"


def root(entries: Iterable[bytes]) -> bytes:
    """The 32 bytes that stand for these entries in this order; of none, SHA-256 of nothing."""
    level = [hashlib.sha256(_ENTRY + entry).digest() for entry in entries]
    if not level:
        return hashlib.sha256().digest()
    while len(level) > 1:
        # An entry without a neighbour goes up as it is: the RFC's split at the largest power of two.
        pairs = zip(level[::2], level[1::2], strict=False)
        alone = level[-1:] if len(level) % 2 else []
        level = [hashlib.sha256(_NODE + left + right).digest() for left, right in pairs] + alone
    return level[0]
