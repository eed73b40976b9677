"""`assay report`: the report and the model card."""

from __future__ import annotations

from pathlib import Path

from assay.cli.app import app
from assay.cli.options import Json, Project
from assay.cli.output import Output, progress


@app.command()
def report(project: Project = Path(), *, json: Json = False) -> None:
    """Write report.html and model-card.md of a project that has come to a decision."""
    from assay.project.project import Project as Opened
    from assay.project.steps import STEPS

    with progress("Writing the report") as step:
        seconds = Opened(project).step("report", progress=step)
    files = [str(project / name) for name in STEPS[-1].makes]
    fields = {"files": files, "fresh": seconds is None}
    Output(json=json).result(
        fields, "\n".join(f"{file}: {'fresh' if seconds is None else 'written'}" for file in files)
    )
