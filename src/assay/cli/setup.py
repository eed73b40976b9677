"""`assay setup`: a circuit -> its two keys."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import app
from assay.cli.options import Force, Json, MaxBatch, Srs
from assay.cli.output import Output, progress, size

if TYPE_CHECKING:
    from assay.prove.store import Stored


class Visibility(StrEnum):
    """Whether the model is hidden."""

    HIDDEN = "hidden"
    PUBLIC = "public"


Circuit = Annotated[
    Path, typer.Argument(metavar="CIRCUIT", help="A circuit.json that `assay transpile` wrote, or its folder.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder to write circuit and keys to; by default that of the circuit."),
]


@app.command()
def setup(
    circuit: Circuit,
    *,
    out: Out = None,
    max_batch: MaxBatch = None,
    srs: Srs = None,
    model: Annotated[
        Visibility,
        typer.Option("--model", help="public: also write a network's weights, for everybody to check the key by."),
    ] = Visibility.HIDDEN,
    force: Force = False,
    json: Json = False,
) -> None:
    """Make the proving and the verifying key of a circuit; keys that fit it already are kept."""
    from assay.prove.store import keep_in
    from assay.transpile.circuit.circuit import Circuit as Loaded

    with progress("Reading the circuit") as step:
        found = Loaded.load(circuit)
        folder = out or (circuit if circuit.is_dir() else circuit.parent)
        stored = keep_in(folder, found, max_batch=max_batch, srs=srs, force=force, progress=step)
        fields, rows = key_fields(stored), key_rows(stored)
        if model is Visibility.PUBLIC:
            from assay.core import documents
            from assay.prove.published import FILE, publish

            place = stored.folder / FILE
            documents.write(place, publish(stored.keys))
            fields, rows = fields | {"published": str(place)}, [*rows, ("published model", str(place))]
    Output(json=json).table(fields, f"{folder}: circuit and keys", rows)


def key_fields(stored: Stored) -> dict[str, Any]:
    """What is said of keys, as JSON."""
    key = stored.keys.proving_key
    return {
        "folder": str(stored.folder),
        "modelId": stored.keys.model_id,
        "kept": stored.kept,
        "note": stored.note,
        "proving_key_bytes": len(key),
        "verifying_key_bytes": len(stored.keys.verifying_key),
        "max_batch": key.max_batch,
        "srs": key.srs_kind,
    }


def key_rows(stored: Stored) -> list[tuple[str, str]]:
    """What is said of keys, for people."""
    key = stored.keys.proving_key
    return [
        ("model", stored.keys.model_id),
        ("keys", stored.note),
        ("proving key", size(len(key))),
        ("verifying key", size(len(stored.keys.verifying_key))),
        ("rows a proof", f"up to {key.max_batch}"),
        ("reference string", key.srs_kind),
    ]
