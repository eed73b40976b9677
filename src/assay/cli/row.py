"""`assay row`: the contract that makes the model's row."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import app
from assay.cli.options import CIRCUIT_FILE, DatabaseUrl, Json, Project
from assay.cli.output import Output

if TYPE_CHECKING:
    from assay.task.task import Task
    from assay.transpile.circuit.circuit import Circuit


@app.command()
def row(
    project: Project = Path(),
    *,
    circuit: Annotated[
        Path | None,
        typer.Option("--circuit", metavar="FILE", help="The model's circuit.json; by default the decision's."),
    ] = None,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="V", help="Of this release instead: its own task and its own circuit."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Where to write it; by default contracts/Row.sol of the project."),
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Write the contract that computes the model's row, from the market's own history or another contract's state."""
    from assay.bench.decision import CHOSEN
    from assay.chain.row import WRITTEN, library_files, row_contract
    from assay.core import files
    from assay.project.errors import StepMissing
    from assay.project.steps import DECISION
    from assay.task.onchain import kind_of
    from assay.task.task import Task
    from assay.task.templates import library
    from assay.transpile.circuit.circuit import Circuit

    if release is not None and circuit is not None:
        raise typer.BadParameter("a release has a circuit of its own", param_hint="--circuit")
    if release is not None:
        task, model = _released(project, release, database)
    else:
        task = Task.load(project)
        if circuit is None and not (project / DECISION / CHOSEN).exists():
            raise StepMissing(f"{project} has no decision with a model", "Run `assay decide` first, or `assay run`.")
        model = Circuit.load(circuit or project / DECISION / CHOSEN / CIRCUIT_FILE)
    source = row_contract(task, model)
    place = out or project / "contracts" / "Row.sol"
    files.write(place, source, over=WRITTEN)
    # What it imports, where it is not there: what is there may be a person's own.
    lacking = {name: text for name, text in library(library_files(task)).items() if not (project / name).exists()}
    for name, text in lacking.items() if out is None else ():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        files.write(project / name, text)
    fields = {"source": str(place), "features": [feature.name for feature in model.features]}
    of = "proofs of another contract's state" if kind_of(task.data) == "state" else "the market's own history"
    Output(json=json).result(fields, f"{place}: a row of {len(model.features)} words from {of}")


def _released(project: Path, version: str, database: str | None) -> tuple[Task, Circuit]:
    """The task and the circuit of a release."""
    from assay.cli.records import opened
    from assay.project.project import Project as Folder
    from assay.record import releases
    from assay.release.features import task_of
    from assay.settle.rows import circuit_of

    with opened(project, database) as base:
        found = releases.get(base, Folder(project).task.name, version)
        return task_of(base, found), circuit_of(base, found)
