"""Tells a page that something changed; it then asks for itself again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from assay.core.hashing import digest
from assay.record import changes as record
from assay.record.schema import events, transactions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from assay.record.database import Database
    from assay.serve.api.state import State

_POLL_SECONDS = 0.7
_BEAT = 20
"""Looks without a change after which an empty line shows that the line is still there."""


def mark(database: Database) -> str:
    """A short text that is another one as soon as any answer, transaction or event is; it takes no look at each."""
    with database.read() as connection:
        event = connection.execute(select(func.max(events.c.number))).scalar()
        states = connection.execute(select(transactions.c.state, func.count()).group_by(transactions.c.state)).all()
    seen = event, record.last(database), sorted(tuple(one) for one in states)
    return digest(repr(seen).encode())[:16]


async def changes(parts: State, last: str | None) -> AsyncIterator[str]:
    """Server-sent events, "changed" each; one at once if it is not `last` that is seen. Ends when the service does."""
    yield "retry: 1000\n\n"
    quiet = 0
    while not parts.stopping.is_set():
        seen = await asyncio.to_thread(mark, parts.database)
        if seen != last:
            yield f"event: changed\nid: {seen}\ndata: {seen}\n\n"
            last, quiet = seen, 0
        elif (quiet := quiet + 1) % _BEAT == 0:
            yield ": \n\n"
        await asyncio.sleep(_POLL_SECONDS)
