"""Events: append-only, each bound to the one before it. Aliases, alarms and freezes are folds over them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import exc, select

from assay.core.hashing import digest
from assay.record.errors import DatabaseDamaged, RecordError
from assay.record.schema import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import Connection, Row

    from assay.record.database import Database

FIRST = "0" * 64
_TRIES = 20


@dataclass(frozen=True)
class Event:
    """Something that happened, as it stays.

    Attributes
    ----------
    kind, subject
        What happened to what: "alias.moved", "fee@2".
    who
        An account, an API key's id, or a loop's name.
    what
        JSON values that a fold reads.
    why
        The reason, in words.
    evidence
        Digests and references that show it.
    chain, block
        Where and when on a chain, if there.
    project, time, number
        Set when it is appended.
    """

    kind: str
    subject: str
    who: str
    what: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)
    chain: str | None = None
    block: int | None = None
    project: str = ""
    time: float = 0.0
    number: int = 0
    before: str = FIRST

    def digest(self) -> str:
        """SHA-256 of all of it but its number, which only orders the table."""
        content = {key: value for key, value in asdict(self).items() if key != "number"}
        return digest(json.dumps(content, sort_keys=True, allow_nan=False).encode())


def append(database: Database, project: str, happened: Event) -> Event:
    """Add an event in a transaction of its own; returns it with its number, time and predecessor."""
    for _ in range(_TRIES):
        try:
            with database.begin() as connection:
                return append_in(database, connection, project, happened)
        except exc.IntegrityError:  # another process appended first: follow that one
            continue
    raise RecordError("other processes write events faster than this one can follow", "Try again.")


def append_once(database: Database, project: str, happened: Event) -> bool:
    """Add an event unless one of the same kind, subject, chain, block and evidence is there; whether it was added.

    For what others can see, too, such as a contract's logs: whoever looks first writes it down.
    """
    same = (
        (events.c.project == project)
        & (events.c.kind == happened.kind)
        & (events.c.subject == happened.subject)
        & (events.c.chain == happened.chain)
        & (events.c.block == happened.block)
    )

    def is_new(connection: Connection) -> bool:
        there = connection.execute(select(events.c.evidence).where(same)).scalars()
        return all(one != happened.evidence for one in there)

    return append_if(database, project, happened, is_new) is not None


def append_if(database: Database, project: str, happened: Event, wanted: Callable[[Connection], bool]) -> Event | None:
    """Add an event if what is there wants it; None if not. Nobody else's event comes between the look and the event."""
    for _ in range(_TRIES):
        try:
            with database.begin() as connection:
                # The last event is found before the look: one that is appended during it makes this one fail.
                last = _last(connection, project)
                return _follow(database, connection, project, happened, last) if wanted(connection) else None
        except exc.IntegrityError:
            continue
    raise RecordError("other processes write events faster than this one can follow", "Try again.")


def append_in(database: Database, connection: Connection, project: str, happened: Event) -> Event:
    """Add an event within a transaction; raises `IntegrityError` if another process appended meanwhile."""
    return _follow(database, connection, project, happened, _last(connection, project))


def _last(connection: Connection, project: str) -> str:
    asked = select(events.c.digest).where(events.c.project == project).order_by(events.c.number.desc()).limit(1)
    return connection.execute(asked).scalar() or FIRST


def _follow(database: Database, connection: Connection, project: str, happened: Event, last: str) -> Event:
    content = asdict(happened) | {"project": project, "time": database.now(connection), "before": last}
    kept = Event(**content)
    values = {key: value for key, value in content.items() if key != "number"} | {"digest": kept.digest()}
    number = connection.execute(events.insert().values(**values)).inserted_primary_key
    return Event(**(content | {"number": int(number[0]) if number else 0}))


def read(
    database: Database,
    project: str,
    kinds: Iterable[str] = (),
    *,
    after: int = 0,
    until: float | None = None,
    subject: str | None = None,
) -> list[Event]:
    """Events of a project in their order: of these kinds, after a number, up to a time, about a subject."""
    with database.read() as connection:
        return read_in(connection, project, kinds, after=after, until=until, subject=subject)


def read_in(
    connection: Connection,
    project: str,
    kinds: Iterable[str] = (),
    *,
    after: int = 0,
    until: float | None = None,
    subject: str | None = None,
) -> list[Event]:
    """The same within a transaction."""
    asked = select(events).where(events.c.project == project, events.c.number > after).order_by(events.c.number)
    if wanted := list(kinds):
        asked = asked.where(events.c.kind.in_(wanted))
    if until is not None:
        asked = asked.where(events.c.time <= until)
    if subject is not None:
        asked = asked.where(events.c.subject == subject)
    return [_event(row) for row in connection.execute(asked)]


def verify(database: Database, project: str) -> int:
    """Check that no event of the project was changed, removed or put in between; returns how many there are.

    Raises
    ------
    DatabaseDamaged
        Names the first event that does not follow from the one before it. A chain of digests can be made anew by
        whoever may write the whole database: its last digest on a chain is what binds the operator.
    """
    before, count = FIRST, 0
    with database.read() as connection:
        for row in connection.execute(select(events).where(events.c.project == project).order_by(events.c.number)):
            if row.before != before or _event(row).digest() != row.digest:
                raise DatabaseDamaged(
                    f"event {row.number} of {project} does not follow from the one before it",
                    "The history was altered: restore a backup, and compare with the digest on chain.",
                )
            before, count = row.digest, count + 1
    return count


def _event(row: Row[Any]) -> Event:
    content = {key: value for key, value in row._asdict().items() if key != "digest"}
    return Event(**content)
