"""`assay check`: does the circuit say what the model says?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import ByPosition, Folder, Json, Rows
from assay.cli.output import Output, progress


@app.command()
def check(
    folder: Folder,
    *,
    model: Annotated[
        Path, typer.Option("--model", metavar="MODEL", help="The model file that the circuit was made from.")
    ],
    rows: Rows,
    by_position: ByPosition = False,
    json: Json = False,
) -> int:
    """Compare the circuit with the model on rows; exit 1 when they differ more than they may."""
    from assay.transpile.circuit.circuit import Circuit
    from assay.transpile.fidelity.fidelity import fidelity
    from assay.transpile.rows.rows import read_rows
    from assay.transpile.rows.windows import windowed

    with progress("Comparing the circuit with the model"):
        circuit = Circuit.load(folder)
        inputs, _ = windowed(read_rows(rows, by_position=by_position), [one.name for one in circuit.features])
        report = fidelity(circuit, model, inputs)
    Output(json=json).result(report.to_dict(), str(report))
    return 0 if report.ok else 1
