"""`assay experiment`: does the model pay, against what decided before?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import experiment_app
from assay.cli.deploy import confirm, tell
from assay.cli.options import Correct, DatabaseUrl, Here, Json, Yes
from assay.cli.output import Output, progress
from assay.cli.records import opened
from assay.cli.release import who

if TYPE_CHECKING:
    from assay.compare.draft import Looked
    from assay.compare.running import Experiment
    from assay.record.database import Database
    from assay.settle.network import Network
    from assay.task.task import Task

Name = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="An experiment, by name or plan; else the last."),
]

New = Annotated[
    str | None,
    typer.Option("--new", metavar="ARM", help="What is on trial in a new plan: champion (the default), a version."),
]
Design = Annotated[
    str | None,
    typer.Option("--design", metavar="KIND", help="Of a new plan: switchback (the default), entities or shadow."),
]


@experiment_app.command("plan")
def plan(
    folder: Here = Path(),
    *,
    design: Design = None,
    new: New = None,
    past: Annotated[
        Path | None,
        typer.Option("--past", metavar="FILE", help="Measured outcomes of past units, a CSV file; else the dataset's."),
    ] = None,
    json: Json = False,
) -> None:
    """Write experiment.toml with its length and power from the past, or look through the one that is there."""
    from assay.compare.draft import look
    from assay.project.project import Project

    task = Project(folder).task
    with progress("Reading the past") as step:
        found = look(task, folder, design=design, new=new, past=past, told=step)
    Output(json=json).result(_fields(found), _text(found, folder))


def _fields(found: Looked) -> dict[str, Any]:
    return {
        "plan": found.plan.digest,
        "name": found.plan.terms.name,
        "design": found.plan.terms.design,
        "written": found.written,
        "power": found.power,
        "detectable": found.detectable,
        "enough": found.enough,
        "curve": [list(point) for point in found.curve],
        "figure": None if found.figure is None else str(found.figure),
        "said": found.said,
    }


def _text(found: Looked, folder: Path) -> str:
    terms = found.plan.terms
    lines = [f"{folder / 'experiment.toml'}: {'written' if found.written else 'read'}, plan {found.plan.digest[:16]}"]
    for length, share in found.curve:
        lines.append(f"  {length:>7,} units: power {share:.0%}")
    if found.power is not None and terms.aim is not None:
        lines.append(f"as planned: a gain of {terms.aim.smallest_effect:g} is seen in {found.power:.0%} of experiments")
    if found.figure is not None:
        lines.append(f"the figure: {found.figure}")
    lines += [f"note: {one}" for one in found.said]
    lines.append("Nothing is agreed yet: `assay experiment start` freezes it." if found.written else "")
    return "\n".join(line for line in lines if line)


@experiment_app.command("start")
def start(folder: Here = Path(), *, yes: Yes = False, database: DatabaseUrl = None, json: Json = False) -> None:
    """Freeze experiment.toml, bring its digest onto the chain, and deploy what draws; run again, it goes on."""
    from assay.compare.draft import planned
    from assay.compare.running import secret_of
    from assay.compare.start import Starter, commitment, steering, waited
    from assay.project.project import Project

    task = Project(folder).task
    with opened(folder, database) as base:
        made = Starter(base, folder, task, who(), tell)
        plan, on, both, there = made.prepare()
        if not on.local and (there is None or not there.started):
            terms = plan.terms
            tell(
                f"{terms.name}: {terms.design}, {both.new.name} against {terms.arms.old}, blocks {terms.start_block} "
                f"to {terms.end_block} of {on.name}; plan {plan.digest}"
            )
            confirm("Agree to this plan, for good, and deploy its contracts?", yes=yes)
        one = made.run()
        if plan.terms.entities is not None and one.draw is not None:
            steer = steering(on, folder, base, one.draw)
            waited(one, on, steer, secret_of(base, one), told=tell, poll=made.poll)
        anchor = None if one.secret is None else "0x" + commitment(base, one).hex()
        units = planned(plan.terms, folder) if plan.terms.aim is not None else None
    fields: dict[str, Any] = {"name": one.name, "plan": plan.digest, "chain": on.name}
    fields |= {"draw": one.draw, "router": one.router}
    fields |= {"block": one.block, "start_block": plan.terms.start_block, "end_block": plan.terms.end_block}
    fields |= {"commitment": anchor, "units": units}
    lines = [f"{one.name} is agreed on {on.name} since block {one.block}: plan {plan.digest}"]
    if one.draw is not None:
        lines.append(f"draw       {one.draw}")
    if one.router is not None:
        lines.append(f"router     {one.router}  (let your pool, or whoever decides by it, ask this contract)")
    lines.append(f"it runs from block {plan.terms.start_block} to {plan.terms.end_block}; `assay up` looks after it")
    Output(json=json).result(fields, "\n".join(lines))


@experiment_app.command("status")
def status(name: Name = None, folder: Here = Path(), *, database: DatabaseUrl = None, json: Json = False) -> None:
    """Show what an experiment shows so far; the interval holds at every look."""
    from assay.compare.result import result
    from assay.compare.shadow import measured
    from assay.compare.status import fields, text

    with opened(folder, database) as base:
        task, one, on = _there(base, folder, name)
        found = result(base, folder, one, on)
        taken = measured(base, task, on, found) if one.plan.terms.aim is None else None
        changed = _changed(folder, one)
        head = on.node.head()
    said = [*changed, *found.said]
    Output(json=json).result(fields(found, head, taken) | {"said": said}, text(found, head, said, taken))


@experiment_app.command("stop")
def stop(
    name: Name = None,
    folder: Here = Path(),
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept, on the chain too.")],
    yes: Yes = False,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """End an experiment for ever: the process that decided before decides from then on."""
    from assay.compare.errors import NoExperiment
    from assay.compare.stop import stopped

    with opened(folder, database) as base:
        task, one, on = _there(base, folder, name)
        if one.over is not None:
            raise NoExperiment(f"{one.name} is over: {one.over.why}", "See `assay experiment report`.")
        if not on.local:
            confirm(f"Stop {one.name} on {on.name}, for ever?", yes=yes)
        event = stopped(base, task.name, folder, one, on, who=who(), by="person", why=reason, told=tell)
    fields = {"name": one.name, "plan": one.plan.digest, "block": event.block, "why": event.why}
    Output(json=json).result(fields, f"{one.name} is stopped since block {event.block}: {event.why}")


@experiment_app.command("outcomes")
def outcomes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns unit, outcome, perhaps before.")],
    name: Name = None,
    folder: Here = Path(),
    *,
    correct: Correct = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Bring in what came of periods or entities, measured elsewhere; the same again changes nothing."""
    from assay.compare.outcomes import bring

    with opened(folder, database) as base:
        _, one, on = _there(base, folder, name)
        new, same = bring(base, folder, one, on, file, who=who(), correct=correct)
    Output(json=json).result(
        {"name": one.name, "new": new, "known": same}, f"{one.name}: {new} outcomes are new, {same} were there already"
    )


