"""Verify: does a proof show what it says?"""

from __future__ import annotations

from typing import Literal

from assay.core.arguments import expect
from assay.prove.check import require
from assay.prove.errors import ContradictoryProof, OtherModel
from assay.prove.keys import VerifyingKey
from assay.prove.native import native
from assay.prove.others import other_setup, undecided
from assay.prove.proof import Proof

_CALL = "assay.verify(keys.verifying_key, proof)"


def verify(verifying_key: VerifyingKey, proof: Proof, *, unchecked: bool = False) -> Literal[True]:
    """Check a proof against the verifying key of its model.

    The key itself is checked first (`VerifyingKey.check`): under a key with other public parts a proof shows nothing.

    Parameters
    ----------
    verifying_key
        Which model the proof must be of.
    proof
        What `assay.prove` returned or `Proof.from_json` read.
    unchecked
        Rely on a key that says it is of a ceremony although nothing here confirms it. A key that does not prove
        itself is refused all the same.

    Returns
    -------
    True. There is no False: a proof that is not valid raises.

    Raises
    ------
    WrongType
        An argument is of another kind, as where the two are swapped.
    InvalidProof
        The proof does not show its outputs; the subclass and message say why.
    OtherModel
        The proof is of another model; `OtherSetup` if files beside the key's say that it is of this model, and of
        keys that another setup made.
    KeyUnchecked
        The key is stamped ceremony, and its `[tau]_2` is neither known nor of a string that was imported here.
    KeyForged
        The key does not prove itself, or its stamp is not what its reference string says.
    """
    expect(verifying_key, VerifyingKey, name="verifying_key", call=_CALL)
    expect(proof, Proof, name="proof", call=_CALL)
    require(verifying_key.check, unchecked=unchecked)
    try:
        # The key was read above, so what is of another version here is the proof.
        with native(proof.to_bytes()) as core:
            core.verify(verifying_key.content, proof.to_bytes())
    except OtherModel as error:
        raise other_setup(verifying_key, proof) or undecided(verifying_key, proof, error) from error
    _same_meaning(verifying_key, proof)
    return True


def _same_meaning(verifying_key: VerifyingKey, proof: Proof) -> None:
    """A proof file must not swap classes: what its outputs mean is for the key's maker to say."""
    known, said = verifying_key.answers, proof.answers
    if known is not None and said is not None and known != said:
        raise ContradictoryProof(
            f"the proof file says that an output is {said.describe()}; the verifying key says {known.describe()}."
        )
