"""A retraining's plan, kept before anything is trained, and how far each retraining is: a fold over its events."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.core import jsontext
from assay.keep.retrain.due import Trigger
from assay.keep.retrain.errors import PlanUnreadable
from assay.keep.retrain.verdict import Verdict
from assay.record import journal, plans
from assay.record.journal import Event

if TYPE_CHECKING:
    from assay.record.database import Database

SCHEMA = "assay-retraining/1"
KIND = "retraining"
PLANNED, STEP, ENDED, DUE = "retrain.planned", "retrain.step", "retrain.ended", "retrain.due"
REFUSED, CHALLENGER, PROPOSED = "refused", "challenger", "proposed"


@dataclass(frozen=True)
class Retraining:
    """A retraining, as the record has it.

    Attributes
    ----------
    number
        From 1, in the project.
    plan
        The plan's digest.
    champion
        Digest of the release that decided when it was planned.
    trigger
        Why.
    task
        SHA-256 of the task.toml that it trains by.
    planned
        Its event.
    steps
        What each step that was done found, by name.
    outcome
        "refused", "challenger" or "proposed" once it has ended, else "".
    said
        How it ended, in one sentence.
    """

    number: int
    plan: str
    champion: str
    trigger: Trigger
    task: str
    planned: Event
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    outcome: str = ""
    said: str = ""

    @property
    def subject(self) -> str:
        """What its events are about."""
        return subject(self.number)

    @property
    def verdicts(self) -> list[Verdict]:
        """What the gates said so far, in order."""
        return [Verdict(**one) for step in self.steps.values() for one in step.get("verdicts", [])]

    @property
    def release(self) -> str | None:
        """Digest of the release that came of it."""
        made: str | None = self.steps.get("released", {}).get("release")
        return made

    @property
    def error(self) -> float | None:
        """What its look at the test rows spent; None if it did not look."""
        spent: float | None = self.steps.get("looked", {}).get("error")
        return spent


def subject(number: int) -> str:
    """What a retraining's events are about."""
    return f"retraining {number}"


def text_of(number: int, champion: str, trigger: Trigger, task: str, settings: dict[str, Any]) -> str:
    """The plan as it is kept: canonical JSON."""
    content = {
        "schema": SCHEMA,
        "number": number,
        "champion": champion,
        "trigger": trigger.to_dict(),
        "task": task,
        "settings": settings,
    }
    return json.dumps(content, sort_keys=True, indent=1) + "\n"


def agree(
    database: Database,
    project: str,
    before: list[Retraining],
    text: str,
    who: str,
    *,
    chain: str | None = None,
    block: int | None = None,
) -> None:
    """Keep a plan and say that it was made, each once; killed in between, the same plan is agreed on again.

    Raises
    ------
    Conflict
        Another process planned the next retraining meanwhile.
    """
    made = plans.agree(database, project, KIND, text, before[-1].plan if before else None)
    content = json.loads(text)
    number = int(content["number"])
    happened = Event(
        PLANNED, subject(number), who, {"plan": made.digest}, content["trigger"]["said"], chain=chain, block=block
    )
    journal.append_if(
        database,
        project,
        happened,
        lambda connection: not journal.read_in(connection, project, [PLANNED], subject=subject(number)),
    )


def retrainings(database: Database, project: str) -> list[Retraining]:
    """Every retraining of a project, oldest first; raises `PlanUnreadable`."""
    events = journal.read(database, project, [PLANNED, STEP, ENDED])
    found: dict[str, Retraining] = {}
    for event in events:
        if event.kind == PLANNED:
            found[event.subject] = _planned(database, event)
            continue
        one = found[event.subject]
        if event.kind == STEP:
            one.steps[event.what["step"]] = event.what
        else:
            found[event.subject] = Retraining(
                **(vars(one) | {"outcome": event.what["outcome"], "said": event.why}),
            )
    return list(found.values())


def notice(database: Database, project: str) -> str:
    """One line of what of retraining waits for somebody; empty if nothing does."""
    found = retrainings(database, project)
    if found and not found[-1].outcome:
        return f"{found[-1].subject} is under way: `assay retrain run` goes on with it"
    due = journal.read(database, project, [DUE], subject=subject(len(found) + 1))
    return f"{due[-1].subject} is due: {due[-1].why}" if due else ""


def _planned(database: Database, event: Event) -> Retraining:
    plan = plans.get(database, event.what["plan"])
    try:
        content: Any = {SCHEMA: jsontext.parse(plan.content.encode())}
        content = content[content[SCHEMA]["schema"]]  # of another schema: no such key
        trigger = content["trigger"]
        return Retraining(
            int(content["number"]),
            plan.digest,
            str(content["champion"]),
            Trigger(trigger["kind"], str(trigger["said"]), tuple(int(one) for one in trigger["alarms"])),
            str(content["task"]),
            event,
        )
    except (ValueError, KeyError, TypeError):
        raise PlanUnreadable(
            f"the plan {plan.digest[:16]} is none of {SCHEMA}", "Use the release of Assay that made it."
        ) from None
