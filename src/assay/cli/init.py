"""`assay init`: a new project, from a template and the answers to some questions."""

from __future__ import annotations

import sys
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Json
from assay.cli.output import Output

Template = Annotated[
    str, typer.Option("--template", metavar="NAME", help="What to start from: blank, dynamic-fee or credit-score.")
]
Answer = Annotated[
    list[str] | None,
    typer.Option("--answer", metavar="NAME=VALUE", help="An answer that need not be asked for. May be repeated."),
]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the new project.")],
    *,
    template: Template = "blank",
    answer: Answer = None,
    json: Json = False,
) -> None:
    """Start a project: ask what exists, what is to be predicted and from what, and write task.toml."""
    from assay.project.check import check
    from assay.task.init import init as start

    written = start(folder, template, dict(_pair(text) for text in answer or []), None if json else _ask)
    findings = check(folder).lines()
    fields = {"project": str(folder), "template": template, "files": [str(path) for path in written]}
    said = "".join(f"\n  {line['severity']}: {line['field']}: {line['what']}. {line['todo']}" for line in findings)
    name = quote(str(folder))
    text = f"{written[0]}: written{said}\n  next: assay task check {name}, then assay run {name}"
    Output(json=json).result({**fields, "findings": findings}, text)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text[:60]!r} is not NAME=VALUE", param_hint="--answer")
    return name.strip(), value


def _ask(question: str, default: str | None) -> str:
    """Ask on standard error, read a line of standard input; EOFError at its end."""
    sys.stderr.write(f"{question}{'' if default is None else f' [{default}]'}\n> ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        raise EOFError
    return line.strip()
