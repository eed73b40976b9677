"""Which release decides: a fold over events, so that what decided at any past time or block can be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.record import journal, releases
from assay.record.journal import Event
from assay.release.errors import NoChampion, NoWayBack, ReleaseError

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.releases import Release

CHAMPION = "champion"
MOVED = "alias.moved"


@dataclass(frozen=True)
class Move:
    """An alias moved: from which release (None: the first) to which, who, why, when, and at which block of a chain."""

    alias: str
    before: str | None
    after: str
    back: bool
    event: Event


def moves(database: Database, project: str, alias: str = CHAMPION) -> list[Move]:
    """Every move of an alias, oldest first."""
    return [
        Move(alias, event.what["before"], event.what["after"], event.what["back"], event)
        for event in journal.read(database, project, [MOVED], subject=alias)
    ]


def champion(database: Database, project: str, *, at: float | None = None, chain: str | None = None) -> str | None:
    """Digest of the release that decides, or decided.

    Parameters
    ----------
    at
        None for now; with `chain` a block of it, else seconds since 1970.
    chain
        The chain whose blocks are meant.
    """
    found = None
    for move in moves(database, project):
        if at is not None and _later(move, at, chain):
            break
        found = move.after
    return found


def _later(move: Move, at: float, chain: str | None) -> bool:
    if chain is None:
        return move.event.time > at
    # A move of which no block of this chain is known happened somewhere before the next one of which it is.
    return move.event.chain == chain and move.event.block is not None and move.event.block > at


def promote(
    database: Database,
    release: Release,
    *,
    who: str,
    why: str,
    evidence: dict[str, str] | None = None,
    chain: str | None = None,
    block: int | None = None,
) -> Event:
    """Make a release the one that decides.

    Parameters
    ----------
    who, why
        For the history.
    evidence
        References that show that it may: a rehearsal, a registry's transaction.
    chain, block
        The newest block of the chain that counts, when it was done.

    Raises
    ------
    ReleaseError
        It decides already, or another process moved the alias meanwhile.
    """
    made = moves(database, release.project)
    before = made[-1].after if made else None
    if before == release.digest:
        raise ReleaseError(f"{release.name} decides already", "Nothing needs to be done.")
    what = {"before": before, "after": release.digest, "version": release.version, "back": False}
    happened = Event(MOVED, CHAMPION, who, what, why=why, evidence=evidence or {}, chain=chain, block=block)
    return _move(database, release.project, made, happened)


def back(
    database: Database,
    project: str,
    *,
    who: str,
    why: str,
    chain: str | None = None,
    block: int | None = None,
    seen: list[Move] | None = None,
) -> Release:
    """Go back to the release that decided before this one: with its task, its code, its features and its keys.

    Parameters
    ----------
    seen
        The moves after which this is wanted; by default those that there are.

    Raises
    ------
    NoChampion, NoWayBack
        Nothing decides, or nothing decided before.
    ReleaseError
        Another process moved the alias meanwhile.
    """
    made = moves(database, project) if seen is None else seen
    if not made:
        raise NoChampion(f"no release of {project} decides", "Create one: `assay release create`.")
    stack = _way(made)
    if len(stack) < 2:
        raise NoWayBack(f"no release of {project} decided before the one that decides", "Promote one by its version.")
    release = releases.by_digest(database, stack[-2])
    what = {"before": stack[-1], "after": release.digest, "version": release.version, "back": True}
    _move(database, project, made, Event(MOVED, CHAMPION, who, what, why=why, chain=chain, block=block))
    return release


def follow(
    database: Database,
    release: Release,
    *,
    back: bool,
    who: str,
    why: str,
    evidence: dict[str, str],
    chain: str,
    block: int,
) -> None:
    """Make the alias what a chain's registry says, of which the record is the shadow; nothing if it is so already."""
    made = moves(database, release.project)
    before = made[-1].after if made else None
    if before == release.digest:
        return
    what = {"before": before, "after": release.digest, "version": release.version, "back": back}
    # Whoever follows at the same time saw the same last move, and writes this down once.
    evidence = evidence | {"move": str(made[-1].event.number if made else 0)}
    happened = Event(MOVED, CHAMPION, who, what, why=why, evidence=evidence, chain=chain, block=block)
    journal.append_once(database, release.project, happened)


def _move(database: Database, project: str, made: list[Move], happened: Event) -> Event:
    """Write a move down that follows from those that were seen: two that go back at once go back one release."""
    last = made[-1].event.number if made else 0
    moved = journal.append_if(
        database,
        project,
        happened,
        lambda connection: not journal.read_in(connection, project, [MOVED], after=last, subject=CHAMPION),
    )
    if moved is None:
        raise ReleaseError(
            "another process changed which release decides, just now", "See `assay release list`, and run it again."
        )
    return moved


def _way(made: list[Move]) -> list[str]:
    """The releases that a way back leads over: going back twice goes back two releases, not back and forth."""
    stack: list[str] = []
    for move in made:
        if move.back and move.after in stack:
            while stack[-1] != move.after:
                stack.pop()
        else:
            stack.append(move.after)
    return stack
