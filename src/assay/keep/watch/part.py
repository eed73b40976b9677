"""The part of the service that watches, at a slow pace; of several services one alone raises alarms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.keep.watch.look import Watcher
from assay.keep.watch.tell import Teller
from assay.keep.watch.view import WatchView
from assay.project.project import Project
from assay.record import leases
from assay.record.database import Database
from assay.record.holder import me
from assay.serve.page.live import mark
from assay.serve.parts import ending
from assay.serve.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.serve.settings import Settings

_LEAST_LEASE = 60.0
_QUIET = 10
"""Looks that are left out while nothing new is recorded: time alone can be an alarm, too."""


def run(settings: Settings, told: Callable[[str], None]) -> None:
    """Look until this process is asked to end."""
    database, ended = Database(settings.database), ending()
    task = Project(settings.project).task
    watcher = Watcher(database, task, settings.chain, told)
    hooks = [one for one in settings.outputs if one.kind == "webhook" and one.alarms]
    tellers = [Teller(database, task.name, one, settings.project, told) for one in hooks]
    keeper = Turns(database, watcher, tellers, told)
    while not ended():
        keeper.turn()
        until = time.monotonic() + task.watch.seconds
        while time.monotonic() < until and not ended():
            time.sleep(0.05)
    keeper.end()
    database.close()


class Turns:
    """Looks, by turns, as long as the lease is held here."""

    def __init__(
        self, database: Database, watcher: Watcher, tellers: list[Teller], told: Callable[[str], None]
    ) -> None:
        self._database, self._watcher, self._tellers, self._told = database, watcher, tellers, told
        self._name, self._holder = f"watch:{watcher.task.name}:{watcher.chain or ''}", me()
        self._seen, self._left, self._said = "", 0, ""
        self._held: leases.Lease | None = None

    def turn(self) -> bool:
        """Look, if it is this process's to do and there may be something new; whether it looked."""
        try:
            return self._turn()
        except AssayError as error:
            if error.what != self._said:
                self._told(f"the watch sees nothing: [{error.code}] {error}")
                self._said = error.what
            return False

    def _turn(self) -> bool:
        seconds = max(_LEAST_LEASE, 3.0 * self._watcher.task.watch.seconds)
        self._held = leases.take(self._database, self._name, self._holder, seconds)
        if self._held is None:
            return False
        now = mark(self._database)
        looks = now != self._seen or self._left <= 0
        self._left -= 1
        if looks:
            self._watcher.step()
            self._seen, self._left, self._said = mark(self._database), _QUIET, ""
        for one in self._tellers:
            one.step()
        return looks

    def end(self) -> None:
        """Let another one look at once."""
        if self._held is not None:
            leases.give_back(self._database, self._held)


def view(settings: Settings, database: Database) -> WatchView:
    """What the service's page shows."""
    return WatchView(Watcher(database, Project(settings.project).task, settings.chain))


WATCHING = Watching(run, view)
