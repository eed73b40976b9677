"""`assay outcomes`: what came of answers of the endpoint, brought into the records from a file."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Correct, DatabaseUrl, Here, Json
from assay.cli.output import Output
from assay.cli.records import opened


@app.command()
def outcomes(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV with the columns answer and outcome.")],
    folder: Here = Path(),
    *,
    correct: Correct = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Bring in what came of answers of the endpoint, all or none; the same again changes nothing."""
    from assay.serve.outcome_file import bring_file

    with opened(folder, database) as base:
        new, same = bring_file(base, file, who=getpass.getuser(), correct=correct)
    Output(json=json).result({"new": new, "known": same}, f"{new} outcomes are new, {same} were there already")
