"""`assay verify`: is the proof valid for the model?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.app import app
from assay.cli.options import Folder, Json
from assay.cli.output import Output

INVALID = 1


@app.command()
def verify(
    folder: Folder,
    proof: Annotated[Path, typer.Argument(metavar="PROOF", help="The file that `assay prove` wrote.")],
    *,
    json: Json = False,
) -> int:
    """Check a proof: exit 0 when it is valid, 1 when it is not, 2 when it cannot be read or is another model's."""
    from assay.core import files
    from assay.prove.errors import InvalidProof, OtherModel
    from assay.prove.keys import VERIFYING_KEY_FILE, VerifyingKey
    from assay.prove.proof import Proof
    from assay.prove.verify import verify as accept

    output = Output(json=json)
    key = VerifyingKey.load(folder / VERIFYING_KEY_FILE)
    text = files.read(proof)
    try:
        shown = Proof.from_json(text)
        accept(key, shown)
    except OtherModel:
        raise  # the wrong files were given: nothing is known of the proof itself
    except InvalidProof as error:
        fields = {"valid": False, "code": error.code, "reason": str(error)}
        output.result(fields, f"{proof}: NOT VALID [{error.code}]: {error}")
        return INVALID
    warning = " (development reference string: do not rely on it outside tests)" * (key.srs_kind == "development")
    fields = {"valid": True, "rows": shown.rows, "outputs": shown.outputs.tolist(), "srs": key.srs_kind}
    valid = f"{proof}: valid, {shown.rows} row{'s' * (shown.rows != 1)}{warning}"
    output.result(fields | {"key": key.check.to_dict()}, f"{valid}\n  {key.check.note}")
    return 0
