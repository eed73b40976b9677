"""`assay srs`: generate, import and list reference strings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import srs_app
from assay.cli.options import Json
from assay.cli.output import Output, progress

if TYPE_CHECKING:
    from assay.prove.srs import Srs


@srs_app.command("generate")
def generate(
    *,
    log_degree: Annotated[int, typer.Option("--log-degree", min=1, max=24, help="Degree as a power of two.")] = 17,
    json: Json = False,
) -> None:
    """Generate a development string in the cache: fast, and only as trustworthy as this machine."""
    from assay.prove.srs import generate as make

    with progress("Generating a development reference string"):
        srs = make(1 << log_degree)
    Output(json=json).table(_fields(srs), "generated", _rows(srs))


@srs_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A ceremony's .ptau, or arkworks UniversalParams.")],
    *,
    expect: Annotated[
        str | None,
        typer.Option("--expect", metavar="NAME|TAU", help="Refuse any string but this one: a ceremony, or [tau]_2."),
    ] = None,
    json: Json = False,
) -> None:
    """Check a ceremony's file in full and keep it in the cache; later keys are made with it."""
    from assay.prove.srs import import_file

    with progress("Checking every power of the reference string"):
        srs = import_file(file, expect=expect)
    Output(json=json).table(_fields(srs), f"imported {file}", _rows(srs))


@srs_app.command("info")
def info(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A reference string; the whole cache if absent.")
    ] = None,
    *,
    json: Json = False,
) -> None:
    """Say what a reference string is, or which ones are in the cache."""
    from assay.prove.origin import origin
    from assay.prove.srs import available, cache_folder, read

    output = Output(json=json)
    if file is not None:
        srs = read(file)
        output.table(_fields(srs), str(file), _rows(srs))
        return
    found = available()
    rows = [(srs.kind, f"degree {srs.degree}, {srs.digest[:16]}, {origin(srs.path)}") for srs in found]
    title = str(cache_folder()) if found else f"{cache_folder()}: empty"
    output.table({"folder": str(cache_folder()), "strings": [_fields(srs) for srs in found]}, title, rows)


def _fields(srs: Srs) -> dict[str, Any]:
    from assay.prove.origin import origin

    fields = {"path": str(srs.path), "kind": srs.kind, "degree": srs.degree, "digest": srs.digest}
    return fields | origin(srs.path).to_dict()


def _rows(srs: Srs) -> list[tuple[str, str]]:
    from assay.prove.origin import origin

    source = origin(srs.path)
    tau = [source.tau_g2[at : at + 64] for at in range(0, len(source.tau_g2), 64)]
    names = ["[tau]_2", "", "", ""]
    return [
        ("kind", srs.kind),
        ("origin", str(source)),
        ("degree", str(srs.degree)),
        ("digest", srs.digest),
        *zip(names, tau, strict=True),
        ("file", str(srs.path)),
    ]