@experiment_app.command("recompute")
def recompute(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="experiment.toml, as it was agreed.")],
    draw: Annotated[str, typer.Argument(metavar="ADDRESS", help="The contract that draws, as the report says it.")],
    folder: Here = Path(),
    *,
    chain: Annotated[
        str | None,
        typer.Option("--chain", metavar="NAME", help="A chain of task.toml, or the address of a node of yours."),
    ] = None,
    entities: Annotated[
        Path | None, typer.Option("--entities", metavar="FILE", help="The list that the plan is about, a CSV file.")
    ] = None,
    units: Annotated[
        Path | None,
        typer.Option("--units", metavar="FILE", help="A report's units.csv: its arms are compared, its gain computed."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Where to write every unit's arm, a CSV file.")
    ] = None,
    json: Json = False,
) -> None:
    """Compute again who got what, from a plan and the chain alone; no records are needed."""
    from assay.cli.address import network_of
    from assay.compare import recompute as again
    from assay.compare.draft import addresses
    from assay.compare.plan import read
    from assay.compare.report import words
    from assay.core import files

    on = network_of(folder, chain)
    listed = None if entities is None else addresses(entities)
    found = again.recompute(read(plan), on, draw, listed)
    shown = None if units is None else again.compared(found, units)
    if out is not None:
        rows = [f"{name},{'new' if new else 'old'},{'yes' if opened else 'no'}" for name, new, opened in found.arms]
        files.write(out, "\n".join(["unit,arm,opened", *rows]) + "\n")
    new = sum(new for _, new, _ in found.arms)
    fields: dict[str, Any] = {"plan": found.one.plan.digest, "chain": on.name, "draw": draw, "block": found.block}
    fields |= {"units": len(found.arms), "new_units": new, "planned": found.planned, "said": found.said}
    fields |= {"arms": {name: "new" if new else "old" for name, new, _ in found.arms}}
    lines = [f"plan {found.one.plan.digest} on {on.name}, by block {found.block}"]
    lines.append(f"{len(found.arms)} of {found.planned} units are over and drawn, {new} of them the new arm's")
    lines += [f"note: {each}" for each in found.said]
    if shown is not None:
        now = shown.now or (None, None, None)
        fields |= {"gain": now[0], "low": now[1], "high": now[2], "verdict": shown.verdict, "doubts": shown.said}
        lines += [f"{units}: every arm is the chain's. {words(shown)}", *(f"note: {each}" for each in shown.said)]
    Output(json=json).result(fields, "\n".join(lines))


def _there(base: Database, folder: Path, name: str | None) -> tuple[Task, Experiment, Network]:
    from assay.compare import running
    from assay.project.project import Project
    from assay.settle.network import network

    task = Project(folder).task
    one = running.named(base, task.name, name)
    return task, one, network(task, one.chain)


def _changed(folder: Path, one: Experiment) -> list[str]:
    """The file beside the project may be another plan by now; what was agreed counts."""
    from assay.compare.plan import PLAN_FILE
    from assay.core.hashing import digest

    path = folder / PLAN_FILE
    if not path.is_file() or digest(path.read_bytes()) == one.plan.digest or one.over is not None:
        return []
    return [f"{path} was changed since {one.name} started: what was agreed then counts, not the file."]


@experiment_app.command("report")
def report(name: Name = None, folder: Here = Path(), *, database: DatabaseUrl = None, json: Json = False) -> None:
    """Write what an experiment showed and what it paid: a page, every unit as CSV, figures; of chain and records."""
    from assay.compare.report import report as write
    from assay.compare.report import summary, words

    with opened(folder, database) as base, progress("Reading the chain and the records"):
        _, one, on = _there(base, folder, name)
        found, total, made = write(base, folder, one, on)
        fields = summary(base, found, total, on) | {"files": [str(path) for path in made]}
    lines = [words(found), *(f"note: {each}" for each in [*_changed(folder, one), *found.said])]
    Output(json=json).result(fields, "\n".join([*lines, *map(str, made)]))
