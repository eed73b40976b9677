"""What every request may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Header, Request

from assay.serve.keys import ApiKey, Keyring

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.serve.models import Models
    from assay.serve.settings import Settings


@dataclass(frozen=True)
class State:
    """One service's parts."""

    settings: Settings
    database: Database
    models: Models
    keyring: Keyring


def state_of(request: Request) -> State:
    """The parts of the service that answers."""
    found: State = request.app.state.assay
    return found


def key_of(request: Request, authorization: Annotated[str | None, Header()] = None) -> ApiKey:
    """The API key of a request; raises `NotAuthorised`."""
    return state_of(request).keyring.of(authorization)


Parts = Annotated[State, Depends(state_of)]
Key = Annotated[ApiKey, Depends(key_of)]
