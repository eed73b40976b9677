"""`assay up`: the service, all of it by one command."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here
from assay.core.errors import AssayError


class UnknownPart(AssayError):
    """A part of the service that there is not."""

    code = "serve/unknown-part"


@app.command()
def up(
    folder: Here = Path(),
    *,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where it listens; 0 takes a free one.")] = 8787,
    host: Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Address it listens on.")] = "127.0.0.1",
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="Another name requests may be for; repeat it."),
    ] = None,
    database: DatabaseUrl = None,
    chain: Annotated[
        str | None,
        typer.Option(
            "--chain",
            metavar="NAME",
            help="A [chains.NAME] of task.toml to settle on, or none; by default the one that counts, if it has a "
            "node and a consumer.",
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="PARTS", help="Run these parts only: api,work,live,settle,outputs,watch."),
    ] = None,
) -> None:
    """Serve the project's releases: the endpoint, a prover, and settlement on a chain. Ctrl-C ends it."""
    from assay.keep.watch.part import WATCHING
    from assay.project.project import Project
    from assay.record.database import Database
    from assay.release.alias import champion
    from assay.serve.live import followable
    from assay.serve.settings import Settings
    from assay.serve.settle import settling
    from assay.serve.up import PARTS
    from assay.serve.up import up as start

    chosen = PARTS if only is None else tuple(part.strip() for part in only.split(","))
    unknown = [part for part in chosen if part not in PARTS]
    if unknown:
        raise UnknownPart(f'no part is called "{unknown[0]:.40}"', f"They are {', '.join(PARTS)}.")
    task = Project(folder).task
    opened = Database.of_project(folder, database)
    address = opened.address
    if only is None and champion(opened, task.name) is None:
        _tell("nothing is answered yet: no release decides (`assay release create`)")
    named = settling(opened, task, chain, _tell if only is None else _quiet)
    still = followable(opened, task.name) if only is None and named else ""
    opened.close()
    if still:
        _tell(f"no chain is followed: {still}")
    settings = Settings(
        folder,
        address,
        task.name,
        host,
        port,
        tuple(allow_host or ()),
        chain=named,
        outputs=task.outputs,
        keep_rows=task.serve.keep_seconds,
    )
    idle = set() if only is not None else {"settle", "live"} if named is None else {"live"} if still else set()
    idle |= set() if only is not None or task.outputs else {"outputs"}
    parts = [part for part in PARTS if part in chosen and part not in idle]
    start(settings, parts, _tell, WATCHING)


def _quiet(_text: str) -> None:
    pass


def _tell(text: str) -> None:
    with suppress(OSError):  # nobody reads it any more; the service goes on
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
