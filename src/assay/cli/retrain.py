"""`assay retrain`: a new model on what came since, whether it may decide, and the way back."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import retrain_app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output, progress, warn
from assay.cli.records import opened
from assay.cli.release import who
from assay.core.errors import AssayError

if TYPE_CHECKING:
    from assay.keep.retrain.begin import Standing
    from assay.keep.retrain.plan import Retraining
    from assay.keep.retrain.promote import Back
    from assay.record.database import Database
    from assay.task.task import Task

Reason = Annotated[
    str | None, typer.Option("--reason", metavar="TEXT", help="Retrain although nothing is due, for this reason.")
]
REFUSED = 3


class NothingOpen(AssayError):
    """No retraining is under way."""

    code = "cli/nothing-open"


@retrain_app.command("plan")
def plan(folder: Here = Path(), *, reason: Reason = None, database: DatabaseUrl = None, json: Json = False) -> None:
    """Say whether a retraining is due, by schedule or alarm, and keep its plan if so; nothing is trained."""
    from assay.keep.retrain.alone import alone
    from assay.keep.retrain.begin import standing

    task = _task(folder)
    with opened(folder, database) as base, alone(base, task.name):
        found = standing(base, task)
        _say_ignored(found, reason)
        planned = found.open or _planned(base, folder, task, found, reason)
    fields = _standing(found) | {"retraining": None if planned is None else _fields(planned)}
    lines = [found.due.said] if found.open is None and reason is None else []
    if planned is not None:
        lines += [f"{planned.subject} is planned: {planned.trigger.said}", f"its plan is {planned.plan[:16]}"]
    lines.append(_look(found))
    Output(json=json).result(fields, "\n".join(lines))


@retrain_app.command("run")
def run(
    folder: Here = Path(),
    *,
    reason: Reason = None,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Processes that train at once.")] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Retrain if it is due or was planned, and go on with a run that was interrupted.

    Takes back a promoted model that an alarm is about, brings a proposal on, then trains in a copy of the project and
    judges what came of it. Exit 0 when it is a challenger or nothing is due, 3 when a gate refuses it.
    """
    from assay.keep.retrain.alone import alone
    from assay.keep.retrain.begin import standing
    from assay.keep.retrain.promote import guard, propose
    from assay.keep.retrain.run import Run

    output, task, name = Output(json=json), _task(folder), who()
    with opened(folder, database) as base, alone(base, task.name) as held:
        back = guard(base, folder, task, who=name)
        found = standing(base, task)
        _say_ignored(found, reason)
        begun = found.open or _planned(base, folder, task, found, reason)
        fields: dict[str, Any] = {"back": None if back is None else vars(back)}
        lines = [_back(back)] if back is not None else []
        if begun is not None:
            with progress("Retraining") as told:
                begun = Run(base, folder, task, begun, held, who=name, told=told, workers=workers).go()
            lines += _lines(begun)
        else:
            lines.append(found.due.said)
        made = [one for one in [*found.retrainings, begun] if one is not None and one.outcome == "challenger"]
        last = made[-1] if made else None  # a refusal since then stops no proposal
        proposed = None
        if last is not None:
            with progress("Looking at the registry") as told:
                proposed = propose(base, folder, task, last, who=name, told=told)
            lines.append(proposed)
    fields |= {"retraining": None if begun is None else _fields(begun), "due": found.due.said, "policy": proposed}
    output.result(fields, "\n".join(lines))
    return REFUSED if begun is not None and begun.outcome == "refused" else 0


@retrain_app.command("status")
def status(folder: Here = Path(), *, database: DatabaseUrl = None, json: Json = False) -> None:
    """Show every retraining: why it was begun, what each gate said, what became of it, and whether another is due."""
    from assay.keep.retrain.begin import standing

    task = _task(folder)
    with opened(folder, database) as base:
        found = standing(base, task)
    lines = [line for one in found.retrainings for line in _lines(one)]
    lines += [found.due.said if found.open is None else f"{found.open.subject} is under way.", _look(found)]
    fields = _standing(found) | {"items": [_fields(one) for one in found.retrainings]}
    Output(json=json).result(fields, "\n".join(lines))


