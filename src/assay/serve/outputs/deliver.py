"""What a webhook is told, one message at a time; one that is not taken waits by itself, and the next ones go on.

Messages come at least once and mostly in order. Those about the same answer are always told in the order in which it
happened: where one waits, later ones of that answer wait behind it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from assay.core.paths import place
from assay.record import answers, changes, deliveries, journal, releases
from assay.record.changes import Reached
from assay.record.journal import Event
from assay.serve.outputs.address import in_environment
from assay.serve.outputs.errors import OutputFails, OutputGone, OutputSettings, PrivateAddress
from assay.serve.outputs.webhook import Webhook

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.core.errors import AssayError
    from assay.record.changes import Change
    from assay.record.database import Database
    from assay.record.deliveries import Waiting
    from assay.task.outputs import OutputSpec

WAITS = (5.0, 30.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 50400.0, 72000.0, 86400.0)
"""Seconds until a message is told again, as Standard Webhooks advises; after the last it is given up, and said."""


@dataclass(frozen=True)
class Messenger:
    """One webhook.

    Parameters
    ----------
    key
        Under which it is kept how far it is.
    target
        A digest of where it goes.
    project
        The folder that paths begin at.
    told
        Told of what was not taken, and in how many seconds it is told again; None for never.
    owner
        Name of the project whose answers it is told of; of every project without one.
    """

    database: Database
    spec: OutputSpec
    key: str
    target: str
    project: Path
    told: Callable[[AssayError, float | None], None]
    owner: str = ""

    def due(self, now: Reached, clock: float) -> tuple[Change | None, Waiting | None]:
        """The next thing that happened, and the message that has been waiting longest for now."""
        new = changes.read(self.database, now.place, project=self.owner, states=self.spec.states, limit=1)
        return new[0] if new else None, deliveries.next_due(self.database, self.key, self.target, clock)

    def step(self, now: Reached, clock: float, new: Change | None, late: Waiting | None) -> bool:
        """Tell of both; whether anything moved.

        Raises
        ------
        OutputFails
            Nothing can be told at all: what is declared cannot be used, or the receiver is gone for ever.
        """
        if new is not None:
            self._first(new, clock)
        elif now.error is not None:
            changes.reach(self.database, self.key, self.target, replace(now, attempts=0, error=None, due=0.0))
        if late is not None:
            self._once_more(late, clock)
        return new is not None or late is not None

    def _first(self, change: Change, clock: float) -> None:
        name, target = self.key, self.target
        if deliveries.waits(self.database, name, target, change.answer):
            deliveries.put_aside(self.database, name, target, change, attempts=0, error=None, due=clock)
            return
        error = self._tell(change)
        if error is None:
            changes.reach(self.database, name, target, Reached(change.place))
            return
        due = clock + WAITS[0]
        deliveries.put_aside(self.database, name, target, change, attempts=1, error=_said(error), due=due)
        self.told(error, WAITS[0])

    def _once_more(self, late: Waiting, clock: float) -> None:
        error = self._tell(late.change)
        if error is not None and late.attempts < len(WAITS):
            wait = WAITS[late.attempts]
            deliveries.again(self.database, self.key, late, _said(error), clock + wait)
            self.told(error, wait)
            return
        if error is not None:
            self._give_up(late, error)
        deliveries.done(self.database, self.key, late)

    def _tell(self, change: Change) -> OutputFails | None:
        """Why it was not taken, if it was not."""
        try:
            self._message(change)
        except (OutputSettings, PrivateAddress, OutputGone):
            raise
        except OutputFails as error:
            return error
        return None

    def _message(self, change: Change) -> None:
        one = answers.get(self.database, change.answer)
        release = releases.by_digest(self.database, one.release)
        url = in_environment(str(self.spec.url))
        hook = Webhook(url, place(self.project, str(self.spec.secret_file)), local=self.spec.local)
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

    def _give_up(self, late: Waiting, error: OutputFails) -> None:
        """What was told in vain for three days is left; the history says so."""
        one = answers.get(self.database, late.change.answer)
        what: dict[str, Any] = {"output": self.spec.name, "state": late.change.state, "error": _said(error)}
        happened = Event("output.given_up", one.id, "outputs", what, f"{late.attempts + 1} tries failed")
        journal.append(self.database, one.project, happened)
        left = f"{one.id} was not told of, {late.attempts + 1} tries failed"
        self.told(OutputFails(f"{left}: {error.what}", error.todo), None)


def _said(error: AssayError) -> dict[str, str]:
    return {"code": error.code, "what": error.what, "todo": error.todo}
