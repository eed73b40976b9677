"""`assay backup` and `assay restore`: everything a service knows, in one file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output, progress
from assay.cli.records import opened

if TYPE_CHECKING:
    from assay.keep.backup import Held


@app.command()
def backup(
    folder: Here = Path(),
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write it; never over a file.")],
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Keep everything a service knows in one file; the service may go on meanwhile."""
    from assay.keep.backup import backup as keep

    with progress("Copying the records"), opened(folder, database) as base:
        held = keep(base, folder / ".assay", out)
    text = (
        f"{out}: {_rows(held)}, {held.bytes:,} bytes. It holds proving keys, rows and API keys: only you can read it; "
        "keep it like them. A signer's keystore outside .assay is not in it."
        f"{_kept(held)}"
    )
    Output(json=json).result(_fields(held), text)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `assay backup` wrote.")],
    folder: Here = Path(),
    *,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Make a service from a backup, in an empty folder. The old one must not run any more: both would send."""
    from assay.keep.backup import restore as take

    with progress("Checking and copying the records"):
        held = take(file, folder, database)
    text = (
        f"{folder}: {_rows(held)}, and {', '.join(held.files) or 'no files'}. Every digest and history was checked.\n"
        "Start it with `assay up`, once the old one has ended for good: two services with one account get in each "
        "other's way. What happened after the backup is not in it; transactions sent since are found on the chain."
        f"{_kept(held)}{_lacks(held)}"
    )
    Output(json=json).result(_fields(held), text)


def _lacks(held: Held) -> str:
    return "".join(f"\nNothing is proven here before this is done: {one}" for one in held.lacks)


def _rows(held: Held) -> str:
    names = {"release": "releases", "answer": "answers", "transaction_": "transactions", "event": "events"}
    return ", ".join(f"{held.rows[table]} {name}" for table, name in names.items())


def _kept(held: Held) -> str:
    if not held.with_rows:
        return ""
    return (
        f"\nIt has the rows of {held.with_rows} answers. What is forgotten later (`assay forget`, [serve] keep_rows) "
        "is not forgotten in a backup: delete backups older than rows may be, and forget again after a restore."
    )


def _fields(held: Held) -> dict[str, object]:
    return {
        "rows": held.rows,
        "files": list(held.files),
        "bytes": held.bytes,
        "answers_with_rows": held.with_rows,
        "lacks": list(held.lacks),
    }
