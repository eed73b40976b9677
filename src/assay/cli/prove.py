"""`assay prove`: rows -> one proof of what the model says of them all."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.answers import answered, shown
from assay.cli.app import app
from assay.cli.options import ByPosition, Json, Rows, SecretKey
from assay.cli.output import Output, progress, size


@app.command()
def prove(
    key: SecretKey,
    *,
    rows: Rows,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to write the proof (JSON).")],
    opening: Annotated[
        Path | None,
        typer.Option("--opening", metavar="FILE", help="Private inputs: 32 secret bytes that blind the commitment."),
    ] = None,
    by_position: ByPosition = False,
    context: Annotated[
        str,
        typer.Option("--context", metavar="WORD", help="A number, or 0x and hex digits, that the proof is bound to."),
    ] = "0",
    saturate: Annotated[
        bool,
        typer.Option("--saturate", help="Prove the end of the range where a value is outside it, and say so."),
    ] = False,
    json: Json = False,
) -> None:
    """Prove the model's outputs for every row, in one proof."""
    from assay.core import files
    from assay.prove.keys import ProvingKey
    from assay.prove.prove import prove as make
    from assay.prove.prove import read_context
    from assay.transpile.rows import ended
    from assay.transpile.rows.rows import read_rows
    from assay.transpile.rows.saturated import shown as told
    from assay.transpile.rows.windows import windowed

    word = read_context(context)
    with progress("Reading the key") as step:
        loaded = ProvingKey.load(key)
        given = read_rows(rows, by_position=by_position)
        inputs, window = windowed(given, loaded.features)
        blinding = None if opening is None else files.read(opening)
        step("Proving")
        proof = make(loaded, inputs, opening=blinding, context=word, saturate=saturate)
        files.write(out, proof.to_json(), over='"assay-proof/')
    changed = loaded.rounded(inputs)
    rounding = [("rounded", f"{changed} of {proof.rows} rows: numbers that are no float32, which the key is for")]
    rounding = rounding if changed else []
    if window > 1:
        rounding.append(("windows", f"of {window} rows each, in the order of the file, which has {given.rows}"))
    fields = {
        "proof": str(out),
        "rows": proof.rows,
        "outputs": proof.outputs.tolist(),
        **answered(proof, loaded.answers),
        "proof_bytes": len(proof.body),
        "public_inputs": len(proof.public_inputs),
        "context": hex(proof.context),
        "srs": proof.srs_kind,
        "rows_rounded": changed,
        "window": window,
        **proof.remarks,
    }
    if proof.saturated:
        rounding.append(("saturated", told(proof.saturated)))
    if proof.ended:
        rounding.append(("ended", f"{ended.shown(proof.ended)}: {ended.SAID}"))
    Output(json=json).table(
        fields,
        f"{out}: a proof of {proof.rows} row{'s' * (proof.rows != 1)}",
        [
            ("proof", size(len(proof.body))),
            ("public inputs", str(len(proof.public_inputs))),
            ("reference string", proof.srs_kind),
            *shown(proof, loaded.answers),
            *rounding,
        ],
    )
