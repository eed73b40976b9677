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
        help="Model file of XGBoost (.json, .ubj), LightGBM (.txt), scikit-learn (.skops) or any other as .onnx.",
    ),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write the circuit and the keys to.")]
Calibration = Annotated[
    Path | None,
    typer.Option(
        "--calibration",
        metavar="ROWS",
        help="Typical rows; the fixed-point range of a linear model's or network's features is theirs.",
    ),
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
Ranges = Annotated[
    list[str] | None,
    typer.Option(
        "--range",
        metavar="FEATURE=LOW..HIGH",
        help="Least and largest value of a network's feature (name or number), instead of calibration rows.",
    ),
]
Dimensions = Annotated[
    list[str] | None,
    typer.Option("--dimension", metavar="NAME=SIZE", help="The size of a dimension that a network leaves open."),
]
Tolerance = Annotated[
    float | None,
    typer.Option(help="How far a network's outputs may stray, as a share of their spread; 0.001 by default."),
]
Iterations = Annotated[int | None, typer.Option("--iterations", min=1, help="Boosting rounds to use.")]


@app.command()
def transpile(
    model: Model,
    *,
    out: Out,
    calibration: Calibration = None,
    inputs: Annotated[
        Inputs, typer.Option(help="Whether proofs show the rows or hide them (not linear models).")
    ] = Inputs.public,
    integer: Integers = None,
    bounds: Ranges = None,
    dimension: Dimensions = None,
    tolerance: Tolerance = None,
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
    from assay.bench.foretell import foretell
    from assay.prove.store import keep_in
    from assay.transpile.api import transpile as convert
    from assay.transpile.rows.rows import read_rows

    integers = dict(_integers(text) for text in integer or [])
    ranges = dict(_range(text) for text in bounds or [])
    dimensions = dict(_size(text) for text in dimension or [])
    with progress("Reading the model") as step:
        circuit = convert(
            model,
            calibration=None if calibration is None else read_rows(calibration, by_position=by_position),
            inputs=inputs.value,
            integer_features=integers or None,
            ranges=ranges or None,
            dimensions=dimensions or None,
            tolerance=tolerance,
            iterations=iterations,
            missing=missing,
            precision=precision.value,
        )
        foretold = foretell(circuit, max_batch=max_batch, srs=srs)
        step(f"Making keys; predicted: {foretold}")
        stored = keep_in(out, circuit, max_batch=max_batch, srs=srs, force=force, progress=step)
    summary = circuit.summary()
    predicted = [("predicted", str(foretold))]
    title = f"{out}: circuit and keys of {model}\n{indent(summary, '  ')}"
    fields = {"summary": summary, "predicted": foretold.to_dict()} | key_fields(stored)
    Output(json=json).table(fields, title, [*predicted, *key_rows(stored)])


def _integers(text: str) -> tuple[str | int, tuple[int, int]]:
    match = re.fullmatch(r"(.+)=(-?[0-9]{1,30})\.\.(-?[0-9]{1,30})", text)
    if match is None:
        raise typer.BadParameter(f"{text[:60]!r} is not FEATURE=LOW..HIGH", param_hint="--integer")
    feature, low, high = match.groups()
    return _feature(feature), (int(low), int(high))


def _range(text: str) -> tuple[str | int, tuple[float, float]]:
    feature, found, limits = text.rpartition("=")
    low, between, high = limits.partition("..")
    try:
        if found and between:
            return _feature(feature), (float(low), float(high))
    except ValueError:
        pass
    raise typer.BadParameter(f"{text[:60]!r} is not FEATURE=LOW..HIGH", param_hint="--range")


def _size(text: str) -> tuple[str, int]:
    match = re.fullmatch(r"(.+)=([0-9]{1,9})", text)
    if match is None:
        raise typer.BadParameter(f"{text[:60]!r} is not NAME=SIZE", param_hint="--dimension")
    return match[1], int(match[2])


def _feature(text: str) -> str | int:
    return int(text) if text.isdecimal() else text
