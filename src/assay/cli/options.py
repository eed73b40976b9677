"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CIRCUIT_FILE = "circuit.json"

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `assay transpile` wrote.")]
PublicKey = Annotated[
    Path, typer.Argument(metavar="KEY", help="The verifying key's file, or the folder that it is in.")
]
SecretKey = Annotated[Path, typer.Argument(metavar="KEY", help="The proving key's file, or the folder that it is in.")]
Rows = Annotated[
    Path,
    typer.Option("--input", metavar="ROWS", help='Rows: .json ({"inputs": [[...], ...]}), .csv, .npy or .parquet.'),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, and nothing else.")]
Srs = Annotated[
    Path | None, typer.Option("--srs", metavar="FILE", help="Reference string to use instead of the cache.")
]
MaxBatch = Annotated[int | None, typer.Option("--max-batch", min=1, help="Most rows that one proof may cover.")]
Force = Annotated[
    bool,
    typer.Option("--force", help="If DIR has the proving key of another model, move it to DIR/replaced and say so."),
]
Unchecked = Annotated[
    bool,
    typer.Option("--unchecked", help="Rely on a key that says it is of a ceremony although nothing here confirms it."),
]
Here = Annotated[Path, typer.Option("-C", metavar="DIR", help="Folder of the project; by default this one.")]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="ASSAY_DATABASE",
        help="postgresql://... or sqlite:///...; by default the project's own file.",
    ),
]
ChainName = Annotated[
    str | None,
    typer.Option("--chain", metavar="NAME", help="A [chains.NAME] of task.toml; by default the one that counts."),
]
Correct = Annotated[
    str | None, typer.Option("--correct", metavar="REASON", help="Change outcomes that are there already.")
]
Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="Holds the passphrase; else it is asked.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before money is spent.")]
Project = Annotated[
    Path, typer.Argument(metavar="DIR", help="Folder of the project (with task.toml); `-C DIR` says it, too.")
]
ByPosition = Annotated[
    bool,
    typer.Option("--by-position", help="The rows' columns stand in the model's order, whatever their header says."),
]
