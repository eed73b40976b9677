"""`assay report`: the report and the model card."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Json, Project
from assay.cli.output import Output, progress, warn


class Reader(StrEnum):
    """Whom a page is for."""

    people = "people"


@app.command()
def report(
    project: Project = Path(),
    *,
    reader: Annotated[
        Reader | None,
        typer.Option("--for", help="people: write people.html, for those whom the answers are about."),
    ] = None,
    json: Json = False,
) -> None:
    """Write report.html and model-card.md of a project that has come to a decision."""
    from assay.project.project import Project as Opened
    from assay.project.steps import STEPS
    from assay.report.people import unsaid
    from assay.report.write import write_for_people

    if reader is not None:
        with progress("Writing the page"):
            page = write_for_people(project)
        silent = unsaid(Opened(project).task)
        if silent:
            warn(f"[people] of task.toml does not say {', '.join(silent)}; the page tells its readers so")
        written = {"files": [str(page)], "unsaid": silent}
        Output(json=json).result(written, f"{page}: written, for those whom the answers are about")
        return

    with progress("Writing the report") as step:
        seconds = Opened(project).step("report", progress=step)
    files = [str(project / name) for name in STEPS[-1].makes]
    fields = {"files": files, "fresh": seconds is None}
    Output(json=json).result(
        fields, "\n".join(f"{file}: {'fresh' if seconds is None else 'written'}" for file in files)
    )
