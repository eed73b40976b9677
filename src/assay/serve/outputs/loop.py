"""The loop that brings answers to an output: in order, at least once, from where it was when it was killed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from assay.core import files
from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.core.paths import place
from assay.record import changes, deliveries, leases
from assay.record.changes import Reached, key_of
from assay.record.holder import me
from assay.record.pause import pause
from assay.serve.outputs.address import in_environment
from assay.serve.outputs.deliver import Messenger
from assay.serve.outputs.duck import DuckTable, ParquetFolder
from assay.serve.outputs.errors import OutputFails, OutputGone
from assay.serve.outputs.row import rows
from assay.serve.outputs.sql import SqlTable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.record.changes import Change
    from assay.record.database import Database
    from assay.task.outputs import OutputSpec

_LEASE_SECONDS = 60.0
_AT_ONCE = 200
_MUCH = 1000
_LONGEST_WAIT = 60.0
_PAUSE = 0.25


@dataclass(frozen=True)
class Health:
    """How an output stands.

    Attributes
    ----------
    reached
        When the last change that is there happened (seconds since 1970); None before the first.
    behind
        Changes that are not there yet; of them `waiting` are messages that were not taken.
    attempts
        That failed since something was taken; of a message that waits, its own.
    error
        code, what, todo: why the last one failed; None if nothing does.
    due
        When it is tried again; None: never.
    """

    reached: float | None
    behind: int
    waiting: int
    attempts: int
    error: dict[str, str] | None
    due: float | None


@dataclass
class Output:
    """One output.

    Parameters
    ----------
    project
        The folder that paths begin at.
    told
        Told, once each, what keeps it from going on.
    owner
        Name of the project whose answers it brings; those of every project of the database without one.
    """

    database: Database
    spec: OutputSpec
    project: Path
    told: Callable[[str], None] = field(default=lambda _: None)
    holder: str = field(default_factory=me)
    owner: str = ""
    _table: SqlTable | DuckTable | ParquetFolder | None = None
    _said: str = ""

    def run(self, stopped: Callable[[], bool]) -> None:
        """Bring what comes until `stopped()`; whatever fails, nobody waits for it."""
        while not stopped():
            try:
                moved = self.step()
            except AssayError as error:  # the records cannot be read now
                self._tell(error, _PAUSE)
                moved = False
            until = time.monotonic() + (0.0 if moved else _PAUSE)
            while time.monotonic() < until and not stopped():
                time.sleep(0.02)
        self.close()

    def close(self) -> None:
        """Give back what is open."""
        if self._table is not None:
            self._table.close()

    def step(self) -> bool:
        """Bring what has changed since the last time; whether that worked."""
        now = self._reached()
        with self.database.read() as connection:
            clock = self.database.now(connection)
        if now.due is None or clock < now.due <= clock + _LONGEST_WAIT:  # later: the clock was set back since
            return False
        try:
            moved = self._tell_of(now, clock) if self.spec.kind == "webhook" else self._fill(now)
        except AssayError as error:
            self._fails(error, clock)
            return False
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one output is said, and it is tried again
            what = " ".join(f"{type(error).__name__}: {error}".split())
            self._fails(OutputFails(f"{what:.200}: this is a mistake in Assay", "Report it."), clock)
            return False
        self._said = "" if moved else self._said
        return moved

    def _mine(self) -> bool:
        """Whether this process is the one that brings it: of several one does."""
        return leases.take(self.database, f"output:{self.key}", self.holder, _LEASE_SECONDS) is not None

    def _tell_of(self, now: Reached, clock: float) -> bool:
        messenger = Messenger(self.database, self.spec, self.key, self.target, self.project, self._tell, self.owner)
        end = changes.last(self.database)
        new, late = messenger.due(now, clock)
        if new is None:
            self._pass_over(now, end)
        if (new, late) == (None, None) or not self._mine():
            return False
        now = self._reached()  # whoever had it before may have gone on
        return messenger.step(now, clock, *messenger.due(now, clock))

    def _fill(self, now: Reached) -> bool:
        end = changes.last(self.database)
        found = changes.read(self.database, now.place, project=self.owner, limit=_AT_ONCE)
        if not found:
            self._pass_over(now, end)
        if not found or not self._mine():
            return False
        self._give(found)
        self._reach(Reached(found[-1].place))
        return True

    def _pass_over(self, now: Reached, end: changes.Place) -> None:
        """Nothing up to `end` is for this output: where that is much, it is not looked through again and again."""
        if end[1] - now.place[1] >= _MUCH and self._mine() and self._reached() == now:
            self._reach(replace(now, place=end))

    def _give(self, found: list[Change]) -> None:
        if self._table is None:
            self._table = self._opened()
        self._table.give(rows(self.database, [one.answer for one in found], with_rows=self.spec.rows))

    @property
    def key(self) -> str:
        """Under which it is kept how far it is."""
        return key_of(self.spec.name, self.owner)

    @property
    def target(self) -> str:
        """A digest of where it goes."""
        return target_of(self.spec)

    def _reached(self) -> Reached:
        return changes.reached(self.database, self.key, self.target)

    def _reach(self, now: Reached) -> None:
        changes.reach(self.database, self.key, self.target, now)

    def _opened(self) -> SqlTable | DuckTable | ParquetFolder:
        spec = self.spec
        if spec.kind == "postgresql":
            return SqlTable(in_environment(str(spec.url)), spec.table)
        path = place(self.project, str(spec.path)).absolute()
        if spec.kind == "sqlite":
            with files.translated(path, "write"):
                path.parent.mkdir(parents=True, exist_ok=True)
            return SqlTable(f"sqlite:///{path}", spec.table)
        return DuckTable(path, spec.table) if spec.kind == "duckdb" else ParquetFolder(path, spec.table)

    def _fails(self, error: AssayError, clock: float) -> None:
        """Nothing can be brought there now, or ever."""
        now = self._reached()
        tries = now.attempts + 1
        wait = None if isinstance(error, OutputGone) else pause(tries - 1, _LONGEST_WAIT)
        said = {"code": error.code, "what": error.what, "todo": error.todo}
        self._reach(replace(now, attempts=tries, error=said, due=None if wait is None else clock + wait))
        self._tell(error, wait)

    def _tell(self, error: AssayError, wait: float | None) -> None:
        if error.what == self._said:
            return
        self._said = error.what
        again = (
            "it is not tried again" if wait is None else f"it is tried again in {wait:g} s, and nothing waits for it"
        )
        self.told(f"output {self.spec.name}: [{error.code}] {error} ({again})")


def target_of(spec: OutputSpec) -> str:
    """A digest of where an output goes; an address that the environment holds is known by its name."""
    return digest(f"{spec.kind} {spec.url} {spec.path} {spec.table}".encode())


def health(database: Database, spec: OutputSpec, owner: str = "") -> Health:
    """How an output of a project stands."""
    key, target = key_of(spec.name, owner), target_of(spec)
    now = changes.reached(database, key, target)
    states = spec.states if spec.kind == "webhook" else ()
    waiting, worst = deliveries.stand(database, key, target)
    behind = changes.behind(database, now.place, states, owner) + waiting
    reached = changes.time_of(database, now.place)
    if now.error is None and worst is not None:
        return Health(reached, behind, waiting, worst.attempts, worst.error, worst.due)
    return Health(reached, behind, waiting, now.attempts, now.error, now.due)


def standing(database: Database, spec: OutputSpec, owner: str = "") -> tuple[int, dict[str, str] | None]:
    """How many changes an output has not had yet, and why it does not go on, if it does not."""
    found = health(database, spec, owner)
    return found.behind, found.error
