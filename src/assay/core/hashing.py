"""Content addresses."""

from __future__ import annotations

import hashlib


def digest(data: bytes) -> str:
    """SHA-256 of `data` as 64 lowercase hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
