"""`assay verify`: does it hold? A proof, a key, a release, a dispute file, a certificate, an address of a chain."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli.answers import answered, lines
from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here, Json, Unchecked
from assay.cli.output import Output, warn
from assay.core.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from assay.keep.dispute import Finding
    from assay.prove.keys import VerifyingKey

INVALID = 1
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")


class KeyNeeded(AssayError):
    """A proof was given without the key that it is checked under."""

    code = "cli/key-needed"


@app.command()
def verify(
    key: Annotated[
        Path,
        typer.Argument(
            metavar="WHAT",
            help="A verifying key or its folder; alone also the file of a release or a dispute, a certificate, or a "
            "chain's 0xADDRESS.",
        ),
    ],
    proof: Annotated[
        Path | None, typer.Argument(metavar="[PROOF]", help="The file that `assay prove` wrote, of this key.")
    ] = None,
    *,
    chain: Annotated[
        str | None,
        typer.Option(
            "--chain",
            metavar="NAME|URL",
            help="Of an address or a certificate: a [chains.NAME] of task.toml, or a node.",
        ),
    ] = None,
    of_key: Annotated[
        Path | None, typer.Option("--key", metavar="KEY", help="Of an address: the key that its code must be of.")
    ] = None,
    release: Annotated[
        str | None,
        typer.Option("--release", metavar="FILE|V", help="Of an address: the release that its code must be of."),
    ] = None,
    registry: Annotated[
        str | None,
        typer.Option("--registry", metavar="ADDRESS", help="Of an address or a certificate: the registry to look in."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option("--model", metavar="FILE", help="Of a network's key: the published model that it must be of."),
    ] = None,
    folder: Here = Path(),
    database: DatabaseUrl = None,
    unchecked: Unchecked = False,
    json: Json = False,
) -> int:
    """Check a proof under a key, or alone a key, a release, a dispute file, a certificate, or what is at an address.

    Exit 0 when it holds, 1 when it does not, 2 when it cannot be read or is another model's.
    """
    if _ADDRESS.match(str(key)):
        if model is not None:
            raise KeyNeeded("--model is of a key, and an address was given", "Give the key's file.")
        from assay.cli.address import verify_address

        found = verify_address(
            str(key), chain, of_key, release, registry, folder=folder, database=database, unchecked=unchecked
        )
        return _findings(str(key), found, Output(json=json))
    from assay.keep.certify.certificate import is_certificate

    given = {"--chain": chain, "--key": of_key, "--release": release, "--registry": registry}
    if proof is None and is_certificate(key):
        _refuse_spare({"--key": of_key, "--release": release, "--model": model}, "an address or a key", key)
        from assay.cli.address import verify_certificate

        found = verify_certificate(key, chain, registry, folder=folder, database=database, unchecked=unchecked)
        return _findings(str(key), found, Output(json=json))
    _refuse_spare(given, "an address", key)
    if proof is None:
        return _alone(key, model, Output(json=json), unchecked=unchecked)
    from assay.core import files
    from assay.prove.errors import InvalidProof, OtherModel
    from assay.prove.keys import VerifyingKey
    from assay.prove.proof import Proof
    from assay.prove.verify import verify as accept
    from assay.transpile.rows import ended
    from assay.transpile.rows.saturated import shown as told

    output = Output(json=json)
    loaded = VerifyingKey.load(key)
    text = files.read(proof)
    weights = {} if model is None else {"weights": _confirmed(loaded, model)}
    try:
        shown = Proof.from_json(text)
        accept(loaded, shown, unchecked=unchecked)
    except OtherModel:
        raise  # the wrong files were given: nothing is known of the proof itself
    except InvalidProof as error:
        fields = {"valid": False, "code": error.code, "reason": str(error)}
        output.result(fields, f"{proof}: NOT VALID [{error.code}]: {error}")
        return INVALID
    warning = " (development reference string: do not rely on it outside tests)" * (loaded.srs_kind == "development")
    fields = {"valid": True, "rows": shown.rows, "outputs": shown.outputs.tolist(), "srs": loaded.srs_kind}
    fields |= answered(shown, loaded.answers) | {"context": hex(shown.context)} | shown.remarks
    moved = ""
    if shown.saturated:
        moved = f"\n  its maker says that values were outside their range: {told(shown.saturated)}"
    if shown.ended:
        moved += f"\n  its maker says that {ended.SAID}: {ended.shown(shown.ended)}"
    valid = f"{proof}: valid, {shown.rows} row{'s' * (shown.rows != 1)}, context {shown.context:#x}{warning}"
    if not loaded.check.checked:
        warn(loaded.check.note)
    notes = "".join(f"\n  {note}" for note in (loaded.check.note, *weights.values()))
    output.result(
        fields | {"key": loaded.check.to_dict()} | weights, f"{valid}{lines(shown, loaded.answers)}{moved}{notes}"
    )
    return 0


def _refuse_spare(given: Mapping[str, object], of: str, what: Path) -> None:
    if spare := [name for name, value in given.items() if value is not None]:
        raise KeyNeeded(f"{spare[0]} is of {of}, and {what} is none", "Leave it out, or give 0x and 40 digits.")


def _confirmed(key: VerifyingKey, model: Path) -> str:
    from assay.prove.published import confirm, read

    return confirm(key, read(model))


def _alone(what: Path, model: Path | None, output: Output, *, unchecked: bool) -> int:
    """Whatever is no proof, by its content."""
    from assay.keep import dispute
    from assay.prove.check import require
    from assay.prove.keys import VerifyingKey
    from assay.release import export

    if model is not None and (dispute.is_dispute(what) or zipfile.is_zipfile(what)):
        raise KeyNeeded(f"--model is of a key, and {what} is none", "Give the key's file.")
    if dispute.is_dispute(what):
        return _findings(str(what), dispute.verify(what), output)
    if zipfile.is_zipfile(what):
        found, _ = export.read(what)
        fields = {
            "valid": True,
            "release": found.digest,
            "project": found.project,
            "model_id": found.public["model_id"],
        }
        text = f"{what}: a release of {found.project}, digest {found.digest}; every public part is what it names"
        output.result(fields, text)
        return 0
    _refuse_lone_proof(what)
    loaded = VerifyingKey.load(what)
    require(loaded.check, unchecked=unchecked)
    weights = {} if model is None else {"weights": _confirmed(loaded, model)}
    fields = {"valid": True, "model_id": loaded.model_id, "key": loaded.check.to_dict()} | weights
    notes = "".join(f"\n  {note}" for note in (loaded.check.note, *weights.values()))
    output.result(fields, f"{what}: the key of model {loaded.model_id}{notes}")
    return 0


def _refuse_lone_proof(what: Path) -> None:
    from assay.core import files
    from assay.prove.proof import Proof

    if what.is_dir():
        return
    text = files.read(what)
    try:
        shown = Proof.from_json(text)
    except AssayError:
        return
    raise KeyNeeded(
        f"{what} is a proof of the model {shown.verifying_key}, and is valid or not under that model's key",
        f"Run `assay verify KEY {what}`.",
    )


def _findings(what: str, found: Sequence[Finding], output: Output) -> int:
    holds = all(one.holds is not False for one in found)
    marks = {True: "holds", False: "FAILS", None: "open"}
    # On one line each: what is said may hold a stranger's words.
    lines_of = [f"  {marks[one.holds]:<6} {one.name}: {' '.join(one.said.splitlines())}" for one in found]
    fields = {
        "valid": holds,
        "findings": [{"name": one.name, "holds": one.holds, "said": one.said} for one in found],
    }
    verdict = "everything that could be checked holds" if holds else "NOT what it says it is"
    output.result(fields, "\n".join([f"{what}: {verdict}", *lines_of]))
    return 0 if holds else INVALID
