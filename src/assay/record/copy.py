"""All records of one database into another, empty one: how a backup is made and taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import and_, func, insert, or_, select, text, update

from assay.record.database import said
from assay.record.errors import Conflict
from assay.record.schema import changes, leases, metadata, outputs

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from assay.record.database import Database

_ROWS = 8
"""Rows at a time: an artefact's part has 4 MiB."""


def copy(source: Database, target: Database) -> dict[str, int]:
    """Copy every table but the leases, as they stand at one moment; returns how many rows each has.

    Leases are left out: whoever held one is not there any more.

    Raises
    ------
    Conflict
        The target is not empty; nothing is written.
    """
    counts = {}
    options = {} if source.sqlite else {"isolation_level": "REPEATABLE READ"}
    reader = source.engine.execution_options(reads=True, **options)
    with said(source.url), reader.begin() as read, target.begin() as write:
        _require_empty(write, target)
        for table in metadata.sorted_tables:
            if table is not leases:
                counts[table.name] = _copy(read, write, table)
        _begin_turns_anew(write)
        if not target.sqlite:
            _go_on_counting(write)
    return counts


def require_empty(database: Database) -> None:
    """Raise `Conflict` if a database has any records."""
    with database.read() as connection:
        _require_empty(connection, database)


def _require_empty(connection: Connection, target: Database) -> None:
    for table in metadata.sorted_tables:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            where = target.shown
            raise Conflict(f"{where} has records already", "Give an empty database: nothing is ever written over.")


def _copy(read: Connection, write: Connection, table: Table) -> int:
    count = 0
    found = read.execution_options(yield_per=_ROWS).execute(select(table))
    for part in found.partitions(_ROWS):
        rows = [row._asdict() for row in part]
        for row in rows:
            if "lease" in row:
                row |= {"lease": None, "lease_until": None}
        write.execute(insert(table), rows)
        count += len(rows)
    return count


def _begin_turns_anew(write: Connection) -> None:
    """Turns are of the server that they were written on. Changes go on by their number alone, outputs before the first
    change that is not there yet: some of them are given once more.
    """
    for row in write.execute(select(outputs)).all():
        later = or_(changes.c.turn > row.turn, and_(changes.c.turn == row.turn, changes.c.number > row.number))
        least = write.execute(select(func.min(changes.c.number)).where(later)).scalar()
        most = write.execute(select(func.max(changes.c.number))).scalar() or 0
        number = most if least is None else least - 1
        write.execute(update(outputs).where(outputs.c.name == row.name).values(turn=0, number=number))
    write.execute(update(changes).values(turn=0))


def _go_on_counting(write: Connection) -> None:
    """PostgreSQL numbers events by a sequence of its own, which does not see numbers that were given."""
    for table in metadata.sorted_tables:
        number = table.autoincrement_column
        if number is not None:
            last = select(func.max(number)).scalar_subquery()
            sequence = func.pg_get_serial_sequence(text(f"'{table.name}'"), text(f"'{number.name}'"))
            write.execute(select(func.setval(sequence, func.coalesce(last, 1))))
