"""What changed of answers, in an order in which nothing comes in between later: outputs and listeners go on by it.

An answer's own record is the truth; a change only says that there is something new to read. On PostgreSQL transactions
that number their changes first may commit last: a change counts as soon as every transaction that began before its own
has ended, and is ordered by those.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import BigInteger, Text, cast, delete, exc, func, select, tuple_, update

from assay.core.hashing import digest
from assay.record.schema import answers, changes, deliveries, outputs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Column, ColumnElement, Connection, Select

    from assay.record.database import Database
    from assay.record.states import AnswerState

Place = tuple[int, int]
START: Place = (0, 0)
_LONGEST_NAME = 64


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
    project: str = "",
    owner: str | None = None,
    states: Iterable[AnswerState] = (),
    limit: int = 500,
) -> list[Change]:
    """Changes after a place, in order; of one API key's answers, of a project's, to some states."""
    asked = select(changes).where(_after(database, after)).order_by(*_order(database)).limit(limit)
    if owner is not None:
        asked = asked.where(changes.c.owner == owner)
    asked = _of(asked, project)
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


def behind(database: Database, after: Place, states: Iterable[AnswerState] = (), project: str = "") -> int:
    """How many changes come after a place; to some states, of a project's answers."""
    asked = _of(select(func.count()).select_from(changes).where(_after(database, after)), project)
    if wanted := list(states):
        asked = asked.where(changes.c.state.in_(wanted))
    with database.read() as connection:
        return int(connection.execute(asked).scalar_one())


def key_of(name: str, project: str) -> str:
    """What an output of a project is called here: another project of the database may have one of the same name."""
    if not project:
        return name
    whole = f"{name}@{project}"
    return whole if len(whole) <= _LONGEST_NAME else f"{name}@{digest(project.encode())}"[:_LONGEST_NAME]


def reached(database: Database, name: str, target: str) -> Reached:
    """How far an output of this name is; at the beginning if it was never there, or went elsewhere."""
    with database.read() as connection:
        row = connection.execute(select(outputs).where(outputs.c.name == name)).first()
    if row is None or row.target != target:
        return Reached()
    return Reached((row.turn, row.number), row.attempts, row.error, row.due)


def reach(database: Database, name: str, target: str, now: Reached) -> None:
    """Keep how far an output is."""
    with database.begin() as connection:
        reach_in(connection, name, target, now)


def reach_in(connection: Connection, name: str, target: str, now: Reached) -> None:
    """`reach`, within a transaction. What waited for another target is forgotten: the new one is filled anew."""
    values = {"target": target, "turn": now.place[0], "number": now.place[1], "attempts": now.attempts}
    values |= {"error": now.error, "due": now.due}
    before = connection.execute(select(outputs.c.target).where(outputs.c.name == name)).scalar()
    if before is not None and before != target:
        connection.execute(delete(deliveries).where(deliveries.c.output == name))
    if connection.execute(update(outputs).where(outputs.c.name == name).values(**values)).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(outputs.insert().values(name=name, **values))
    except exc.IntegrityError:  # another process kept it first; both gave the same
        return


def time_of(database: Database, place: Place) -> float | None:
    """When the change at a place happened; None at the beginning."""
    with database.read() as connection:
        return connection.execute(select(changes.c.time).where(changes.c.number == place[1])).scalar()


def _of(asked: Select[Any], project: str) -> Select[Any]:
    """Of a project's answers alone, if one is named."""
    if not project:
        return asked
    return asked.join(answers, answers.c.id == changes.c.answer).where(answers.c.project == project)


def _after(database: Database, place: Place) -> ColumnElement[bool]:
    """After a place, as each database finds it by its index; SQLite's transactions follow one another in one turn."""
    if database.sqlite:
        return changes.c.number > place[1]
    return tuple_(changes.c.turn, changes.c.number) > tuple_(*place)


def _order(database: Database) -> tuple[Column[int], ...]:
    return (changes.c.number,) if database.sqlite else (changes.c.turn, changes.c.number)


def _settled(connection: Connection) -> list[ColumnElement[bool]]:
    """On PostgreSQL only changes that no transaction which is still under way can come before."""
    if not _postgres(connection):
        return []
    oldest = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
    return [changes.c.turn < oldest]


def _postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"
