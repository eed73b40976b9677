"""The verifying key of a release, read from its public part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.core import files
from assay.prove.keys import VERIFYING_KEY_FILE, VerifyingKey
from assay.record import artefacts

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.releases import Release


def verifying_key(database: Database, release: Release) -> VerifyingKey:
    """Read it; raises `ArtefactAbsent` if it is not held here, and what `VerifyingKey.load` raises."""
    return verifying_key_of(artefacts.get(database, release.public["parts"][VERIFYING_KEY_FILE]["digest"]))


def verifying_key_of(content: bytes) -> VerifyingKey:
    """Read a key's file from its bytes; raises what `VerifyingKey.load` raises."""
    with files.scratch() as place:
        files.write(place / VERIFYING_KEY_FILE, content)
        return VerifyingKey.load(place)
