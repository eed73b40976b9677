"""Files that are whole or absent: everything is written beside its place and then renamed into it.

One kind of file is never replaced: a proving key. Setup draws fresh randomness, so nothing makes the same one again.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.errors import DiskFull, KeyInPlace, NotFound, ReadOnly, StorageError, WrongKindOfFile

if TYPE_CHECKING:
    from collections.abc import Iterator

type_of_path = str | os.PathLike[str]

PROVING_KEY = b'{"artefact":"assay-proving-key"'
"""What the file of a proving key begins with (`assay.core.envelope`)."""

_HEAD = 4096
_SECRET, _PLAIN = 0o600, 0o666
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
_WRONG_KIND = {errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY}
_CAME = {errno.EEXIST, errno.ENOTEMPTY}


def read(path: type_of_path) -> bytes:
    """Return the whole content of the file at `path`.

    Raises
    ------
    StorageError
        If there is no such file, it is a folder, or it may not be read.
    """
    with translated(Path(path), "read"):
        return Path(path).read_bytes()


def write(path: type_of_path, content: bytes | str, *, secret: bool = False, over: str = "") -> None:
    """Write `content` to `path` so that the file there is either the old one or the whole new one.

    Parameters
    ----------
    path
        The file; folders above it are made.
    content
        Bytes, or text to be written in UTF-8.
    secret
        Whether only the user may read the file, from its first byte on (mode 0600).
    over
        What a file that is replaced has to have near its beginning: where a person names the place, something of
        another kind may stand there, which nobody wanted to lose.

    Raises
    ------
    KeyInPlace
        Another proving key stands there.
    WrongKindOfFile
        Something stands there that is not empty and does not have `over`.
    StorageError
        If the place is full, read-only or a folder. Nothing is left behind.
    """
    place = Path(path)
    with translated(place, "write"):
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder", str(place))
        _spare_others(place, over.encode())
        data = content.encode() if isinstance(content, str) else content
        beside = _beside(place)
        try:
            mode = _SECRET if secret else _PLAIN
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            _put(beside, place)
        finally:
            beside.unlink(missing_ok=True)


@contextmanager
def folder(path: type_of_path) -> Iterator[Path]:
    """Give an empty folder to fill; when the block ends well, its files move to `path`, else they vanish.

    A new `path` appears in one rename. In a folder that is already there each file is replaced in one
    rename and files of other names are left alone.

    Raises
    ------
    KeyInPlace
        A file would replace another proving key.
    StorageError
        If the place is full, read-only or not a folder. Nothing is left behind.
    """
    place = Path(path)
    with translated(place, "write"):
        made = _make_parents(place)
        if place.exists() and not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "is not a folder", str(place))
        beside = _beside(place)
        beside.mkdir()
        try:
            yield beside
            _move(beside, place)
            made.clear()
        finally:
            shutil.rmtree(beside, ignore_errors=True)
            for parent in made:
                parent.rmdir()


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a temporary folder that is gone when the block ends; raises StorageError if none can be made."""
    try:
        made = tempfile.TemporaryDirectory(prefix="assay-")
    except OSError as error:
        said = error.strerror or error
        raise StorageError(
            f"no folder for temporary files can be written to ({said})",
            "Free some space, or set TMPDIR to a folder that can be written to.",
        ) from error
    with made as name:
        yield Path(name)


def _beside(place: Path) -> Path:
    return place.absolute().with_name(f"{place.absolute().name}.partial-{os.getpid()}-{os.urandom(3).hex()}")


def _make_parents(place: Path) -> list[Path]:
    """Create the parents of `place`; return the new ones, innermost first."""
    absent = [parent for parent in place.absolute().parents if not parent.exists()]
    place.absolute().parent.mkdir(parents=True, exist_ok=True)
    return absent


def _move(source: Path, place: Path) -> None:
    if not place.exists():
        try:
            source.rename(place)
        except OSError as error:
            if error.errno not in _CAME or not place.is_dir():
                raise
        else:
            return
    made = sorted(source.iterdir(), key=lambda file: (not _is_key(file), file.name))
    for file in made:
        # Before any is moved: all or nothing.
        if (place / file.name).is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder", str(place / file.name))
        _spare_key(place / file.name, file)
    for file in made:  # a key first: where another one came meanwhile nothing is moved
        _put(file, place / file.name)


def _put(fresh: Path, place: Path) -> None:
    """Rename a file into its place; a proving key to where nothing is, also if two come at once."""
    if _is_key(fresh):
        try:
            os.link(fresh, place)
        except OSError:  # something is there, or the disk knows no links
            pass
        else:
            fresh.unlink()
            return
    _spare_key(place, fresh)
    fresh.replace(place)


def _spare_others(place: Path, over: bytes) -> None:
    """Stop if something stands at `place` that is not empty and does not have `over` near its beginning."""
    if not over or not place.is_file() or _is_key(place):  # of a key more is to be said
        return
    with place.open("rb") as opened:
        found = opened.read(_HEAD)
    if found and over not in found:
        raise WrongKindOfFile(
            f"{place} is a file of another kind, so it was not replaced",
            "Choose another place, or move that file away first.",
        )


def _is_key(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.read(len(PROVING_KEY)) == PROVING_KEY


def _spare_key(place: Path, fresh: Path) -> None:
    """Stop if `fresh` would replace a proving key that is not the same, byte for byte."""
    try:
        if not _is_key(place):
            return
    except (FileNotFoundError, PermissionError):
        return
    if place.read_bytes() != fresh.read_bytes():
        raise KeyInPlace(
            f"{place} is a proving key, which cannot be made again, so it was not replaced",
            "Choose another place, or move that file away first.",
        )


@contextmanager
def translated(place: Path, verb: str) -> Iterator[None]:
    """Turn the operating system's errors into Assay's, naming the place the caller asked for."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, place, verb) from error


def storage_error(error: OSError, place: Path, verb: str) -> StorageError:
    """Say in Assay's words that `place` could not be read or written (`verb`)."""
    what = f"cannot {verb} {place}"
    if error.errno in _FULL:
        return DiskFull(f"{what}: no space is left there, and nothing was written", "Free some space and run it again.")
    if error.errno in _READ_ONLY:
        return ReadOnly(f"{what}: permission denied", "Choose another place or change its permissions.")
    if error.errno == errno.ENOENT:
        return NotFound(f"{what}: there is no such file or folder", "Check the path.")
    if error.errno in _WRONG_KIND:
        return WrongKindOfFile(f"{what}: a file stands where a folder is expected, or the reverse", "Check the path.")
    return StorageError(f"{what}: {error.strerror or error}", "Check the path and the disk.")
