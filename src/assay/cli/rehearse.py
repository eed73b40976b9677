"""`assay rehearse`: everything on a local chain, with what goes wrong, before it counts."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.deploy import release_named, tell
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output
from assay.cli.records import opened
from assay.cli.release import who

FAILED = 1
FOLDER = "rehearsals"


@app.command()
def rehearse(
    version: Annotated[
        str | None, typer.Argument(metavar="V", help="Version or digest of a release; by default the one that decides.")
    ] = None,
    folder: Here = Path(),
    *,
    periods: Annotated[int, typer.Option("--periods", min=4, help="Rows of the test set that are replayed.")] = 14,
    seed: Annotated[int, typer.Option("--seed", help="Of what is drawn.")] = 1,
    database: DatabaseUrl = None,
    json: Json = False,
) -> int:
    """Play periods of a release on a local chain: contracts, service, settlements, and what goes wrong.

    Exit 0 when everything holds, 1 when something does not, 2 when it could not be played.
    """
    from assay.core import files
    from assay.project.project import Project
    from assay.rehearse.rehearse import rehearse as play

    task = Project(folder).task
    with opened(folder, database) as base:
        found = release_named(base, task.name, version)
        done, html = play(base, folder, task, found, who=who(), periods=periods, seed=seed, told=tell)
    place = folder / FOLDER
    name = f"{found.version}-{done.when:.0f}"
    files.write(place / f"{name}.html", html)
    files.write(place / f"{name}.json", json_module.dumps(done.to_dict(), indent=1) + "\n")
    marks = {True: "holds", False: "FAILS", None: "open"}
    lines = [f"  {marks[one.holds]:<6} {one.name}: {one.said}" for one in done.findings]
    verdict = "passed its rehearsal" if done.passed else "did NOT pass its rehearsal"
    text = "\n".join([f"{found.name} {verdict}", *lines, f"its report: {place / f'{name}.html'}"])
    Output(json=json).result(done.to_dict() | {"report": str(place / f"{name}.html")}, text)
    return 0 if done.passed else FAILED
