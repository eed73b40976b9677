"""What changed of answers, in an order in which nothing comes in between later: outputs and listeners go on by it.

An answer's own record is the truth; a change only says that there is something new to read. On PostgreSQL transactions
that number their changes first may commit last: a change counts as soon as every transaction that began before its own
has ended, and is ordered by those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BigInteger, Text, and_, cast, exc, func, or_, select, update

from assay.record.schema import changes, outputs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement, Connection

    from assay.record.database import Database
    from assay.record.states import AnswerState

Place = tuple[int, int]
START: Place = (0, 0)


@dataclass(frozen=True)
class Change:
    """An answer's new state, or that its row was forgotten; `place` is what a reader goes on after."""

    place: Place
    answer: str
    state: AnswerState | Literal["forgotten"]
    time: float


@dataclass(frozen=True)
class Reached:
    """How far an output is: the last change that is there, and why it does not go on."""

    place: Place = START
    attempts: int = 0
    error: dict[str, str] | None = None
    due: float | None = 0.0


def note_in(connection: Connection, answer: str, owner: str | None, state: str, time: float) -> None:
    """Say within a transaction that an answer changed in it."""
    turn: Any = cast(cast(func.pg_current_xact_id(), Text), BigInteger) if _postgres(connection) else 0
    connection.execute(changes.insert().values(turn=turn, answer=answer, owner=owner, state=state, time=time))


def read(
    database: Database,
    after: Place,
    *,
    owner: str | None = None,
    states: Iterable[AnswerState] = (),
    limit: int = 500,
) -> list[Change]:
    """Changes after a place, in order; of one API key's answers, to some states."""
    asked = select(changes).where(_after(after)).order_by(changes.c.turn, changes.c.number).limit(limit)
    if owner is not None:
        asked = asked.where(changes.c.owner == owner)
    if wanted := list(states):
        asked = asked.where(changes.c.state.in_(wanted))
    with database.read() as connection:
        asked = asked.where(*_settled(connection))
        return [
            Change((row.turn, row.number), row.answer, row.state, row.time) for row in connection.execute(asked).all()
        ]


def last(database: Database) -> Place:
    """The place after everything that is there."""
    with database.read() as connection:
        asked = select(changes.c.turn, changes.c.number).order_by(changes.c.turn.desc(), changes.c.number.desc())
        row = connection.execute(asked.where(*_settled(connection)).limit(1)).first()
    return START if row is None else (row.turn, row.number)


def behind(database: Database, after: Place, states: Iterable[AnswerState] = ()) -> int:
    """How many changes come after a place; to some states."""
    asked = select(func.count()).select_from(changes).where(_after(after))
    if wanted := list(states):
        asked = asked.where(changes.c.state.in_(wanted))
    with database.read() as connection:
        return int(connection.execute(asked).scalar_one())


def reached(database: Database, name: str, target: str) -> Reached:
    """How far an output of this name is; at the beginning if it was never there, or went elsewhere."""
    with database.read() as connection:
        row = connection.execute(select(outputs).where(outputs.c.name == name)).first()
    if row is None or row.target != target:
        return Reached()
    return Reached((row.turn, row.number), row.attempts, row.error, row.due)


def reach(database: Database, name: str, target: str, now: Reached) -> None:
    """Keep how far an output is."""
    values = {"target": target, "turn": now.place[0], "number": now.place[1], "attempts": now.attempts}
    values |= {"error": now.error, "due": now.due}
    with database.begin() as connection:
        if connection.execute(update(outputs).where(outputs.c.name == name).values(**values)).rowcount:
            return
        try:
            with connection.begin_nested():
                connection.execute(outputs.insert().values(name=name, **values))
        except exc.IntegrityError:  # another process kept it first; both gave the same
            return


def _after(place: Place) -> ColumnElement[bool]:
    turn, number = place
    return or_(changes.c.turn > turn, and_(changes.c.turn == turn, changes.c.number > number))


def _settled(connection: Connection) -> list[ColumnElement[bool]]:
    """On PostgreSQL only changes that no transaction which is still under way can come before."""
    if not _postgres(connection):
        return []
    oldest = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
    return [changes.c.turn < oldest]


def _postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
