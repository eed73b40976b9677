"""`assay bench`: what proving this model costs here."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Folder, Json, Rows
from assay.cli.output import Output, progress


@app.command()
def bench(
    folder: Folder,
    *,
    rows: Rows,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Timed repetitions after one to warm up.")] = 5,
    json: Json = False,
) -> None:
    """Measure proving and verifying, memory, sizes, and gas on a local node."""
    from assay.bench.measure import measure

    with progress("Measuring") as step:
        report = measure(folder, rows, runs=runs, progress=step)
    Output(json=json).result(report.to_dict(), str(report))
