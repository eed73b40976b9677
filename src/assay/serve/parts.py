"""The parts of the service that run as processes of their own: what each does until it is asked to end."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

from assay.record.database import Database
from assay.serve.errors import NoOutputs, NothingSettles

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.serve.settings import Settings


def work(settings: Settings, told: Callable[[str], None]) -> None:
    """Prove, and forget rows that were kept long enough; the answer under way is finished first."""
    from assay.serve.forget import keep_to
    from assay.serve.work import Worker

    database, ended = Database(settings.database), ending()
    keeper = None
    if settings.keep_rows is not None:
        keeper = threading.Thread(target=keep_to, args=(database, settings.keep_rows, ended, told))
        keeper.start()
    Worker(database).run(ended)
    if keeper is not None:
        keeper.join()
    database.close()


def settle(settings: Settings, told: Callable[[str], None]) -> None:
    """Settle; what is being signed is finished first."""
    from assay.project.project import Project
    from assay.serve.settle import open_settler

    if settings.chain is None:
        raise NothingSettles("no chain is named to settle on", "Give --chain NAME, or declare [chains.NAME].")
    database = Database(settings.database)
    settler = open_settler(database, settings.project, Project(settings.project).task, settings.chain)
    settler.told = told
    told(f"settling on {settler.on.name}: {settler.outbox.account} calls {settler.consumer.address}")
    settler.run(ending())
    database.close()


def live(settings: Settings, told: Callable[[str], None]) -> None:
    """Follow the chain; the period that is being kept is finished first."""
    from assay.project.project import Project
    from assay.serve.live import Live
    from assay.serve.models import Models
    from assay.serve.settle import open_settler

    if settings.chain is None:
        raise NothingSettles("no chain is named to follow", "Give --chain NAME, or declare [chains.NAME].")
    database = Database(settings.database)
    task = Project(settings.project).task
    settler = open_settler(database, settings.project, task, settings.chain)
    place = settings.project / ".assay" / "live" / settler.on.name
    counts = task.protocol.chain == settler.on.name
    loop = Live(
        database, task.name, settler, Models(database), place, told, counts=counts, collected=settings.project / "chain"
    )
    told(f"following {settler.on.name}: each period's answer goes to {settler.consumer.address}")
    loop.run(ending())
    database.close()


def outputs(settings: Settings, told: Callable[[str], None]) -> None:
    """Bring answers to where they also go, each output by a thread of its own: a slow one keeps no other waiting."""
    from assay.serve.outputs.loop import Output

    if not settings.outputs:
        raise NoOutputs("task.toml declares no [[outputs]]", "Declare one, or leave this part out.")
    database, ended = Database(settings.database), ending()
    loops = [Output(database, spec, settings.project, told) for spec in settings.outputs]
    threads = [threading.Thread(target=one.run, args=(ended,)) for one in loops]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    database.close()


def ending() -> Callable[[], bool]:
    """Whether this process was asked to end, or the one that started it was killed: nobody sees it work then."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    parent = os.getppid()
    return lambda: stop.is_set() or os.getppid() != parent
