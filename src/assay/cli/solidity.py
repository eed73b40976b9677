"""`assay solidity`: the verifier contract of a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Json, PublicKey, Unchecked
from assay.cli.output import Output, warn


@app.command()
def solidity(
    key: PublicKey,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the Solidity source.")],
    shared: Annotated[
        bool, typer.Option("--shared", help="Write the verifier that all models of this one's shape can share.")
    ] = False,
    unchecked: Unchecked = False,
    json: Json = False,
) -> None:
    """Write the Solidity source of the contract that verifies this model's proofs."""
    from assay.chain.solidity import render_shared
    from assay.chain.solidity import solidity as render
    from assay.core import files
    from assay.prove.keys import VerifyingKey

    loaded = VerifyingKey.load(key)
    own = render_shared(loaded.content, unchecked=unchecked).text if shared else None
    source = own or render(loaded, unchecked=unchecked)
    if not loaded.check.checked:
        warn(loaded.check.note)
    files.write(out, source, over="Written by Assay")
    lines = source.count("\n")
    fields = {"source": str(out), "lines": lines, "srs": loaded.srs_kind, "key": loaded.check.to_dict()}
    kind = "shared verifier contract" if shared else "verifier contract"
    written = f"{out}: {kind}, {lines} lines, {loaded.srs_kind} reference string"
    Output(json=json).result(fields, f"{written}\n  {loaded.check.note}")
