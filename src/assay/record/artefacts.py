"""Artefacts by digest, in the database itself: one address moves all of it to many machines, one copy backs it up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from assay.core.hashing import digest
from assay.record.errors import ArtefactAbsent
from assay.record.schema import artefacts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from assay.record.database import Database

PART_BYTES = 4 << 20


def put(database: Database, content: bytes) -> str:
    """Keep `content`; returns its digest. What is there already is not written again."""
    with database.begin() as connection:
        return put_in(connection, content)


def put_in(connection: Connection, content: bytes) -> str:
    """Keep `content` within a transaction."""
    name = digest(content)
    there = connection.execute(select(artefacts.c.part).where(artefacts.c.digest == name).limit(1)).first()
    if there is None:
        parts = [content[at : at + PART_BYTES] for at in range(0, len(content), PART_BYTES)] or [b""]
        rows = [{"digest": name, "part": i, "parts": len(parts), "content": part} for i, part in enumerate(parts)]
        insert = artefacts.insert()
        if connection.dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import insert as insert_unless

            # Two processes may keep the same content at once.
            connection.execute(insert_unless(artefacts).on_conflict_do_nothing(), rows)
        else:
            connection.execute(insert, rows)
    return name


def get(database: Database, name: str) -> bytes:
    """The content of a digest; raises `ArtefactAbsent` if it is not there, not whole, or altered."""
    asked = select(artefacts.c.parts, artefacts.c.content).where(artefacts.c.digest == name).order_by(artefacts.c.part)
    with database.read() as connection:
        rows = connection.execute(asked).all()
    content = b"".join(row.content for row in rows)
    if not rows or len(rows) != rows[0].parts or digest(content) != name:
        raise ArtefactAbsent(
            f"the artefact {name[:16]} is not in the database, or is damaged", "Restore it from a backup or an export."
        )
    return content


def held(database: Database, name: str) -> bool:
    """Whether something of this digest is there."""
    with database.read() as connection:
        return (
            connection.execute(select(artefacts.c.part).where(artefacts.c.digest == name).limit(1)).first() is not None
        )
