"""Check a verifying key: are its public parts and its stamp what a reference string here says?

A proof shows nothing under a key whose public commitments are not the protocol's, and the stamp "ceremony" is only
its maker's word until the key's secret is compared with that of a string that one imported oneself
(docs/spec/security.md, section 3). The check needs that string, takes a fraction of a second and has one verdict for
a key, so a passed one is kept in the cache folder, and later calls only look it up. Where the string is not at hand
nothing is refused: the result says what was not checked.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.core.errors import AssayError, StorageError
from assay.core.hashing import digest
from assay.prove import srs as references
from assay.prove.errors import KeyForged, KeyRefused
from assay.prove.native import native
from assay.prove.origin import origin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assay.prove.srs import Srs

SCHEMA = "assay-key-check/1"
"""Of a kept verdict. It counts up when the check learns to refuse more, so that old verdicts are forgotten."""

_TAU = 128
"""A key's bytes end with the secret in G2, four words."""


@dataclass(frozen=True)
class KeyCheck:
    """What is known of a key that was not refused.

    Attributes
    ----------
    srs
        Digest of the reference string that its public parts and its stamp agree with; None if none could tell.
    note
        One sentence for people: what was checked, or why nothing was and what would help.
    """

    srs: str | None
    note: str

    @property
    def checked(self) -> bool:
        """Whether the key was compared with a reference string."""
        return self.srs is not None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return {"checked": self.checked, "srs": self.srs, "note": self.note}


def check_key(content: bytes, pinned: Mapping[str, Any] | None = None) -> KeyCheck:
    """Compare a verifying key with the reference strings in the cache.

    Parameters
    ----------
    content
        The key's bytes.
    pinned
        What stands beside the key of its reference string: "digest", "degree" and "kind". It is its maker's word.

    Returns
    -------
    What was checked. Without the key's reference string nothing is, and that is no error.

    Raises
    ------
    KeyForged
        The public parts or the stamp are not what the reference string says, or `pinned` is not what the key says.
    KeyRefused
        The bytes are not a verifying key.
    """
    with native(content) as core:
        stamp = str(core.vk_info(content)["srs_kind"])
        # Needs no string, so it holds for every key: the public parts are the protocol's, under the key's own secret.
        core.check_key_itself(content)
    if pinned is not None and pinned["kind"] != stamp:
        beside = f"{pinned['kind']}"[:20]
        raise KeyForged(f"the verifying key is stamped {stamp}, and what stands beside it says {beside}.")
    problem = ""
    for srs in _strings(content, pinned["digest"] if pinned is not None else None):
        try:
            _compare(content, srs)
        except KeyRefused:
            raise
        except AssayError as error:
            # Too small or damaged: says nothing of the key.
            problem = error.what
        else:
            source = f" ({origin(srs.path)})" if stamp == "ceremony" else ""
            note = f"The key agrees with the {stamp} reference string {srs.digest[:18]}{source}."
            return KeyCheck(srs.digest, note)
    return KeyCheck(None, _unchecked(stamp, problem))


def _strings(content: bytes, named: str | None) -> list[Srs]:
    """The strings that can tell: the one that is named beside the key, then all that have the key's secret."""
    tau = content[-_TAU:]
    found = [srs for srs in references.available() if srs.digest == named or references.tau(srs) == tau]
    return sorted(found, key=lambda srs: srs.digest != named)


def _compare(content: bytes, srs: Srs) -> None:
    verdict = json.dumps({"schema": SCHEMA, "key": digest(content), "srs": srs.digest})
    place = _folder() / f"{digest(verdict.encode())}.json"
    if _kept(place) == verdict:
        return
    references.whole(srs)
    with native(content) as core:
        core.check_key(content, str(srs.path))
    try:
        files.write(place, verdict)
    except StorageError:
        # A cache that cannot be written costs time at the next call and nothing else.
        return


def _kept(place: Path) -> str:
    try:
        return place.read_text(encoding="ascii")
    except (OSError, ValueError):
        return ""


def _folder() -> Path:
    return references.cache_folder().parent / "checked-keys"


def _unchecked(stamp: str, problem: str) -> str:
    what = f"The key was not checked: its {stamp} reference string is not in {references.cache_folder()}"
    if problem:
        what = f"The key was not checked: {problem.rstrip('.')}"
    if stamp == "ceremony":
        return f"{what}; `assay srs import FILE` with the ceremony's file changes that."
    return f"{what}; only the machine that made the string, or a copy of its file, can check it."
