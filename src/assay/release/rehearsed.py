"""Whether a release passed a rehearsal, and where its report is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.record import journal

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.journal import Event
    from assay.record.releases import Release

REHEARSED = "release.rehearsed"


def rehearsals(database: Database, release: Release) -> list[Event]:
    """Every rehearsal of a release, oldest first; `what` says whether it passed, `evidence` holds its report."""
    found = journal.read(database, release.project, [REHEARSED], subject=release.name)
    return [one for one in found if one.what["digest"] == release.digest]


def passed(database: Database, release: Release) -> Event | None:
    """The last rehearsal, if the release passed it."""
    found = rehearsals(database, release)
    return found[-1] if found and found[-1].what["passed"] else None
