"""`assay run`: everything up to the decision, and only what is not fresh."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Json, Project
from assay.cli.output import Output, progress

if TYPE_CHECKING:
    from assay.project.project import Run

NONE_QUALIFIED = 3


class Until(StrEnum):
    """The last step."""

    data = "data"
    explore = "explore"
    decide = "decide"
    report = "report"


@app.command()
def run(
    project: Project = Path(),
    *,
    until: Annotated[Until, typer.Option(help="The last step to do.")] = Until.decide,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that train at once; else the task's.")
    ] = None,
    ray: Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help="A Ray cluster to train on.")] = None,
    json: Json = False,
) -> int:
    """Do every step that is not fresh; exit 3 if no candidate qualifies."""
    from assay.project.project import Project as Opened

    with progress("Reading the task") as step:
        done = Opened(project).run(until.value, workers=workers, ray=ray, progress=step)
    Output(json=json).result(done.to_dict(), _text(done))
    return NONE_QUALIFIED if done.decided and done.chosen is None else 0


def _text(done: Run) -> str:
    from assay.project.status import duration

    lines = [f"{name:<8} done in {duration(seconds)}" for name, seconds in done.ran.items()]
    lines += [f"{name:<8} fresh" for name in done.kept]
    lines += [f"  {note}" for note in done.notes]
    if done.decided:
        lines.append(f"chosen: {done.chosen}" if done.chosen else "no candidate meets every limit")
        lines += [f"  {reason}" for reason in (*done.reasons, done.key) if reason]
    return "\n".join(lines)
