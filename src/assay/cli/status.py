"""`assay status`: what of a project is fresh, stale or missing, and why."""

from __future__ import annotations

from pathlib import Path

from assay.cli.app import app
from assay.cli.options import Json, Project
from assay.cli.output import Output


@app.command()
def status(project: Project = Path(), *, json: Json = False) -> None:
    """Show what of a project is fresh, stale or missing, and why."""
    from assay.project.project import Project as Opened

    found = Opened(project).status()
    fields = {"project": str(project), "steps": [step.to_dict() for step in found]}
    Output(json=json).result(fields, "\n".join(map(str, found)))
