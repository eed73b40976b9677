"""`assay guide` and `assay explain`: what whoever runs the service needs to know, and what an error asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output
from assay.cli.records import opened


@app.command()
def guide(
    folder: Here = Path(),
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write it; else operator.md of the project."),
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Write the operator's guide of this project: its releases, addresses and commands, and what to do when."""
    from assay.core import files
    from assay.keep.guide import guide as write
    from assay.project.project import Project

    task = Project(folder).task
    place = out or folder / "operator.md"
    with opened(folder, database) as base:
        files.write(place, write(base, folder, task), over="# Running ")
    Output(json=json).result({"file": str(place)}, f"{place}: how {task.name} is run, and what to do when")


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="An error's code, such as settle/out-of-funds.")],
    *,
    json: Json = False,
) -> None:
    """Say what an error of the service means and what to do: its entry of the runbook."""
    from assay.keep.explain import explain as find

    found = find(code)
    Output(json=json).result({"code": found.name, "text": found.text}, f"{found.name}\n\n{found.text}")