@retrain_app.command("guard")
def guard(
    folder: Here = Path(),
    *,
    every: Annotated[
        float | None, typer.Option("--every", metavar="SECONDS", min=1, help="Look again and again, until interrupted.")
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Take a retrained model back if an alarm about it stands that was raised soon after it was promoted.

    It trains nothing; it writes into the record when a retraining has become due.
    """
    from assay.cli import interruption
    from assay.keep.retrain.begin import note_due, standing
    from assay.keep.retrain.promote import guard as look

    task, output = _task(folder), Output(json=json)
    with opened(folder, database) as base:
        while True:
            try:
                back = look(base, folder, task, who=who())
                found = standing(base, task)
                note_due(base, task.name, found, who=who())
            except AssayError as error:
                if every is None:
                    raise
                warn(f"{error}")  # a node that is away comes again
            else:
                said = _back(back) if back is not None else f"nothing to take back; {found.due.said}"
                if back is not None or every is None:
                    output.result({"back": None if back is None else vars(back), "due": found.due.said}, said)
            if every is None:
                return
            _wait(every, interruption.check)


@retrain_app.command("drop")
def drop(
    folder: Here = Path(),
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")],
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """End a retraining that cannot go on; what it spent of the stated error stays spent."""
    from assay.keep.retrain.alone import alone
    from assay.keep.retrain.plan import retrainings
    from assay.keep.retrain.run import drop as end

    task = _task(folder)
    with opened(folder, database) as base, alone(base, task.name):
        found = [one for one in retrainings(base, task.name) if not one.outcome]
        if not found:
            raise NothingOpen(f"no retraining of {task.name} is under way", "See `assay retrain status`.")
        end(base, task.name, found[-1], who=who(), why=reason)
    Output(json=json).result({"number": found[-1].number}, f"{found[-1].subject} is dropped")


def _task(folder: Path) -> Task:
    from assay.project.project import Project

    return Project(folder).task


def _say_ignored(found: Standing, reason: str | None) -> None:
    if found.open is not None and reason not in {None, found.open.trigger.said}:
        warn(f"{found.open.subject} is under way for another reason, so none is begun for this one: {reason}")


def _planned(base: Database, folder: Path, task: Task, found: Standing, reason: str | None) -> Retraining | None:
    from assay.keep.retrain.begin import begin
    from assay.keep.retrain.due import Trigger

    trigger = found.due.trigger if reason is None else Trigger("asked", reason)
    return None if trigger is None else begin(base, folder, task, found, trigger, who=who())


def _standing(found: Standing) -> dict[str, Any]:
    return {
        "champion": found.champion.name,
        "due": found.due.trigger is not None,
        "said": found.due.said,
        "look": found.look.number,
        "error": found.look.error,
    }


def _fields(one: Retraining) -> dict[str, Any]:
    return {
        "number": one.number,
        "plan": one.plan,
        "champion": one.champion,
        "trigger": one.trigger.to_dict(),
        "planned": one.planned.time,
        "steps": one.steps,
        "release": one.release,
        "outcome": one.outcome or None,
        "said": one.said or None,
    }


def _lines(one: Retraining) -> list[str]:
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(one.planned.time))
    lines = [f"{one.subject}  {when}  {one.trigger.said}"]
    lines += [f"  {'holds' if each.holds else 'REFUSES':<8}{each.gate}: {each.said}" for each in one.verdicts]
    told = any(not each.holds for each in one.verdicts)  # then the gates have said why
    return [*lines, f"  {one.outcome or 'under way'}{': ' + one.said if one.said and not told else ''}"]


def _look(found: Standing) -> str:
    if found.look.error <= 0:
        return f"no look at test rows is left: the stated error is spent after {found.look.number - 1}"
    return (
        f"the next look at test rows is number {found.look.number} and may err with a chance of {found.look.error:.3g}"
    )


def _back(found: Back) -> str:
    return f"{found.release} was taken back, and {found.to} decides again: {found.why}"


def _wait(seconds: float, check: Any) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        check()
        time.sleep(min(0.5, seconds))
