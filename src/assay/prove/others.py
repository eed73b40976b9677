"""A proof under another key: of another model, or of an earlier setup of the same one?

A verifying key says nothing of its model, so the two keys alone cannot tell. Whoever made the keys has files beside
them that can: the folder of the other setup, or the circuit, which answers the proof's public rows as the proof does.
Nothing rests on this but which sentence is said; the proof is refused either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.core.errors import AssayError
from assay.prove.errors import OtherModel, OtherSetup
from assay.prove.store import short, sibling
from assay.transpile.circuit.circuit import FILE_NAME, Circuit
from assay.transpile.circuit.network.words import unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.prove.keys import VerifyingKey
    from assay.prove.proof import Proof


def other_setup(key: VerifyingKey, proof: Proof) -> OtherSetup | None:
    """The error that says so if the proof, of another key, is of the model of this one; None if nothing tells."""
    if key.place is None:
        return None
    made = f"the proof was made with the keys {short(proof.verifying_key)}, another setup of the model of"
    folder = sibling(key.place, proof.verifying_key)
    if folder is not None:
        return OtherSetup(f"{made} {short(key.model_id)}.", f"Verify it with {folder / key.place.name}.")
    if _answers_alike(key.place.parent / FILE_NAME, proof):
        return OtherSetup(
            f"{made} {short(key.model_id)}, as far as can be told: the circuit beside the key gives the proof's "
            "outputs for the proof's rows.",
            "Verify it with the verifying key of that setup, or make it again with the keys of this one.",
        )
    return None


def undecided(key: VerifyingKey, proof: Proof, error: OtherModel) -> OtherModel:
    """The error where no file tells: of another shape it is another circuit; of the same one nobody can say.

    A key has nothing of its model that another setup repeats, or guesses of hidden models could be tested against it.
    """
    info = key.info
    shapes = [
        ("features", int(info["features"]), proof.features),
        ("outputs", int(info["outputs"]), len(proof.output_integers[0])),
        ("bits of scale", int(info["scale_bits"]), proof.scale_bits),
    ]
    for what, own, its in shapes:
        if own != its:
            return OtherModel(f"{error.what.rstrip('.')}: the key is for {own} {what}, and the proof has {its}.")
    return OtherModel(
        f"the proof was made with the keys {short(proof.verifying_key)}, and this is {short(key.model_id)}: of another "
        "model, or of another setup of the same one. The shapes are the same, and a key alone does not say of which "
        "model it is.",
        f"Verify it with the key whose modelId is {short(proof.verifying_key)}; beside the circuit, or beside that "
        "key's folder, this command can tell the two apart.",
    )


def _words(circuit: Circuit, proof: Proof) -> NDArray[np.object_]:
    """The features' words of the proof's rows."""
    words = proof.public_inputs[: -1 - proof.rows * len(circuit.outputs)]
    if circuit.kind == "network":
        return unpacked(circuit, words)
    return np.array(words, dtype=object).reshape(proof.rows, len(circuit.features))


def _answers_alike(path: Path, proof: Proof) -> bool:
    """Whether the circuit gives the proof's outputs for its rows, where they are public."""
    try:
        circuit = Circuit.load(path)
        shape = (circuit.inputs, len(circuit.outputs), circuit.scale_bits)
        integers = proof.output_integers
        if shape != ("public", len(integers[0]), proof.scale_bits):
            return False
        table = _words(circuit, proof)
        missing = table == 1 << circuit.bits
        found = circuit.evaluate(np.where(missing, 0, table).astype(np.uint64), missing.astype(np.bool_))
    except (AssayError, ValueError, OverflowError):
        return False
    return bool(found.tolist() == integers)
