"""`assay verify`: is the proof valid for the model?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.answers import answered, lines
from assay.cli.app import app
from assay.cli.options import Json, PublicKey, Unchecked
from assay.cli.output import Output, warn

INVALID = 1


@app.command()
def verify(
    key: PublicKey,
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="The file that `assay prove` wrote.")],
    *,
    unchecked: Unchecked = False,
    json: Json = False,
) -> int:
    """Check a proof: exit 0 when it is valid, 1 when it is not, 2 when it cannot be read or is another model's."""
    from assay.core import files
    from assay.prove.errors import InvalidProof, OtherModel
    from assay.prove.keys import VerifyingKey
    from assay.prove.proof import Proof
    from assay.prove.verify import verify as accept

    output = Output(json=json)
    loaded = VerifyingKey.load(key)
    text = files.read(proof)
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
    fields |= answered(shown, loaded.answers) | {"context": hex(shown.context)}
    valid = f"{proof}: valid, {shown.rows} row{'s' * (shown.rows != 1)}, context {shown.context:#x}{warning}"
    if not loaded.check.checked:
        warn(loaded.check.note)
    output.result(
        fields | {"key": loaded.check.to_dict()}, f"{valid}{lines(shown, loaded.answers)}\n  {loaded.check.note}"
    )
    return 0
