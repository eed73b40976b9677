"""Server-sent events of answers: what changed, in order, from where a listener was when it broke off."""

from __future__ import annotations

import asyncio
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from assay.core.errors import AssayError
from assay.record import answers, changes
from assay.serve.api.answers import shown
from assay.serve.api.state import Key, Listener, Parts, State
from assay.serve.errors import NotAuthorised, QueueFull, RequestMalformed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from starlette.types import Message, Receive, Scope, Send

    from assay.record.changes import Change, Place
    from assay.serve.keys import ApiKey

router = APIRouter()
MOST, MOST_OF_KEY = 64, 16
"""Listeners of one process, and of one API key."""
_STALLED_SECONDS = 60.0
"""A listener that has taken nothing for so long is let go: others may want its place."""
_POLL_SECONDS = 0.25
_BEAT = 60
"""Looks without a change after which an empty line shows that the line is still there."""
_PLACE = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\Z")


@router.get("/v1/answers/stream", response_class=StreamingResponse)
async def stream(
    parts: Parts, key: Key, last_event_id: Annotated[str | None, Header(max_length=40)] = None
) -> StreamingResponse:
    """Changes of answers from now on, or after `Last-Event-ID`: of an API key its own, of an admin's all.

    An event's name is the answer's new state, or "forgotten"; its data is the answer as it now stands.
    """
    key.require("read")
    after = _after(last_event_id)
    if len(parts.listeners) >= MOST:
        raise QueueFull(f"{MOST} listen already", "Ask again later, or poll.")
    if sum(one.key == key.id for one in parts.listeners) >= MOST_OF_KEY:
        raise QueueFull(f"{MOST_OF_KEY} listen with this API key already", "End one of them, or poll.")
    me = Listener(key.id)
    parts.listeners.append(me)  # before anything is waited for: of many who come at once each is counted
    try:
        if after is None:
            after = await asyncio.to_thread(changes.last, parts.database)
    except BaseException:
        parts.listeners.remove(me)
        raise
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    found = Events(_events(parts, key, after), media_type="text/event-stream", headers=headers)
    found.ended = lambda: parts.listeners.remove(me)
    return found


class Events(StreamingResponse):
    """Server-sent events, as long as somebody takes them; whoever they are for has then ended."""

    ended: Callable[[], None] = staticmethod(lambda: None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, also one that has left before it began."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self.ended()

    async def stream_response(self, send: Send) -> None:
        """Send what comes; a connection that stays full for long is ended."""

        async def patient(message: Message) -> None:
            async with asyncio.timeout(_STALLED_SECONDS):
                await send(message)

        with suppress(TimeoutError):
            await super().stream_response(patient)


async def _events(parts: State, key: ApiKey, after: Place) -> AsyncIterator[str]:
    owner = None if "admin" in key.scopes else key.id
    quiet = 0
    try:
        yield "retry: 1000\n\n"
        while not parts.stopping.is_set():
            await asyncio.to_thread(parts.keyring.named, key.id)  # revoked keys hear no more
            end = await asyncio.to_thread(changes.last, parts.database)
            found = await asyncio.to_thread(changes.read, parts.database, after, owner=owner, limit=100)
            for one in found:
                yield await asyncio.to_thread(_event, parts, one)
                after = one.place
            if not found:  # nor need what others do be looked through again
                after = max(after, end)
            quiet = 0 if found else quiet + 1
            if quiet and quiet % _BEAT == 0:
                yield ": \n\n"
            if not found:
                await asyncio.sleep(_POLL_SECONDS)
    except NotAuthorised:
        return
    except AssayError as error:  # the listener asks again, from where it was
        yield f"event: error\ndata: {json.dumps({'code': error.code, 'what': error.what})}\n\n"


def _event(parts: State, change: Change) -> str:
    data = json.dumps(shown(parts, answers.get(parts.database, change.answer)))
    return f"id: {change.place[0]}.{change.place[1]}\nevent: {change.state}\ndata: {data}\n\n"


def _after(text: str | None) -> Place | None:
    if not text:
        return None
    found = _PLACE.match(text)
    if found is None:
        raise RequestMalformed("Last-Event-ID is none of this service's", "Leave it out to begin now.")
    return int(found[1]), int(found[2])
