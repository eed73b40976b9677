"""Messages that an output did not take: each waits by itself until it is due, and what comes after goes on.

Only messages about the same answer wait for one another, in the order in which they happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from assay.record.changes import Change, Reached, reach_in
from assay.record.schema import changes, deliveries, outputs

if TYPE_CHECKING:
    from assay.record.database import Database

_Said = dict[str, str]


@dataclass(frozen=True)
class Waiting:
    """A message that waits: how often it was told in vain, and why the last time."""

    change: Change
    attempts: int
    error: _Said | None
    due: float


def put_aside(
    database: Database, name: str, target: str, change: Change, *, attempts: int, error: _Said | None, due: float
) -> None:
    """Let a message wait, and the output go on after it."""
    with database.begin() as connection:
        reach_in(connection, name, target, Reached(change.place))
        values = {"output": name, "change": change.place[1], "attempts": attempts, "error": error, "due": due}
        connection.execute(deliveries.insert().values(**values))


def next_due(database: Database, name: str, target: str, now: float) -> Waiting | None:
    """The message that has been due longest, none of the same answer being before it; None if there is none."""
    other, earlier = deliveries.alias(), changes.alias()
    before = (
        select(other.c.change)
        .join(earlier, earlier.c.number == other.c.change)
        .where(other.c.output == name, earlier.c.answer == changes.c.answer, other.c.change < deliveries.c.change)
    )
    asked = (
        select(deliveries, changes.c.turn, changes.c.answer, changes.c.state, changes.c.time)
        .join(changes, changes.c.number == deliveries.c.change)
        .join(outputs, outputs.c.name == deliveries.c.output)
        .where(deliveries.c.output == name, outputs.c.target == target, deliveries.c.due <= now, ~before.exists())
        .order_by(deliveries.c.due, deliveries.c.change)
        .limit(1)
    )
    with database.read() as connection:
        row = connection.execute(asked).first()
    if row is None:
        return None
    change = Change((row.turn, row.change), row.answer, row.state, row.time)
    return Waiting(change, row.attempts, row.error, row.due)


def waits(database: Database, name: str, target: str, answer: str) -> bool:
    """Whether a message about an answer waits."""
    asked = (
        select(deliveries.c.change)
        .join(changes, changes.c.number == deliveries.c.change)
        .join(outputs, outputs.c.name == deliveries.c.output)
        .where(deliveries.c.output == name, outputs.c.target == target, changes.c.answer == answer)
    )
    with database.read() as connection:
        return connection.execute(asked.limit(1)).first() is not None


def again(database: Database, name: str, one: Waiting, error: _Said, due: float) -> None:
    """It was told in vain once more."""
    with database.begin() as connection:
        where = (deliveries.c.output == name) & (deliveries.c.change == one.change.place[1])
        connection.execute(update(deliveries).where(where).values(attempts=one.attempts + 1, error=error, due=due))


def done(database: Database, name: str, one: Waiting) -> None:
    """It was taken, or is given up."""
    with database.begin() as connection:
        where = (deliveries.c.output == name) & (deliveries.c.change == one.change.place[1])
        connection.execute(delete(deliveries).where(where))


def stand(database: Database, name: str, target: str) -> tuple[int, Waiting | None]:
    """How many messages wait, and the one that was told in vain most often."""
    there = (deliveries.c.output == name) & (outputs.c.target == target)
    joined = deliveries.join(outputs, outputs.c.name == deliveries.c.output)
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(joined).where(there)).scalar_one()
        asked = (
            select(deliveries, changes.c.turn, changes.c.answer, changes.c.state, changes.c.time)
            .select_from(joined.join(changes, changes.c.number == deliveries.c.change))
            .where(there)
            .order_by(deliveries.c.attempts.desc(), deliveries.c.change)
        )
        row = connection.execute(asked.limit(1)).first()
    if row is None:
        return 0, None
    change = Change((row.turn, row.change), row.answer, row.state, row.time)
    return int(count), Waiting(change, row.attempts, row.error, row.due)
