"""Check a verifying key: are its public parts the protocol's, and whose secret are they under?

A proof shows nothing under a key whose public commitments are not the protocol's; the key's proof of itself settles
that, without its reference string (docs/spec/security.md, section 3). The stamp "ceremony" is only its maker's word
until the key's `[tau]_2` is one that Assay knows, or that of a string which was imported here: a key whose stamp
nothing confirms is refused (`require`) unless its user says "unchecked". The stamp "development" needs no
confirmation: nobody should rely on such a key outside tests.

Where the string is at hand the public parts are computed again too. That takes a fraction of a second and has one
verdict for a key, so a passed one is kept in the cache folder, and later calls only look it up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.core.errors import AssayError, StorageError
from assay.core.hashing import digest
from assay.prove import srs as references
from assay.prove.errors import CircuitRefused, KeyForged, KeyNeedsCircuit, KeyRefused, KeyUnchecked
from assay.prove.native import native
from assay.prove.origin import ceremony_of, origin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from assay.prove.srs import Srs

SCHEMA = "assay-key-check/1"
"""Of a kept verdict. It counts up when the check learns to refuse more, so that old verdicts are forgotten."""

NOT_CHECKED = "KEY NOT CHECKED"

_WIRING = (
    "The key was not checked: which network its commitments are of stands in no key; whoever relies on it must compare "
    "them with the public part of the circuit (docs/spec/networks.md, section 8)."
)

_TAU = 128
"""A key's bytes end with the secret in G2, four words."""


@dataclass(frozen=True)
class KeyCheck:
    """What is known of a key that was not refused.

    Attributes
    ----------
    checked
        Whether its public parts are the protocol's and nothing of its stamp is its maker's word alone.
    srs
        Digest of the reference string that its public parts and its stamp agree with; None if none is at hand.
    note
        One sentence for people: what was checked, and what was not.
    """

    checked: bool
    srs: str | None
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return {"checked": self.checked, "srs": self.srs, "note": self.note}


def check_key(content: bytes, pinned: Mapping[str, Any] | None = None, circuit: str | None = None) -> KeyCheck:
    """Compare a verifying key with the reference strings in the cache.

    Parameters
    ----------
    content
        The key's bytes.
    pinned
        What stands beside the key of its reference string: "digest", "degree" and "kind". It is its maker's word.
    circuit
        Of a network: its `circuit.json`, of which the weights may be left out. A key does not hold the wiring that
        its commitments are of, so without circuit and string nothing is checked.

    Returns
    -------
    What was checked. A stamp that nothing confirms is no error here, but to `require`.

    Raises
    ------
    KeyForged
        The key does not prove that its public parts are the protocol's, the stamp is not what the reference string
        says, or `pinned` is not what the key says.
    KeyRefused
        The bytes are not a verifying key.
    """
    with native(content) as core:
        stamp = str(core.vk_info(content)["srs_kind"])
    needs_circuit = _itself(content)
    if needs_circuit and circuit is None:
        return KeyCheck(checked=False, srs=None, note=_WIRING)
    if pinned is not None and pinned["kind"] != stamp:
        beside = f"{pinned['kind']}"[:20]
        raise KeyForged(f"the verifying key is stamped {stamp}, and what stands beside it says {beside}.")
    problem, vouched = "", False
    for srs in strings_of(content, pinned["digest"] if pinned is not None else None):
        try:
            vouched = _same_secret(references.whole(srs), content, stamp) or vouched
            _compare(content, srs, circuit if needs_circuit else None)
        except KeyRefused:
            raise
        except CircuitRefused as error:
            raise KeyForged(f"what is said to be the verifying key's circuit is none: {error.what}") from error
        except AssayError as error:
            # Too small or damaged: says nothing of the key.
            problem = error.what
        else:
            source = f" ({origin(srs.path)})" if stamp == "ceremony" else ""
            note = f"The key agrees with the {stamp} reference string {srs.digest[:18]}{source}."
            return KeyCheck(checked=True, srs=srs.digest, note=note)
    if needs_circuit:
        absent = problem.rstrip(".") or f"its {stamp} reference string is not in {references.cache_folder()}"
        return KeyCheck(checked=False, srs=None, note=f"The key's wiring was not compared with its circuit: {absent}.")
    return _without_string(content, stamp, vouched=vouched, problem=problem)


def _itself(content: bytes) -> bool:
    """Check the key's proof that its public parts are the protocol's, which needs no string; whether it has none."""
    try:
        with native(content) as core:
            core.check_key_itself(content)
    except KeyNeedsCircuit:
        return True
    return False


def require(check: KeyCheck, *, unchecked: bool) -> None:
    """Raise `KeyUnchecked` if the key was not checked, and its user did not say that this is known."""
    if not (check.checked or unchecked):
        raise KeyUnchecked(check.note)


def _without_string(content: bytes, stamp: str, *, vouched: bool, problem: str) -> KeyCheck:
    """What is known where the public parts cannot be computed again: the key has proven them itself."""
    absent = problem.rstrip(".") or f"its {stamp} reference string is not in {references.cache_folder()}"
    proven = f"The key's public parts are the protocol's, by its own proof ({absent})"
    tau = content[-_TAU:]
    name = ceremony_of(tau)
    if stamp == "development":
        known = f"{proven}; whoever made that string can forge proofs."
    elif name is not None:
        known = f"{proven}; its [tau]_2 is that of {name}."
    elif vouched:
        known = f"{proven}; its [tau]_2 is that of a string that was imported here."
    else:
        doubt = (
            f"{NOT_CHECKED}: it says that it is of a ceremony, and its [tau]_2 (0x{tau.hex()[:16]}...) is of no "
            "ceremony that Assay knows and of no string that was imported here; whoever knows its secret can forge."
        )
        return KeyCheck(checked=False, srs=None, note=doubt)
    return KeyCheck(checked=True, srs=None, note=known)


def strings_of(content: bytes, named: str | None) -> list[Srs]:
    """The strings that can tell: the one that is named beside the key, then all that have the key's secret."""
    tau = content[-_TAU:]
    found = [srs for srs in references.available() if srs.digest == named or references.tau(srs) == tau]
    return sorted(found, key=lambda srs: srs.digest != named)


def _same_secret(srs: Srs, content: bytes, stamp: str) -> bool:
    """Whether the string, which is whole, has the key's secret; raises `KeyForged` if it is of another kind."""
    if references.tau(srs) != content[-_TAU:]:
        return False
    if srs.kind != stamp:
        raise KeyForged(f"the verifying key is stamped {stamp}, and its [tau]_2 is that of a {srs.kind} string.")
    return True


def _compare(content: bytes, srs: Srs, circuit: str | None) -> None:
    judged = {"schema": SCHEMA, "key": digest(content), "srs": srs.digest}
    verdict = json.dumps(judged | ({} if circuit is None else {"circuit": digest(circuit.encode())}))
    place = _folder() / f"{digest(verdict.encode())}.json"
    if _kept(place) == verdict:
        return
    with native(content) as core:
        if circuit is None:
            core.check_key(content, str(srs.path))
        else:
            core.check_key(content, str(srs.path), circuit)
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
