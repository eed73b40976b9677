"""Ending an experiment by hand, and waiting until the chain says so."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from assay.compare.steward import Steward, stop
from assay.settle.errors import NotMined

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.compare.running import Experiment
    from assay.record.database import Database
    from assay.record.journal import Event
    from assay.settle.network import Network


def stopped(
    database: Database,
    project: str,
    folder: Path,
    one: Experiment,
    on: Network,
    *,
    who: str,
    by: str,
    why: str,
    told: Callable[[str], None] = lambda _: None,
    patience: float = 600.0,
    poll: float = 0.2,
) -> Event:
    """Stop it, and wait for the block; run again, it goes on.

    Raises
    ------
    NotTheGuardian
        The account may not.
    NotMined
        No block took it within the time.
    """
    steward = Steward(database, project, folder, on, told, who)
    until = time.monotonic() + patience
    while time.monotonic() < until:
        event = stop(database, project, one, on, steward, by=by, why=why)
        if event is not None:
            return event
        time.sleep(poll)
    raise NotMined(f"{one.name} is not stopped: no block took it within {patience:g} s", "Run it again: it goes on.")
