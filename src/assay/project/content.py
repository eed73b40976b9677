"""Digests of files, remembered by size and time of change, so that a large file is read once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from assay.core import files, paths
from assay.core.hashing import digest

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK = 1 << 20
ABSENT = "absent"

Memory = dict[str, list[int | str]]
"""Path to size, nanoseconds of the last change, digest."""


def of_file(path: Path, memory: Memory) -> str:
    """SHA-256 of a file's content, "absent" if there is none; `memory` is used and kept up to date."""
    try:
        about = path.stat()
    except OSError:
        return ABSENT
    key, known = str(path), memory.get(str(path))
    if known is not None and known[:2] == [about.st_size, about.st_mtime_ns]:
        return str(known[2])
    found = hashlib.sha256()
    with files.translated(path, "read"), path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    memory[key] = [about.st_size, about.st_mtime_ns, found.hexdigest()]
    return found.hexdigest()


def of_place(base: Path, pattern: str, memory: Memory) -> str:
    """Digest of the file, the files below the folder, or the files that match the pattern."""
    try:
        place = paths.place(base, pattern)
        if place.is_file():
            return of_file(place, memory)
        found = sorted(place.rglob("*")) if place.is_dir() else paths.matching(base, pattern)[0]
    except (OSError, ValueError):  # a name that no file can have: building the dataset says so
        return ABSENT
    listed = [f"{path.name}:{of_file(path, memory)}" for path in found if path.is_file()]
    return digest("\n".join(listed).encode()) if listed else ABSENT
