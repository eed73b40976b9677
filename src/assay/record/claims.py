"""Who works on which answer: claimed by one holder for a while, held longer, and free again when that one is gone.

Each loop claims, takes one step and commits the new state (`answers.commit`), which the claim's `fence` guards.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select, update

from assay.record.answers import LOST, Answer
from assay.record.errors import LeaseLost
from assay.record.holder import LONGEST_LEASE, is_gone
from assay.record.schema import answers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection, Row

    from assay.record.database import Database
    from assay.record.states import AnswerState


def claim(
    database: Database,
    states: Iterable[AnswerState],
    holder: str,
    seconds: float,
    *,
    project: str | None = None,
    chain: str | None = None,
    arm: str | None = None,
    limit: int = 1,
) -> list[Answer]:
    """Take over up to `limit` answers in these states that are due and that nobody holds; oldest first.

    The answer's `fence` grows with each claim: `commit` with an older one is refused, so that a holder that slept
    through its lease changes nothing.

    Parameters
    ----------
    chain
        Only answers that are to be settled on it.
    arm
        Only answers of this arm.
    """
    with database.begin() as connection:
        now = database.now(connection)
        asked = (
            select(answers)
            .where(
                answers.c.state.in_(list(states)),
                *_free(now),
            )
            .order_by(answers.c.due, answers.c.created)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if project is not None:
            asked = asked.where(answers.c.project == project)
        if chain is not None:
            asked = asked.where(answers.c.chain == chain, answers.c.settle)
        if arm is not None:
            asked = asked.where(answers.c.arm == arm)
        return [_taken(connection, row, holder, now + seconds) for row in connection.execute(asked).all()]


def claim_beside(
    database: Database, first: Answer, holder: str, seconds: float, *, rows: int, most_rows: int
) -> list[Answer]:
    """Take over others that may be answered together with one that is held, as long as all have at most so many rows.

    Those that are held have `rows` of them. Others wait in its state, are of its owner, release and context, settle
    nothing, ask for it (`evidence["join"]`), and are none that a holder has left.
    """
    with database.begin() as connection:
        now = database.now(connection)
        asked = (
            select(answers)
            .where(
                answers.c.state == first.state,
                answers.c.owner == first.owner,
                answers.c.release == first.release,
                answers.c.context == first.context,
                answers.c.settle.is_(False),
                answers.c.lease.is_(None),
                answers.c.evidence["join"].as_boolean().is_(True),
                *_free(now),
            )
            .order_by(answers.c.due, answers.c.created)
            .limit(most_rows - rows)
            .with_for_update(skip_locked=True)
        )
        taken = []
        for row in connection.execute(asked).all():
            if rows + len(row.row) > most_rows:
                break
            rows += len(row.row)
            taken.append(_taken(connection, row, holder, now + seconds))
        return taken


def _free(now: float) -> tuple[ColumnElement[bool], ...]:
    """Those that are due and that nobody holds, also where the clock was set back since: nothing waits for it then."""
    early = answers.c.created > now
    due = or_(answers.c.due <= now, answers.c.due <= answers.c.created, early)
    until = answers.c.lease_until
    return due, or_(until.is_(None), until < now, until > now + LONGEST_LEASE)


def _taken(connection: Connection, row: Row[Any], holder: str, until: float) -> Answer:
    held: dict[str, Any] = {"lease": holder, "lease_until": until, "fence": row.fence + 1, "attempts": row.attempts + 1}
    if row.lease is not None:
        lost = row.evidence.get(LOST, {})
        held["evidence"] = row.evidence | {LOST: lost | {row.state: lost.get(row.state, 0) + 1}}
    connection.execute(update(answers).where(answers.c.id == row.id).values(**held))
    return Answer(**(row._asdict() | held))


def renew(database: Database, held: Answer, seconds: float) -> None:
    """Hold an answer longer; raises `LeaseLost`."""
    with database.begin() as connection:
        until = database.now(connection) + seconds
        where = and_(answers.c.id == held.id, answers.c.fence == held.fence)
        if connection.execute(update(answers).where(where).values(lease_until=until)).rowcount != 1:
            raise LeaseLost(
                f"the answer {held.id} was taken over by another process", "Its result counts, not this one."
            )


def any_due(
    database: Database,
    states: Iterable[AnswerState],
    chain: str | None = None,
    arm: str | None = None,
    project: str | None = None,
) -> bool:
    """Whether `claim` would find anything, without holding anybody up."""
    with database.read() as connection:
        now = database.now(connection)
        asked = select(answers.c.id).where(
            answers.c.state.in_(list(states)),
            *_free(now),
        )
        if chain is not None:
            asked = asked.where(answers.c.chain == chain, answers.c.settle)
        if arm is not None:
            asked = asked.where(answers.c.arm == arm)
        if project is not None:
            asked = asked.where(answers.c.project == project)
        return connection.execute(asked.limit(1)).first() is not None


def free_gone(database: Database) -> int:
    """End the leases of processes of this machine that run no more, so that nobody waits for them; how many."""
    with database.read() as connection:
        now = database.now(connection)
        held = select(answers.c.lease).where(answers.c.lease_until >= now).distinct()
        gone = [name for name in connection.execute(held).scalars() if is_gone(name)]
    if not gone:
        return 0
    with database.begin() as connection:
        where = and_(answers.c.lease.in_(gone), answers.c.lease_until >= now)
        return connection.execute(update(answers).where(where).values(lease_until=0.0)).rowcount


@dataclass(frozen=True)
class Left:
    """Answers that are due and that nobody holds.

    Attributes
    ----------
    count
        How many.
    seconds
        How long the oldest is due.
    held
        Whether somebody holds others.
    """

    count: int
    seconds: float
    held: bool


def left(database: Database, state: AnswerState) -> Left:
    """What nobody does in a state; a holder of this machine that runs no more holds nothing."""
    own = answers.c.state == state
    with database.read() as connection:
        now = database.now(connection)
        free = select(func.count(), func.min(answers.c.due)).where(own, *_free(now))
        count, due = connection.execute(free).one()
        until = answers.c.lease_until
        holders = select(answers.c.lease).where(own, until >= now, until <= now + LONGEST_LEASE).distinct()
        names = list(connection.execute(holders).scalars())
    return Left(count, max(0.0, now - due) if count else 0.0, any(not is_gone(name) for name in names))
