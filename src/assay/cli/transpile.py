"""`assay transpile`: a trained model's file -> circuit and keys."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from textwrap import indent
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import ByPosition, Force, Json, MaxBatch, Srs
from assay.cli.output import Output, progress
from assay.cli.setup import key_fields, key_rows


class Inputs(StrEnum):
    """Whether the verifier sees the rows."""

    public = "public"
    private = "private"


class Precision(StrEnum):
    """What words are keys of."""

    auto = "auto"
    float32 = "float32"
    float64 = "float64"


Model = Annotated[
    Path,
    typer.Argument(
        metavar="MODEL",
        help="Model file of XGBoost (.json, .ubj), LightGBM (.txt) or scikit-learn (.skops).",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write the circuit and the keys to.")]
Calibration = Annotated[
    Path | None,
    typer.Option("--calibration", metavar="ROWS", help="Typical rows; a linear model's fixed-point range is theirs."),
]
Integers = Annotated[
    list[str] | None,
    typer.Option(
        "--integer",
        metavar="FEATURE=LOW..HIGH",
        help="A feature (name or number) of whole numbers, compared exactly. May be repeated.",
    ),
]
Absent = Annotated[
    float | None,
    typer.Option(
        "--missing",
        metavar="NUMBER",
        help="A number that stands for a missing value, as XGBoost's `missing`; model files do not say it.",
    ),
]
Iterations = Annotated[int | None, typer.Option("--iterations", min=1, help="Boosting rounds to use.")]


@app.command()
def transpile(
    model: Model,
    *,
    out: Out,
    calibration: Calibration = None,
    inputs: Annotated[
        Inputs, typer.Option(help="Whether proofs show the rows or hide them (trees only).")
    ] = Inputs.public,
    integer: Integers = None,
    iterations: Iterations = None,
    missing: Absent = None,
    precision: Annotated[
        Precision, typer.Option(help="Keys of float32, or of doubles (64 bits, dearer), in tree models.")
    ] = Precision.auto,
    by_position: ByPosition = False,
    max_batch: MaxBatch = None,
    srs: Srs = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Turn a trained model into a circuit, a proving key and a verifying key."""
    from assay.prove.store import keep_in
    from assay.transpile.api import transpile as convert
    from assay.transpile.rows.rows import read_rows

    ranges = dict(_range(text) for text in integer or [])
    with progress("Reading the model") as step:
        circuit = convert(
            model,
            calibration=None if calibration is None else read_rows(calibration, by_position=by_position),
            inputs=inputs.value,
            integer_features=ranges or None,
            iterations=iterations,
            missing=missing,
            precision=precision.value,
        )
        stored = keep_in(out, circuit, max_batch=max_batch, srs=srs, force=force, progress=step)
    summary = circuit.summary()
    title = f"{out}: circuit and keys of {model}\n{indent(summary, '  ')}"
    Output(json=json).table({"summary": summary} | key_fields(stored), title, key_rows(stored))


def _range(text: str) -> tuple[str | int, tuple[int, int]]:
    match = re.fullmatch(r"(.+)=(-?[0-9]{1,30})\.\.(-?[0-9]{1,30})", text)
    if match is None:
        raise typer.BadParameter(f"{text[:60]!r} is not FEATURE=LOW..HIGH", param_hint="--integer")
    feature, low, high = match.groups()
    return int(feature) if feature.isdecimal() else feature, (int(low), int(high))
