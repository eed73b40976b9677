"""`assay certify`: how good a release is on its test rows, proven row by row."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output, progress, size
from assay.cli.records import opened
from assay.cli.release import who


@app.command()
def certify(
    version: Annotated[
        str | None,
        typer.Argument(metavar="[V]", help="A version such as 3, or a digest's beginning; else what decides."),
    ] = None,
    folder: Here = Path(),
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the certificate (JSON).")],
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Prove every test row under a release's key and write what follows; anyone checks it by `assay verify FILE`."""
    from assay.keep.certify.claim import told
    from assay.keep.certify.make import certify as make
    from assay.keep.errors import NothingToCertify
    from assay.project.project import Project
    from assay.record import journal, releases
    from assay.record.journal import Event
    from assay.release import alias

    with progress("Reading the release") as step, opened(folder, database) as base:
        project = Project(folder).task.name
        asked = version or alias.champion(base, project)
        if asked is None:
            raise NothingToCertify(f"{project} has no release", "Make one: `assay release create`.")
        release = releases.get(base, project, asked)
        made = make(base, release, progress=step)
        digest = made.save(out)
        what = {"digest": release.digest, "certificate": digest, "root": made.root, "claim": made.claim.model_dump()}
        journal.append(base, project, Event("release.certified", release.name, who(), what, why=told(made.claim)))
    fields: dict[str, Any] = {"certificate": str(out), "digest": digest, "release": release.digest, "root": made.root}
    rows = [
        ("claim", told(made.claim)),
        ("proofs", f"{len(made.proofs)} of {len(made.rows):,} rows"),
        ("rows", "hidden: labels alone are in it" if made.hidden else "in it, with their labels"),
        ("root", made.root),
        ("digest", f"{digest}: what a gate can ask for as evidence"),
        ("size", size(out.stat().st_size)),
    ]
    Output(json=json).table(
        fields | {"claim": made.claim.model_dump()}, f"{out}: a certificate of {release.name}", rows
    )
