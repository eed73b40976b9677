"""The parts of the service that run as processes of their own: what each does until it is asked to end."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.record.database import Database
from assay.release import alias
from assay.serve import pulse
from assay.serve.errors import NoOutputs, NothingSettles

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.serve.settings import Settings
    from assay.serve.settle import Settler
    from assay.task.task import Task

HUNG = 70
"""Exit code of a part that ended itself because it could not go on."""
_LOOK_SECONDS = 2.0
"""How often the records are asked whether another contract acts on answers."""


def work(settings: Settings, told: Callable[[str], None]) -> None:
    """Prove, and forget rows that were kept long enough; the answer under way is finished first."""
    from assay.project.project import Project
    from assay.serve.forget import keep_to
    from assay.serve.work import Worker

    def hung(why: str) -> None:
        told(f"the prover hangs ({why}): it is ended, and another one proves what it had under way")
        os._exit(HUNG)

    database, ended = Database(settings.database), ending()
    keeper = None
    if settings.keep_rows is not None:
        name = Project(settings.project).task.name
        keeper = threading.Thread(target=keep_to, args=(database, name, settings.keep_rows, ended, told))
        keeper.start()
    Worker(database, told=told, hung=hung).run(ended)
    if keeper is not None:
        keeper.join()
    database.close()


def settle(settings: Settings, told: Callable[[str], None]) -> None:
    """Settle; what is being signed is finished first."""
    from assay.project.project import Project
    from assay.serve.arms import beside_settle
    from assay.serve.settle import open_settler

    if settings.chain is None:
        raise NothingSettles("no chain is named to settle on", "Give --chain NAME, or declare [chains.NAME].")
    database = Database(settings.database)
    task = Project(settings.project).task
    settler = open_settler(database, settings.project, task, settings.chain)
    settler.told = told
    beside_settle(settler, task.name, settings.project)
    told(f"settling on {settler.on.name}: {settler.outbox.account} calls {settler.consumer.address}")
    settler.run(_until_moved(settler, task, told))
    database.close()


def live(settings: Settings, told: Callable[[str], None]) -> None:
    """Follow the chain; the period that is being kept is finished first."""
    from assay.project.project import Project
    from assay.serve.arms import beside_live
    from assay.serve.live import Live, followable
    from assay.serve.models import Models
    from assay.serve.settle import open_settler

    if settings.chain is None:
        raise NothingSettles("no chain is named to follow", "Give --chain NAME, or declare [chains.NAME].")
    database = Database(settings.database)
    task = Project(settings.project).task
    still = followable(database, task.name)
    if still and alias.champion(database, task.name) is not None:
        raise NothingSettles(f"no chain is followed: {still}", "Leave this part out.")
    settler = open_settler(database, settings.project, task, settings.chain)
    place = settings.project / ".assay" / "live" / settler.on.name
    counts = task.protocol.chain == settler.on.name
    loop = Live(
        database, task.name, settler, Models(database), place, told, counts=counts, collected=settings.project / "chain"
    )
    beside_live(loop, place)
    told(f"following {settler.on.name}: each period's answer goes to {settler.consumer.address}")
    loop.run(_until_moved(settler, task, told))
    database.close()


def outputs(settings: Settings, told: Callable[[str], None]) -> None:
    """Bring answers to where they also go, each output by a thread of its own: a slow one keeps no other waiting."""
    from assay.serve.outputs.loop import Output

    if not settings.outputs:
        raise NoOutputs("task.toml declares no [[outputs]]", "Declare one, or leave this part out.")
    database, ended = Database(settings.database), ending()
    loops = [Output(database, spec, settings.project, told, owner=settings.name) for spec in settings.outputs]
    threads = [threading.Thread(target=one.run, args=(ended,)) for one in loops]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    database.close()


def _until_moved(settler: Settler, task: Task, told: Callable[[str], None]) -> Callable[[], bool]:
    """Until this process was asked to end, or the release that decides now has a consumer of its own.

    Ended for that, it is started again, and opens that consumer.
    """
    from assay.serve.settle import moved

    ended, looked = ending(), time.monotonic()

    def over() -> bool:
        nonlocal looked
        if ended():
            return True
        if time.monotonic() - looked < _LOOK_SECONDS:
            return False
        looked = time.monotonic()
        try:
            found = moved(settler, task)
        except AssayError:
            return False  # a database that is away is asked again
        if found:
            told("another contract acts on answers now")
        return found

    return over


def ending(*, alone: bool = False) -> Callable[[], bool]:
    """Whether this process was asked to end, or the one that started it was killed: nobody sees it work then.

    Parameters
    ----------
    alone
        Whether it goes on without whoever started it, such as a script that has ended.
    """
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    parent = os.getppid()
    return lambda: stop.is_set() or pulse.is_lost() or (not alone and os.getppid() != parent)
