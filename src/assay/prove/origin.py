"""Where a reference string is from, as far as its `[tau]_2` says.

A string's secret in G2 names it: every cut of one ceremony's string has the same, and no other string has. Assay knows
those of which it holds the bytes, taken from a file of the ceremony and published by others too; all other strings are
of unknown origin, and whoever imports one vouches for it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.prove.errors import SrsUnexpected
from assay.prove.native import native

if TYPE_CHECKING:
    from pathlib import Path

UNKNOWN = "unknown origin: you vouch for it"
_DIGITS = 256


@dataclass(frozen=True)
class Origin:
    """What a string's header says of where it is from.

    Attributes
    ----------
    kind
        "development" or "ceremony": made here, or imported.
    tau_g2
        `[tau]_2`: 256 hexadecimal digits, imaginary parts first, as Ethereum's pairing reads it.
    ceremony
        The ceremony's name, None for a development string and for one that is not known.
    squares
        How many of the powers `[tau^2]_2`, `[tau^4]_2`, ... the string has.
    """

    kind: str
    tau_g2: str
    ceremony: str | None
    squares: int

    def __str__(self) -> str:
        """Return the name of the ceremony, or what is to be said in its place."""
        if self.kind == "development":
            return "made on one machine, for development"
        return self.ceremony or UNKNOWN

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, for JSON."""
        return {"tau_g2": self.tau_g2, "ceremony": self.ceremony, "origin": str(self), "squares": self.squares}


def origin(path: Path) -> Origin:
    """Return what the header of the string at `path` says; raises `SrsInvalid`."""
    with native() as core:
        info = core.srs_info(str(path))
    return Origin(info["kind"], info["tau_g2"], info["ceremony"], info["squares"])


def ceremony_of(tau: bytes) -> str | None:
    """Return the name of the ceremony with this `[tau]_2`, 128 bytes; None if it is not known."""
    with native() as core:
        known = {ceremony["tau_g2"]: ceremony["name"] for ceremony in core.ceremonies()}
    return known.get(tau.hex())


def tau_of(text: str) -> str:
    """Return the `[tau]_2` that a ceremony's name, or 256 hexadecimal digits, mean.

    Raises
    ------
    SrsUnexpected
        The text means none.
    """
    with native() as core:
        known: dict[str, str] = {ceremony["name"]: ceremony["tau_g2"] for ceremony in core.ceremonies()}
    if text in known:
        return known[text]
    digits = re.sub(r"0x|[\s,_]", "", text.lower())
    if not re.fullmatch(f"[0-9a-f]{{{_DIGITS}}}", digits):
        raise SrsUnexpected(
            f"{text:.40} is neither a ceremony that is known ({', '.join(known)}) nor a [tau]_2 of {_DIGITS} "
            "hexadecimal digits."
        )
    return digits
