"""One process retrains a project at a time, for as long as it takes, and one takes a model back."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.keep.retrain.errors import RetrainBusy
from assay.record import leases
from assay.record.holder import me

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.record.database import Database
    from assay.record.leases import Lease

SECONDS = 120.0
_RENEWALS = 4
_PAUSE = 0.2
RETRAIN, GUARD = "retrain", "guard"
_DOES = {RETRAIN: "retrains {}", GUARD: "looks whether a model of {} has to be taken back"}


@contextlib.contextmanager
def alone(database: Database, project: str, part: str = RETRAIN, *, patience: float = 0.0) -> Iterator[Lease]:
    """Hold the lease on a project's retraining; a thread makes it longer, and a process that is gone loses it.

    Parameters
    ----------
    part
        `GUARD` for the way back alone, which does not wait for a training.
    patience
        Seconds to wait for another process.

    Raises
    ------
    RetrainBusy
        Another process has it.
    """
    name, until = f"{part}:{project}", time.monotonic() + patience
    while (held := leases.take(database, name, me(), SECONDS)) is None:
        if time.monotonic() >= until:
            does = _DOES[part].format(project)
            raise RetrainBusy(f"another process {does}", "Wait until it is done, or end it.")
        time.sleep(_PAUSE)
    over = threading.Event()
    thread = threading.Thread(target=_renew, args=(database, held, over), daemon=True)
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()
        leases.give_back(database, held)


def _renew(database: Database, held: Lease, over: threading.Event) -> None:
    while not over.wait(SECONDS / _RENEWALS):
        # A database that is away is asked again; a lease that was lost stays lost, which the next event says.
        with contextlib.suppress(AssayError):
            leases.take(database, held.name, held.holder, SECONDS)
