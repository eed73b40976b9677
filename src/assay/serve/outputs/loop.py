"""The loop that brings answers to an output: in order, at least once, from where it was when it was killed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.core.paths import place
from assay.data.errors import DataError
from assay.data.sources.context import from_environment
from assay.record import answers, changes, journal, leases, releases
from assay.record.changes import Reached
from assay.record.holder import me
from assay.record.journal import Event
from assay.serve.outputs.duck import DuckTable, ParquetFolder
from assay.serve.outputs.errors import OutputGone, OutputSettings
from assay.serve.outputs.row import rows
from assay.serve.outputs.sql import SqlTable
from assay.serve.outputs.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.record.changes import Change
    from assay.record.database import Database
    from assay.task.outputs import OutputSpec

_LEASE_SECONDS = 60.0
_AT_ONCE = 200
_LONGEST_WAIT = 60.0
_PAUSE = 0.25
WAITS = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""Seconds until a webhook is told again, as Standard Webhooks advises; after the last it is given up, and said."""


@dataclass
class Output:
    """One output.

    Parameters
    ----------
    project
        The folder that paths begin at.
    told
        Told, once each, what keeps it from going on.
    """

    database: Database
    spec: OutputSpec
    project: Path
    told: Callable[[str], None] = field(default=lambda _: None)
    holder: str = field(default_factory=me)
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
        now = changes.reached(self.database, self.spec.name, self.target)
        with self.database.read() as connection:
            clock = self.database.now(connection)
        if now.due is None or now.due > clock:
            return False
        hook = self.spec.kind == "webhook"
        states = self.spec.states if hook else ()
        found = changes.read(self.database, now.place, states=states, limit=1 if hook else _AT_ONCE)
        if not found or leases.take(self.database, f"output:{self.spec.name}", self.holder, _LEASE_SECONDS) is None:
            return False
        try:
            self._give(found)
        except AssayError as error:
            self._fails(now, found, error, clock)
            return False
        self._reach(Reached(found[-1].place))
        self._said = ""
        return True

    @property
    def target(self) -> str:
        """A digest of where it goes."""
        return target_of(self.spec)

    def _reach(self, now: Reached) -> None:
        changes.reach(self.database, self.spec.name, self.target, now)

    def _give(self, found: list[Change]) -> None:
        if self.spec.kind == "webhook":
            self._tell_of(found[0])
            return
        if self._table is None:
            self._table = self._opened()
        self._table.give(rows(self.database, [one.answer for one in found], with_rows=self.spec.rows))

    def _opened(self) -> SqlTable | DuckTable | ParquetFolder:
        spec = self.spec
        if spec.kind == "postgresql":
            return SqlTable(self._address(), spec.table)
        path = place(self.project, str(spec.path)).absolute()
        if spec.kind == "sqlite":
            path.parent.mkdir(parents=True, exist_ok=True)
            return SqlTable(f"sqlite:///{path}", spec.table)
        return DuckTable(path, spec.table) if spec.kind == "duckdb" else ParquetFolder(path, spec.table)

    def _address(self) -> str:
        try:
            return from_environment(str(self.spec.url), "its url")
        except DataError as error:
            raise OutputSettings(error.what, error.todo) from None

    def _tell_of(self, change: Change) -> None:
        one = answers.get(self.database, change.answer)
        release = releases.by_digest(self.database, one.release)
        hook = Webhook(self._address(), place(self.project, str(self.spec.secret_file)), local=self.spec.local)
        data = {
            "id": one.id,
            "state": change.state,
            "model": one.project,
            "version": release.version,
            "release": one.release,
            "model_id": release.public["model_id"],
            "period": one.period,
            "chain": one.chain,
            "context": one.context,
            "outputs": one.outputs,
            "error": one.error,
            "link": f"/v1/answers/{one.id}",
        }
        when = datetime.fromtimestamp(change.time, UTC).isoformat()
        hook.tell(f"{one.id}.{change.state}", {"type": f"answer.{change.state}", "timestamp": when, "data": data})

    def _fails(self, now: Reached, found: list[Change], error: AssayError, clock: float) -> None:
        said = {"code": error.code, "what": error.what, "todo": error.todo}
        tries = now.attempts + 1
        if isinstance(error, OutputGone):
            self._reach(replace(now, attempts=tries, error=said, due=None))
            self._tell(error, None)
            return
        hook = self.spec.kind == "webhook"
        if hook and tries > len(WAITS):
            self._give_up(found[0], said)
            return
        wait = WAITS[tries - 1] if hook else min(_LONGEST_WAIT, 2.0 ** (tries - 1))
        self._reach(replace(now, attempts=tries, error=said, due=clock + wait))
        self._tell(error, wait)

    def _give_up(self, change: Change, said: dict[str, str]) -> None:
        """What was told in vain for three days is left, so that what comes after it is told; the history says so."""
        one = answers.get(self.database, change.answer)
        what: dict[str, Any] = {"output": self.spec.name, "state": change.state, "error": said}
        happened = Event("output.given_up", one.id, "outputs", what, f"{len(WAITS) + 1} tries failed")
        journal.append(self.database, one.project, happened)
        self._reach(Reached(change.place))
        self.told(f"output {self.spec.name}: {one.id} was not told of, {len(WAITS) + 1} tries failed")

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


def standing(database: Database, spec: OutputSpec) -> tuple[int, dict[str, str] | None]:
    """How many changes an output has not had yet, and why it does not go on, if it does not."""
    now = changes.reached(database, spec.name, target_of(spec))
    states = spec.states if spec.kind == "webhook" else ()
    return changes.behind(database, now.place, states), now.error
