"""`assay solidity`: the verifier contract of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Folder, Json
from assay.cli.output import Output


@app.command()
def solidity(
    folder: Folder,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the Solidity source.")],
    json: Json = False,
) -> None:
    """Write the Solidity source of the contract that verifies this model's proofs."""
    from assay.chain.solidity import solidity as render
    from assay.core import files
    from assay.prove.keys import VERIFYING_KEY_FILE, VerifyingKey

    key = VerifyingKey.load(folder / VERIFYING_KEY_FILE)
    source = render(key)
    files.write(out, source)
    lines = source.count("\n")
    fields = {"source": str(out), "lines": lines, "srs": key.srs_kind, "key": key.check.to_dict()}
    written = f"{out}: verifier contract, {lines} lines, {key.srs_kind} reference string"
    Output(json=json).result(fields, f"{written}\n  {key.check.note}")
