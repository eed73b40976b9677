"""A network whose maker does not hide it: the model beside its key, and the check that the key's weights are these.

A key hides its weights behind random values that only the proving key has. Whoever publishes both lets everybody
recompute the key's commitment to them (docs/spec/networks.md, section 8). Proofs are the same; nothing can be taken
back.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from assay.core import documents
from assay.prove import srs as references
from assay.prove.check import strings_of
from assay.prove.errors import KeyForged, KeyUnchecked, PublishedDamaged
from assay.prove.native import native

if TYPE_CHECKING:
    from pathlib import Path

    from assay.prove.keys import Keys, VerifyingKey

FILE = "public-model.json"
"""Its usual name, beside the keys."""

_TODO = "Ask whoever published it for the file again; `assay setup CIRCUIT --model public` writes it."


class PublishedModel(BaseModel):
    """What the maker of a network's key shows who does not hide the model.

    Attributes
    ----------
    model_id
        The key's identity, as `VerifyingKey.model_id`.
    circuit
        The whole `circuit.json`, with its weights.
    blinding
        The values of the matrix's slot 0, one for each column: 0x and 64 hexadecimal digits each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    schema_: Literal["assay-public-model/1"] = Field(default="assay-public-model/1", alias="schema")
    model_id: str = Field(alias="modelId")
    circuit: dict[str, Any]
    blinding: list[Annotated[str, StringConstraints(pattern=r"^0x[0-9a-f]{64}$")]]


def publish(keys: Keys) -> PublishedModel:
    """What to publish beside a network's key.

    Raises
    ------
    NotPublished
        The model is no network.
    """
    with native() as core:
        circuit, blinds = core.published(keys.proving_key.content)
    words = [f"0x{blinds[i : i + 32].hex()}" for i in range(0, len(blinds), 32)]
    return PublishedModel(modelId=keys.model_id, circuit=json.loads(circuit), blinding=words)


def read(path: Path) -> PublishedModel:
    """Read what `assay setup --model public` wrote.

    Raises
    ------
    PublishedDamaged
        The file holds no published model.
    """
    return documents.read(path, PublishedModel, damaged=PublishedDamaged, todo=_TODO)


def confirm(verifying_key: VerifyingKey, model: PublishedModel) -> str:
    """Recompute the key, weights and all, from what was published; says what was compared.

    Raises
    ------
    KeyForged
        The key is of other weights, or of another circuit.
    PublishedDamaged
        The blinding is not that of such a circuit.
    KeyUnchecked
        Its reference string is not at hand.
    CircuitRefused
        What was published is no circuit.
    NotPublished
        The model is no network.
    """
    content, network = verifying_key.content, model.circuit.get("network")
    if model.model_id != verifying_key.model_id:
        raise KeyForged(f"what was published is of the model {model.model_id}, the key is {verifying_key.model_id}.")
    if isinstance(network, dict) and network.get("columns") != len(model.blinding):
        raise PublishedDamaged("the published blinding has not a value for each column of the matrix.", _TODO)
    blinds = b"".join(bytes.fromhex(word[2:]) for word in model.blinding)
    for srs in strings_of(content, verifying_key.about["srs"]["digest"]):
        with native(content) as core:
            core.check_published(content, str(srs.path), json.dumps(model.circuit), blinds)
        return f"The key's weights are the published ones, by the reference string {srs.digest[:18]}."
    raise KeyUnchecked(
        f"the published weights were not compared: the key's reference string is not in {references.cache_folder()}"
    )
