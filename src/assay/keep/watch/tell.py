"""Webhooks are told of alarms, and of their end: in order, at least once, from where they were."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.core.paths import place
from assay.keep.watch.alarms import CLEARED, RAISED
from assay.record import changes, journal
from assay.record.changes import Reached
from assay.record.journal import Event
from assay.serve.outputs.address import in_environment
from assay.serve.outputs.deliver import WAITS
from assay.serve.outputs.errors import OutputGone
from assay.serve.outputs.loop import target_of
from assay.serve.outputs.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.record.database import Database
    from assay.task.outputs import OutputSpec


@dataclass
class Teller:
    """One webhook of one project.

    Parameters
    ----------
    folder
        That the file of its secrets begins at.
    """

    database: Database
    project: str
    spec: OutputSpec
    folder: Path
    told: Callable[[str], None] = field(default=lambda _: None)

    @property
    def name(self) -> str:
        """Where it is kept how far it is; no output of answers can have this name."""
        return changes.key_of(f"alarms of {self.spec.name}", self.project)

    def step(self) -> int:
        """Tell of what it was not told of yet; how many that were."""
        count = 0
        while self._one():
            count += 1
        return count

    def _one(self) -> bool:
        now = changes.reached(self.database, self.name, target_of(self.spec))
        with self.database.read() as connection:
            clock = self.database.now(connection)
        if now.due is None or now.due > clock:
            return False
        waiting = journal.read(self.database, self.project, [RAISED, CLEARED], after=now.place[1])
        if not waiting:
            return False
        event = waiting[0]
        try:
            self._hook().tell(f"evt_{event.digest()[:32]}", _message(event))
        except AssayError as error:
            return self._fails(now, event, error, clock)
        self._reach(Reached((0, event.number)))
        return True

    def _hook(self) -> Webhook:
        secrets = place(self.folder, str(self.spec.secret_file))
        return Webhook(in_environment(str(self.spec.url)), secrets, local=self.spec.local)

    def _reach(self, now: Reached) -> None:
        changes.reach(self.database, self.name, target_of(self.spec), now)

    def _fails(self, now: Reached, event: Event, error: AssayError, clock: float) -> bool:
        said = {"code": error.code, "what": error.what, "todo": error.todo}
        tries, gone = now.attempts + 1, isinstance(error, OutputGone)
        if tries > len(WAITS) and not gone:
            what = {"output": self.spec.name, "event": event.number, "error": said}
            given_up = Event("output.given_up", event.subject, "watch", what, f"{tries} tries failed")
            journal.append(self.database, self.project, given_up)
            self._reach(Reached((0, event.number)))
            return True
        self._reach(Reached(now.place, tries, said, None if gone else clock + WAITS[tries - 1]))
        again = "it is not tried again" if gone else f"it is tried again in {WAITS[tries - 1]:g} s"
        self.told(f"output {self.spec.name} was not told of {event.subject}: [{error.code}] {error} ({again})")
        return False


def _message(event: Event) -> dict[str, object]:
    when = datetime.fromtimestamp(event.time, UTC).isoformat()
    about = {"model": event.project, "chain": event.chain, "why": event.why, "runbook": f"watch/{event.subject}"}
    return {"type": event.kind, "timestamp": when, "data": event.what | about | {"link": "/page/watch"}}
