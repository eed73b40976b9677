"""What the compiler printed, kept in the user's cache: the same compiler asked for the same prints the same.

Compiling takes seconds, and commands that come one after the other ask for the same contracts. A file holds the digest
of what follows, and is named by the digests of the compiler and of what it was asked.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from assay.core import files
from assay.core.errors import StorageError
from assay.core.hashing import digest, digest_of_file
from assay.prove.srs import cache_folder

MOST = 400
"""Files that are kept, the newest: a verifier's is about 40 kB."""

_COMPILER = "solc/soljson.js"


def place(modules: str, request: str) -> Path | None:
    """The file for what the compiler in a node_modules folder prints of a request; None where it is not whole there."""
    try:
        compiler = _digest(str(Path(modules) / _COMPILER))
    except OSError:
        return None
    return cache_folder().parent / "solc" / digest(f"{compiler}\n{request}".encode())


def read(path: Path) -> str | None:
    """What is kept; None if nothing is, or it is damaged."""
    try:
        known, _, printed = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return printed.decode() if known.decode(errors="replace") == digest(printed) else None


def keep(path: Path, printed: str) -> None:
    """Keep it, and no more than `MOST` in all. Where that cannot be, the compiler is asked again the next time."""
    content = printed.encode()
    try:
        files.write(path, f"{digest(content)}\n".encode() + content)
        for old in sorted(path.parent.iterdir(), key=_written, reverse=True)[MOST:]:
            old.unlink(missing_ok=True)
    except (OSError, StorageError):
        pass


@lru_cache(maxsize=4)
def _digest(compiler: str) -> str:
    return digest_of_file(Path(compiler))


def _written(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # another process has just removed it
        return 0.0
