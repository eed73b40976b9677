"""Server-sent events of answers: what changed, in order, from where a listener was when it broke off."""

from __future__ import annotations

import asyncio
import json
import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from assay.core.errors import AssayError
from assay.record import answers, changes
from assay.serve.api.answers import shown
from assay.serve.api.state import Key, Parts, State
from assay.serve.errors import NotAuthorised, QueueFull, RequestMalformed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from assay.record.changes import Change, Place
    from assay.serve.keys import ApiKey

router = APIRouter()
MOST = 64
"""Listeners of one process."""
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
    if after is None:
        after = await asyncio.to_thread(changes.last, parts.database)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(parts, key, after), media_type="text/event-stream", headers=headers)


async def _events(parts: State, key: ApiKey, after: Place) -> AsyncIterator[str]:
    owner = None if "admin" in key.scopes else key.id
    me, quiet = object(), 0
    parts.listeners.append(me)
    try:
        yield "retry: 1000\n\n"
        while not parts.stopping.is_set():
            await asyncio.to_thread(parts.keyring.named, key.id)  # revoked keys hear no more
            found = await asyncio.to_thread(changes.read, parts.database, after, owner=owner, limit=100)
            for one in found:
                yield await asyncio.to_thread(_event, parts, one)
                after = one.place
            quiet = 0 if found else quiet + 1
            if quiet and quiet % _BEAT == 0:
                yield ": \n\n"
            if not found:
                await asyncio.sleep(_POLL_SECONDS)
    except NotAuthorised:
        return
    except AssayError as error:  # the listener asks again, from where it was
        yield f"event: error\ndata: {json.dumps({'code': error.code, 'what': error.what})}\n\n"
    finally:
        parts.listeners.remove(me)


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
