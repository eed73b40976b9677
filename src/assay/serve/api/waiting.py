"""Waiting for answers to end: one look at the database for all who wait, and only once it has changed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.record import answers

if TYPE_CHECKING:
    import threading

    from assay.record.answers import Answer
    from assay.record.database import Database

_POLL_SECONDS = 0.004


class Waiting:
    """Who waits in one process, until `stopping`: nobody then keeps the others from an end."""

    def __init__(self, database: Database, stopping: threading.Event) -> None:
        self._database, self._stopping = database, stopping
        self._for: dict[asyncio.Future[Answer | None], str] = {}
        self._looking: asyncio.Task[None] | None = None
        self._mark: str | None = None

    async def ended(self, kept: Answer, seconds: float) -> Answer:
        """The answer as it is when it has ended, the time is over, or the service ends."""
        if kept.ended:
            return kept
        loop = asyncio.get_running_loop()
        mine: asyncio.Future[Answer | None] = loop.create_future()
        self._for[mine] = kept.id
        self._mark = None  # it may have ended since it was read
        if self._looking is None or self._looking.done() or self._looking.get_loop() is not loop:
            self._looking = loop.create_task(self._look())
        try:
            await asyncio.wait([mine], timeout=seconds)
        finally:
            self._for.pop(mine, None)
        if mine.done() and (found := mine.result()) is not None:
            return found
        return await asyncio.to_thread(answers.get, self._database, kept.id)

    async def _look(self) -> None:
        """Until nobody waits."""
        while self._for:
            try:
                await self._tell()
                if self._stopping.is_set():
                    self._end()
            except AssayError as error:
                for one in [*self._for]:
                    if not one.done():
                        one.set_exception(error)
            await asyncio.sleep(_POLL_SECONDS)

    def _end(self) -> None:
        for one in self._for:
            if not one.done():
                one.set_result(None)

    async def _tell(self) -> None:
        # A server is asked in another thread, since it may let one wait.
        mark = self._database.mark() if self._database.sqlite else await asyncio.to_thread(self._database.mark)
        if mark == self._mark:
            return
        self._mark = mark
        found = await asyncio.to_thread(answers.ended, self._database, set(self._for.values()))
        known = {one.id: one for one in found}
        for one, name in [*self._for.items()]:
            if name in known and not one.done():
                one.set_result(known[name])
