"""`assay forget`: rows of answers that have ended are deleted; what was answered, and salted digests, stay."""

from __future__ import annotations

import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output
from assay.cli.records import opened
from assay.core.errors import AssayError

if TYPE_CHECKING:
    from assay.record.answers import Forgotten


class NothingNamed(AssayError):
    """It is not said what to forget."""

    code = "forget/nothing-named"


class NotForgotten(AssayError):
    """An answer that is named keeps its row."""

    code = "forget/not-ended"


@app.command()
def forget(
    answer: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Answers by their ids.")] = None,
    folder: Here = Path(),
    *,
    key: Annotated[str | None, typer.Option("--key", metavar="ID", help="All answers of this API key.")] = None,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="TIME", help='Those of this project asked for so long ago: "30d", "12h".'),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the history keeps it.")] = "asked to",
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Delete rows, and proofs that show them, for good. Answers, their digests and the history stay."""
    from assay.project.project import Project
    from assay.record import answers, releases
    from assay.serve.forget import forget as delete

    if not answer and key is None and older_than is None:
        raise NothingNamed("it is not said whose rows to forget", "Name answers, or give --key or --older-than.")
    before = None if older_than is None else time.time() - _seconds(older_than)
    with opened(folder, database) as base:
        waiting = [name for name in answer or [] if not answers.get(base, name).ended]
        if waiting:
            raise NotForgotten(
                f"{waiting[0]} has not ended and needs its row; nothing was forgotten", "Take it back, or wait."
            )
        several = len({one.project for one in releases.find(base)}) > 1
        # An age alone is of the folder's project; ids and API keys say by themselves whose rows they mean.
        project = Project(folder).task.name if several and not answer and key is None else None
        found = delete(base, who=getpass.getuser(), why=reason, ids=answer or [], owner=key, before=before, of=project)
    fields = {"rows": found.rows, "proofs": found.proofs, "on_chain": found.sent}
    Output(json=json).result(fields, _said(found))


def _seconds(text: str) -> int:
    from assay.task.fields import seconds

    try:
        return seconds(text)
    except ValueError as error:
        raise NothingNamed(f"--older-than: {error}", "Nothing was forgotten.") from None


def _said(found: Forgotten) -> str:
    chain = f" {found.sent} of these rows are in transactions on a chain, and stay there." if found.sent else ""
    return (
        f"forgotten: the rows of {found.rows} answers, and {found.proofs} proofs that showed them.{chain}\n"
        "Backups and disputes still have what they had, as have tables of [[outputs]] until they are next written."
    )
