"""Structured reference strings: where they are kept, made and found.

They are shared by all models, so they live in a cache folder and not beside the keys, which pin the
digest of the one they were made with. A *development* string is generated on this machine: whoever ran
the generation could have kept its secret and could forge proofs, and keys and proofs say so. A
*ceremony* string is one that was imported with `assay srs import`: it is named after a ceremony only where its
`[tau]_2` is one that Assay knows (`assay.prove.origin`). A string serves only if its file is what its name says, its
content has its digest and its points agree with each other by pairing; that is found out once for each file.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import files
from assay.core.errors import StorageError
from assay.prove.errors import SrsInvalid, SrsMissing, SrsTooSmall, SrsUnexpected
from assay.prove.native import native
from assay.prove.origin import tau_of

if TYPE_CHECKING:
    from collections.abc import Callable

SMALLEST = 1 << 12
"""A development string is generated with at least so many powers, so that small models share one."""

SLACK = 64
"""Circuits need a power of two and a few more, which hide their polynomials."""

SCHEMA = "assay-string-check/1"
"""Of a kept verdict. It counts up when the check learns to refuse more."""

_TAU = 128
_HEADER = 12 + 1 + 4 + 32 + _TAU


@dataclass(frozen=True)
class Srs:
    """A reference string in the cache.

    Attributes
    ----------
    path
        Its file.
    degree
        The highest power of the secret that it holds.
    digest
        Hash of its points, which keys pin.
    kind
        "development" or "ceremony".
    """

    path: Path
    degree: int
    digest: str
    kind: str


def cache_folder() -> Path:
    """Return the folder that reference strings are kept in: `$ASSAY_CACHE`, or the user's cache of the platform."""
    if chosen := os.environ.get("ASSAY_CACHE"):
        return Path(chosen).expanduser() / "srs"
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "assay" / "srs"


def available() -> list[Srs]:
    """Return the reference strings in the cache, ceremonies first, smaller ones first."""
    return sorted(_named(), key=lambda srs: (srs.kind != "ceremony", srs.degree, srs.digest))


def find(digest: str, *, degree: int, kind: str) -> Srs:
    """Return the reference string that a key pins.

    Parameters
    ----------
    digest
        What the key pins.
    degree
        What the key needs; for the message alone.
    kind
        "development" or "ceremony"; for the message alone.

    Raises
    ------
    SrsMissing
        It is not in the cache.
    SrsInvalid
        Its file is not what its name says.
    """
    for srs in available():
        if srs.digest == digest:
            return whole(srs)
    what = f"the {kind} reference string {digest[:16]} (degree {degree}) of this key is not in {cache_folder()}."
    if kind == "ceremony":
        raise SrsMissing(what, "Import it again with `assay srs import FILE`.")
    raise SrsMissing(
        what, "Copy it from the machine that made the key, set ASSAY_CACHE to its folder, or make the keys again."
    )


def for_degree(degree: int, *, progress: Callable[[str], None] | None = None) -> Srs:
    """Return a reference string of at least `degree`: an imported ceremony if one is large enough.

    Otherwise a development string from the cache, and if there is none, a new one.
    """
    for srs in available():
        if srs.degree >= degree:
            return whole(srs)
    if progress is not None:
        progress("Generating a development reference string")
    return generate(_rounded(max(degree, SMALLEST)))


def generate(degree: int) -> Srs:
    """Generate a development string of `degree` with this machine's randomness and keep it in the cache."""
    with files.folder(cache_folder()) as place:
        fresh = place / "fresh.srs"
        with native() as core:
            core.srs_generate(str(fresh), degree)
        made = _keep(fresh)
    _keep_verdict(made)
    return made


def import_file(source: Path, *, expect: str | None = None) -> Srs:
    """Check a ceremony's file (.ptau, or arkworks `UniversalParams`) and keep it in the cache.

    Parameters
    ----------
    source
        The file. It is read in parts; of a large one, the first 2^20 powers are kept.
    expect
        Which string it must be: a ceremony's name, or `[tau]_2` in 256 hexadecimal digits.

    Raises
    ------
    SrsUnexpected
        It is another string, or `expect` names none.
    StorageError
        The file cannot be read.
    SrsInvalid
        It is malformed or fails a check.
    """
    wanted = tau_of(expect) if expect is not None else None
    with files.translated(source, "read"), source.open("rb"):
        pass
    with files.folder(cache_folder()) as place:
        fresh = place / "fresh.srs"
        with native() as core:
            found = core.srs_import(str(source), str(fresh))["tau_g2"]
        if wanted not in {None, found}:
            raise SrsUnexpected(f"{source} has the [tau]_2 {found}, not that of {expect}; nothing was kept.")
        imported = _keep(fresh)
    _keep_verdict(imported)
    return imported


