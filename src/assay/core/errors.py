"""The error tree. Each leaf has a stable code; each message says what happened, where, and what to do.

::

    AssayError                          assay
    ├── StorageError                    io
    │   ├── DiskFull                    io/disk-full
    │   ├── ReadOnly                    io/read-only
    │   ├── NotFound                    io/not-found
    │   ├── WrongKindOfFile             io/wrong-kind
    │   ├── Unreadable                  io/unreadable
    │   └── KeyInPlace                  io/proving-key
    ├── ArtefactError                   artefact
    │   ├── ArtefactDamaged             artefact/damaged
    │   └── ArtefactVersion             artefact/version
    ├── MissingLibrary                  install/missing-library
    ├── WrongType                       argument/type           (a TypeError, too)
    ├── WorkersFailed                   workers/failed          a worker process or the cluster went away
    │
    ├── (assay.transpile.errors)        models, rows and circuits that cannot be converted
    └── (assay.prove.errors)            keys, proofs and reference strings; `InvalidProof` is there

A room adds its own leaves in its `errors.py`; nothing raises `AssayError` itself where a leaf fits.
"""

from __future__ import annotations

from typing import ClassVar


class AssayError(Exception):
    """Anything Assay refuses or cannot do.

    Parameters
    ----------
    what
        One clause or sentence: what happened, and where.
    todo
        One sentence: what the reader can do about it.
    code
        A stable identifier such as ``"io/disk-full"``; the class's own when absent.

    Attributes
    ----------
    code
        Stable across releases; meant for programs.
    retry
        Whether the same call can succeed later without the caller changing anything.
    """

    code: ClassVar[str] = "assay"
    retry: ClassVar[bool] = False

    def __init__(self, what: str, todo: str = "", *, code: str | None = None) -> None:
        self.what = _one_line(what)
        self.todo = _one_line(todo)
        if code is not None:
            # An instance may carry a finer code than its class; the class attribute is the default.
            vars(self)["code"] = code
        super().__init__(self.what, self.todo)

    def __str__(self) -> str:
        """Return the message as one line: what happened, then what to do."""
        what = self.what if not self.todo or self.what.endswith((".", "!", "?")) else f"{self.what}."
        return f"{what} {self.todo}".strip()

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the code across process boundaries."""
        return _rebuild, (type(self), self.what, self.todo, self.code)


class StorageError(AssayError):
    """A file or folder could not be read or written."""

    code = "io"


class DiskFull(StorageError):
    """No space was left; nothing was written."""

    code = "io/disk-full"
    retry = True


class ReadOnly(StorageError):
    """The place may not be written to, or the file may not be read."""

    code = "io/read-only"


class NotFound(StorageError):
    """There is no such file or folder."""

    code = "io/not-found"


class WrongKindOfFile(StorageError):
    """A folder stands where a file is expected, or a file where a folder is."""

    code = "io/wrong-kind"


class Unreadable(StorageError):
    """A file is there but does not hold what it should."""

    code = "io/unreadable"


class KeyInPlace(StorageError):
    """A proving key stands where something else should be written; it cannot be made again, so it stays."""

    code = "io/proving-key"


class ArtefactError(AssayError):
    """An artefact of Assay's own is not what it says it is."""

    code = "artefact"


class ArtefactDamaged(ArtefactError):
    """The content does not match the header: truncated, altered, or of another kind."""

    code = "artefact/damaged"


class ArtefactVersion(ArtefactError):
    """The artefact has a format version that this release does not read."""

    code = "artefact/version"


class MissingLibrary(AssayError):
    """An optional library is needed and not installed."""

    code = "install/missing-library"


class WrongType(AssayError, TypeError):
    """An argument is of another kind than the one it has to be, as where two were swapped."""

    code = "argument/type"


class WorkersFailed(AssayError):
    """A worker process ended by itself, or the cluster cannot be reached."""

    code = "workers/failed"
    retry = True


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _rebuild(kind: type[AssayError], what: str, todo: str, code: str) -> AssayError:
    error = kind.__new__(kind)
    AssayError.__init__(error, what, todo, code=code)
    return error
