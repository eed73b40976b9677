"""Rows are forgotten: after the time that was agreed, or when somebody says so. Answers and digests stay."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.record import answers, journal, leases, releases
from assay.record.answers import Forgotten
from assay.record.holder import me
from assay.record.journal import Event
from assay.release.key import verifying_key

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from assay.record.database import Database

FORGOTTEN = "rows.forgotten"
_LEASE = "forgetting"
_HOUR = 3600.0
_EVERY = 600.0


def forget(
    database: Database,
    *,
    who: str,
    why: str,
    ids: Collection[str] = (),
    owner: str | None = None,
    before: float | None = None,
    of: str | None = None,
) -> Forgotten:
    """Delete rows, and proofs that show them, of answers that have ended; each project's history says how many.

    Parameters
    ----------
    ids, owner, before
        See `assay.record.answers.forget`.
    of
        The project whose answers they are; None for all.

    Raises
    ------
    DatabaseBusy
        It is done, and SQLite's log still has them: see `Database.scrub`.
    """
    every = releases.find(database)
    hides = {one.digest for one in every if _hides(database, one)}
    total = Forgotten()
    for project in sorted({one.project for one in every} if of is None else {of}):
        found = answers.forget(database, hides=hides, project=project, ids=ids, owner=owner, before=before)
        if found.rows:
            what = {"rows": found.rows, "proofs": found.proofs, "sent": found.sent, "ids": sorted(ids)}
            what |= {"owner": owner, "before": before}
            journal.append(database, project, Event(FORGOTTEN, project, who, what, why))
        total += found
    database.scrub()  # also after one that was interrupted
    return total


def _hides(database: Database, release: releases.Release) -> bool:
    try:
        return bool(verifying_key(database, release).info["inputs"] == "private")
    except AssayError:  # what cannot be read shows its rows, for all that is known
        return False


def keep_to(
    database: Database, project: str, seconds: int, stopped: Callable[[], bool], told: Callable[[str], None]
) -> None:
    """Forget what is older than a project's `[serve] keep_rows`, every ten minutes, in one process of all.

    Another project of the same database keeps its rows as long as its own task says.
    """
    due = 0.0
    while not stopped():
        if time.monotonic() >= due:
            due = time.monotonic() + _EVERY
            try:
                if leases.take(database, f"{_LEASE}:{project}", me(), _HOUR) is not None:
                    with database.read() as connection:
                        before = database.now(connection) - seconds
                    forget(database, who="the service", why="[serve] keep_rows", before=before, of=project)
            except AssayError as error:
                told(f"rows that are to be forgotten are not: [{error.code}] {error}")
        time.sleep(0.05)
