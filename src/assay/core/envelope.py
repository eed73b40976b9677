"""The envelope of binary artefacts: one line of JSON that says what follows, then the bytes.

::

    {"artefact": "assay-verifying-key", "version": 1, "sha256": "...", "bytes": 1234, "about": {...}}
    <1234 bytes>

`head -1 FILE` shows a person what a file is. The digest is over `about` and the bytes. It finds damage,
not malice: whoever can alter the bytes can alter the digest too. What must not be forged is inside the
bytes, which the native core checks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.core import files, jsontext
from assay.core.errors import ArtefactDamaged, ArtefactVersion
from assay.core.hashing import digest

if TYPE_CHECKING:
    from pathlib import Path

_LONGEST_HEADER = 1 << 20


@dataclass(frozen=True)
class Envelope:
    """Content of one kind, with what is said about it.

    Attributes
    ----------
    kind
        For example ``"verifying-key"``.
    content
        The bytes themselves.
    about
        JSON-compatible facts beside the content.
    """

    kind: str
    content: bytes
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """SHA-256 of the facts and the content: the artefact's address."""
        return digest(_json(self.about) + b"\n" + self.content)


def encode(envelope: Envelope, *, version: int) -> bytes:
    """Return the envelope as bytes."""
    header = {
        "artefact": f"assay-{envelope.kind}",
        "version": version,
        "sha256": envelope.digest,
        "bytes": len(envelope.content),
        "about": envelope.about,
    }
    return _json(header) + b"\n" + envelope.content


AGAIN = "Make it again."


def decode(data: bytes, *, kind: str, version: int, name: str = "the data", todo: str = AGAIN) -> Envelope:
    """Return the envelope in `data`; `todo` is what to do about one that is damaged.

    Raises
    ------
    ArtefactDamaged
        If the data is not an envelope of this kind, or its content was truncated or altered.
    ArtefactVersion
        If its format version is not `version`.
    """
    header, content = _split(data, kind, name)
    if header.get("artefact") != f"assay-{kind}":
        raise ArtefactDamaged(f"{name} is not a {_spoken(kind)}", "Check the path.")
    if header.get("version") != version:
        raise ArtefactVersion(
            f"{name} is a {_spoken(kind)} of format version {header.get('version')!r:.20}, and {version} is read here",
            "Use a release of Assay that reads it.",
        )
    about = header.get("about")
    envelope = Envelope(kind, content, about if isinstance(about, dict) else {})
    if header.get("bytes") != len(content) or header.get("sha256") != envelope.digest:
        raise ArtefactDamaged(f"{name} is damaged: its content does not match its header", todo)
    return envelope


def save(envelope: Envelope, path: Path, *, version: int, secret: bool = False) -> None:
    """Write the envelope to `path`, whole or not at all; a secret one only its user may read."""
    files.write(path, encode(envelope, version=version), secret=secret)


def load(path: Path, *, kind: str, version: int, todo: str = AGAIN) -> Envelope:
    """Read an envelope from `path`; raises as `decode` and `files.read` do."""
    return decode(files.read(path), kind=kind, version=version, name=str(path), todo=todo)


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()


def _split(data: bytes, kind: str, name: str) -> tuple[dict[str, Any], bytes]:
    end = data.find(b"\n", 0, _LONGEST_HEADER)
    try:
        header = jsontext.parse(data[: max(end, 0)])
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise ArtefactDamaged(f"{name} is not a {_spoken(kind)}", "Check the path.")
    return header, data[end + 1 :]


def _spoken(kind: str) -> str:
    return kind.replace("-", " ")
