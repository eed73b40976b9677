"""What every request may use."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Header, Request

from assay.serve.keys import ApiKey, Keyring

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.serve.api.ready import ChainReady
    from assay.serve.models import Models
    from assay.serve.settings import Settings


@dataclass(frozen=True)
class State:
    """One service's parts; `stopping` is set when it was asked to end, so that what never ends by itself does."""

    settings: Settings
    database: Database
    models: Models
    keyring: Keyring
    stopping: threading.Event = field(default_factory=threading.Event)
    chain: ChainReady | None = None
    listeners: list[object] = field(default_factory=list)


def state_of(request: Request) -> State:
    """The parts of the service that answers."""
    found: State = request.app.state.assay
    return found


def key_of(request: Request, authorization: Annotated[str | None, Header()] = None) -> ApiKey:
    """The API key of a request; raises `NotAuthorised`."""
    return state_of(request).keyring.of(authorization)


Parts = Annotated[State, Depends(state_of)]
Key = Annotated[ApiKey, Depends(key_of)]