def read(path: Path) -> Srs:
    """Return what the reference string at `path` is.

    Raises
    ------
    StorageError
        The file cannot be read.
    SrsInvalid
        It is not a reference string in Assay's form.
    """
    with files.translated(path, "read"), path.open("rb"):
        pass
    with native() as core:
        info = core.srs_info(str(path))
    return Srs(path, info["degree"], info["digest"], info["kind"])


def tau(srs: Srs) -> bytes:
    """Return the secret in G2, 128 bytes as a verifying key ends with it; nothing if the file cannot be read.

    It stands in the file's header, behind magic (12 bytes), kind (1), degree (4) and digest (32).
    """
    try:
        with srs.path.open("rb") as file:
            return file.read(_HEADER)[-_TAU:]
    except OSError:
        return b""


def whole(srs: Srs) -> Srs:
    """Return `srs` if its file is what its name says and a reference string; found out once for each file.

    Raises
    ------
    SrsInvalid
        It is not.
    """
    verdict = _verdict(srs)
    place = _checked(srs)
    if verdict is not None and _kept(place) == verdict:
        return srs
    with native() as core:
        found = core.srs_verify(str(srs.path))
    said = (found["kind"], found["degree"], found["digest"])
    if said != (srs.kind, srs.degree, srs.digest):
        raise SrsInvalid(
            f"{srs.path} holds a {said[0]} string of degree {said[1]} with the digest {said[2][:18]}: not what its "
            "name says.",
            "Move it away.",
        )
    _keep_verdict(srs)
    return srs


def _checked(srs: Srs) -> Path:
    return cache_folder().parent / "checked-strings" / f"{srs.digest}.json"


def _verdict(srs: Srs) -> str | None:
    """What is kept of a file that was checked: the file as it was then; None if there is none."""
    try:
        state = srs.path.stat()
    except OSError:
        return None
    return json.dumps([SCHEMA, srs.path.name, state.st_size, state.st_mtime_ns])


def _kept(place: Path) -> str:
    try:
        return place.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _keep_verdict(srs: Srs) -> None:
    if verdict := _verdict(srs):
        # A cache that cannot be written costs time at the next call and nothing else.
        with contextlib.suppress(StorageError):
            files.write(_checked(srs), verdict)


def require(srs: Srs, degree: int) -> Srs:
    """Return `srs` if it reaches `degree`.

    Raises
    ------
    SrsTooSmall
        It does not.
    """
    if srs.degree < degree:
        raise SrsTooSmall(f"the reference string {srs.path} has degree {srs.degree}, and {degree} is needed.")
    return srs


def _keep(fresh: Path) -> Srs:
    """Name a new file after what it is; it moves into the cache when the surrounding folder block ends.

    The native core may have written the same points in other bases beside it, under names that go on from its own.
    """
    srs = read(fresh)
    name = f"{srs.kind}-{srs.degree}-{srs.digest}.srs"
    for path in fresh.parent.glob(f"{fresh.name}*"):
        path.rename(path.with_name(name + path.name.removeprefix(fresh.name)))
    return Srs(cache_folder() / name, srs.degree, srs.digest, srs.kind)


def _named() -> list[Srs]:
    """Read the cache by its file names; `whole` compares what is used with its content."""
    found = []
    for path in cache_folder().glob("*-*-*.srs"):
        kind, degree, digest = path.stem.split("-", 2)
        if kind in {"development", "ceremony"} and degree.isdecimal():
            found.append(Srs(path, int(degree), digest, kind))
    return found


def _rounded(least: int) -> int:
    """Return the smallest power of two and slack that reaches `least`, so that models of like size share a string."""
    return (1 << max(least - SLACK - 1, 0).bit_length()) + SLACK
