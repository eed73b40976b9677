"""`assay dispute`: everything that is known of one answer, for a stranger to check."""

from __future__ import annotations

from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output
from assay.cli.records import opened
from assay.core import files, jsontext
from assay.core.errors import AssayError


@app.command()
def dispute(
    answer: Annotated[str, typer.Argument(metavar="ID", help="The answer's id.")],
    folder: Here = Path(),
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it.")],
    row: Annotated[
        Path | None,
        typer.Option(
            "--row", metavar="FILE", help="The answer's rows, a list of lists in JSON, if they were forgotten here."
        ),
    ] = None,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Write one file with an answer's row, proof, release, history and transactions; `assay verify FILE` checks it."""
    from assay.keep.dispute import make

    with opened(folder, database) as base:
        make(base, answer, out, rows=None if row is None else _read(row))
    Output(json=json).result(
        {"answer": answer, "file": str(out)},
        f"{out}: everything that is known of {answer}, its row too. "
        f"Anyone checks it by `assay verify {quote(str(out))}`.",
    )


class RowsUnreadable(AssayError):
    """The file with the rows is no JSON."""

    code = "keep/rows-unreadable"


def _read(path: Path) -> Any:
    try:
        return jsontext.parse(files.read(path))
    except ValueError:
        raise RowsUnreadable(f"{path} is no JSON", "Give a list of rows, each a list of numbers and null.") from None
