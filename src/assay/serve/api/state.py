"""What every request may use."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Header, Request

from assay.serve.api.waiting import Waiting
from assay.serve.keys import ApiKey, Keyring

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.serve.api.ready import ChainReady
    from assay.serve.models import Models
    from assay.serve.settings import Settings
    from assay.serve.watching import View


@dataclass(eq=False)
class Listener:
    """Somebody who hears server-sent events of answers, with an API key."""

    key: str


@dataclass(frozen=True)
class State:
    """One service's parts; `stopping` is set when it was asked to end, so that what never ends by itself does."""

    settings: Settings
    database: Database
    models: Models
    keyring: Keyring
    stopping: threading.Event = field(default_factory=threading.Event)
    chain: ChainReady | None = None
    watch: View | None = None
    listeners: list[Listener] = field(default_factory=list)
    waiting: Waiting = field(init=False)

    def __post_init__(self) -> None:
        """Everything that waits looks at the one database."""
        object.__setattr__(self, "waiting", Waiting(self.database, self.stopping))


async def state_of(request: Request) -> State:
    """The parts of the service that answers."""
    found: State = request.app.state.assay
    return found


async def key_of(request: Request, authorization: Annotated[str | None, Header()] = None) -> ApiKey:
    """The API key of a request; raises `NotAuthorised`."""
    keyring: Keyring = request.app.state.assay.keyring
    if keyring.stale:  # another thread waits for the database
        await asyncio.to_thread(keyring.refresh)
    return keyring.of(authorization, read=False)


Parts = Annotated[State, Depends(state_of)]
Key = Annotated[ApiKey, Depends(key_of)]
