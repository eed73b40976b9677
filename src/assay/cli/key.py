"""`assay key`: API keys of the service."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import key_app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output
from assay.cli.records import opened


@key_app.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, for the list.")],
    folder: Here = Path(),
    *,
    scope: Annotated[
        list[str],
        typer.Option(
            "--scope", metavar="SCOPE", help="read, infer, prove, settle, observe, promote, admin; repeat it."
        ),
    ],
    per_minute: Annotated[int, typer.Option("--per-minute", min=0, help="Requests a minute; 0 for no limit.")] = 0,
    proof_seconds: Annotated[
        float, typer.Option("--proof-seconds", min=0, help="Seconds of proving an hour; 0 for no limit.")
    ] = 0.0,
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Make an API key. It is shown now and kept nowhere."""
    from assay.serve.keys import make

    with opened(folder, database) as base:
        made, text = make(
            base, name, scope, who=getpass.getuser(), per_minute=per_minute, proof_seconds_per_hour=proof_seconds
        )
    fields = {"id": made.id, "key": text, "name": name, "scopes": sorted(made.scopes)}
    Output(json=json).result(fields, f"{text}\n  id {made.id}, scopes {', '.join(sorted(made.scopes))}; shown only now")


@key_app.command("list")
def list_(folder: Here = Path(), *, database: DatabaseUrl = None, json: Json = False) -> None:
    """List the API keys that are valid, without their secrets."""
    from assay.serve.keys import current

    with opened(folder, database) as base:
        found = current(base)
    items = [
        {"id": one.id, "name": one.name, "scopes": sorted(one.scopes), "per_minute": one.per_minute}
        for one in found.values()
    ]
    lines = [f"{one['id']}  {one['name']}  {', '.join(one['scopes'])}" for one in items]  # type: ignore[arg-type]
    Output(json=json).result({"items": items}, "\n".join(lines) or "no API key yet: the first `assay up` makes one")


@key_app.command("revoke")
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `assay key list` shows it.")],
    folder: Here = Path(),
    *,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept.")],
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """End an API key; services refuse it within two seconds."""
    from assay.record.errors import Unknown
    from assay.serve.keys import current
    from assay.serve.keys import revoke as end

    with opened(folder, database) as base:
        if identity not in current(base):
            raise Unknown(f'there is no API key "{identity:.40}"', "See `assay key list`.")
        end(base, identity, who=getpass.getuser(), why=reason)
    Output(json=json).result({"id": identity, "revoked": True}, f"{identity} is revoked")
