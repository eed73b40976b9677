"""`assay task`: is the question one that can be answered?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import task_app
from assay.cli.options import Json, Project
from assay.cli.output import Output, write

CONTRADICTED = 2


@task_app.command("check")
def check(project: Project = Path(), *, json: Json = False) -> int:
    """Look for contradictions before any work; exit 2 if there are some."""
    from assay.project.check import check as look

    found = look(project)
    lines = found.lines()
    fields = {"task": str(found.path), "ok": not found.contradictions, "findings": lines}
    text = [f"{found.path}: {'contradicts itself' if found.contradictions else 'no contradiction'}"]
    for line in lines:
        where = f"line {line['line']}" if line["line"] else "whole file"
        text.append(f"  {line['severity']}, {where}: {line['field']}: {line['what']}. {line['todo']}")
    Output(json=json).result(fields, "\n".join(text))
    return CONTRADICTED if found.contradictions else 0


@task_app.command("schema")
def schema(
    *,
    json: Annotated[bool, typer.Option("--json", help="The default: the schema is JSON.")] = True,
) -> None:
    """Print the JSON schema of task.toml, for editors."""
    from assay.task.reference import schema_text

    del json
    write(schema_text().rstrip())
