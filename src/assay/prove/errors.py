"""What keys, proofs and reference strings can be refused for.

::

    AssayError
    └── ProveError                      prove
        ├── InvalidProof                proof/invalid
        │   ├── MalformedProof          proof/malformed
        │   ├── ContradictoryProof      proof/contradictory
        │   └── OtherModel              proof/other-model
        │       └── OtherSetup          proof/other-setup
        ├── UnreadableProof             proof/unreadable
        │   └── ProofVersion            proof/version
        ├── NoAnswer                    proof/no-answer
        ├── CircuitRefused              circuit/...
        ├── RowsRefused                 rows/...
        ├── OpeningRefused              proof/opening
        ├── WrongContext                proof/context
        ├── KeyRefused                  key/...
        │   ├── KeyVersion              key/version
        │   ├── KeyUnchecked            key/unchecked
        │   ├── KeyForged               key/forged
        │   └── KeyNeedsCircuit         key/needs-circuit
        ├── SrsError                    srs
        │   ├── SrsMissing              srs/missing
        │   ├── SrsTooSmall             srs/too-small
        │   ├── SrsInvalid              srs/invalid
        │   └── SrsUnexpected           srs/unexpected
        ├── UnsoundProof                prove/unsound
        └── NativeModuleMissing         install/native-module

The codes of the native core map one to one to these classes: `from_core`.
"""

from __future__ import annotations

from typing import ClassVar

from assay.core.errors import AssayError, StorageError


class ProveError(AssayError):
    """Base of everything this room raises; `advice` is what to do when an instance does not say."""

    code = "prove"
    advice: ClassVar[str] = ""

    def __init__(self, what: str, todo: str = "", *, code: str | None = None) -> None:
        super().__init__(what, todo or self.advice, code=code)


class InvalidProof(ProveError):
    """The proof does not show what it claims under this verifying key."""

    code = "proof/invalid"
    advice = "Do not rely on its outputs."


class MalformedProof(InvalidProof):
    """A point, scalar, word or length of the proof is not one that a proof can have."""

    code = "proof/malformed"


class ContradictoryProof(InvalidProof):
    """What stands beside the proof, such as its outputs, is not what the proof itself says."""

    code = "proof/contradictory"


class NoAnswer(ProveError):
    """Labels or probabilities are asked of a proof that has none, or does not say what its outputs mean."""

    code = "proof/no-answer"


class OtherModel(InvalidProof):
    """The proof was made for another model, or for other keys of the same one."""

    code = "proof/other-model"
    advice = "Verify it with the verifying key that belongs to it."


class OtherSetup(OtherModel):
    """The proof was made with other keys of the same model: each setup has an identity of its own."""

    code = "proof/other-setup"


class UnreadableProof(ProveError):
    """What was given is not a proof at all, or of a format that this release does not read."""

    code = "proof/unreadable"
    advice = "Give the file that `assay prove` wrote, or make it again."


class ProofVersion(UnreadableProof):
    """The proof has another format version."""

    code = "proof/version"
    advice = "Use a release of Assay that reads it, or make the proof again."


class CircuitRefused(ProveError):
    """The prover cannot take this circuit."""

    code = "circuit/invalid"
    advice = "Transpile the model again with this release."


class RowsRefused(ProveError):
    """The prover cannot take these rows."""

    code = "rows/invalid"
    advice = "Check the rows against the circuit's features."


class OpeningRefused(ProveError):
    """The opening of a commitment is not 32 bytes, or the circuit's inputs are public and take none."""

    code = "proof/opening"
    advice = "Give 32 secret bytes for a circuit with private inputs, and none for one with public inputs."


class WrongContext(ProveError):
    """The context that a proof is to be bound to is no word of 32 bytes."""

    code = "proof/context"
    advice = "Give a whole number from 0 to 2^256 - 1; hash what is longer."

    def __init__(self, given: object) -> None:
        shown = f"{given!r}"
        super().__init__(f"the context {shown[:40]}{'…' * (len(shown) > 40)} is not a word of 32 bytes.")


class KeyRefused(ProveError):
    """A key is damaged or does not belong to what it is used with."""

    code = "key/malformed"
    advice = "Take it from a backup, or make new keys, of another modelId, with `assay setup`."


class KeyVersion(KeyRefused):
    """A key has another format version."""

    code = "key/version"
    advice = "Use a release of Assay that reads it, or make new keys, of another modelId, with `assay setup`."


class KeyUnchecked(KeyRefused):
    """Nothing here confirms that a verifying key is of a ceremony, as it says."""

    code = "key/unchecked"
    advice = (
        "Import the ceremony's file (`assay srs import FILE`); or, if you know what you rely on, say so: --unchecked, "
        "in Python unchecked=True."
    )


class KeyForged(KeyRefused):
    """A verifying key does not prove itself, or its stamp is not what its reference string says."""

    code = "key/forged"
    advice = "Do not rely on anything that it verifies; take the key from someone you trust."


class KeyNeedsCircuit(KeyRefused):
    """A network's key does not hold its wiring, so it alone cannot be checked."""

    code = "key/needs-circuit"
    advice = "Check it with the public part of its circuit.json."


class SrsError(ProveError):
    """Something is the matter with a structured reference string."""

    code = "srs"


class SrsMissing(SrsError):
    """The reference string that a key was made with is not in the cache."""

    code = "srs/missing"


class SrsTooSmall(SrsError):
    """The reference string has fewer powers than the circuit needs."""

    code = "srs/too-small"
    advice = "Import a larger one with `assay srs import FILE`, or lower --max-batch."


class SrsInvalid(SrsError):
    """The file is not a well-formed reference string, or fails a check."""

    code = "srs/invalid"
    advice = "Fetch the ceremony's file again and compare its published hash."


class SrsUnexpected(SrsError):
    """The file holds another reference string than the one that was asked for."""

    code = "srs/unexpected"
    advice = "Compare the [tau]_2 with what the ceremony published, and fetch its file again."


class UnsoundProof(ProveError):
    """A proof that was just made is not valid: it was not given out."""

    code = "prove/unsound"
    advice = "Delete the files named .lagrange in the cache folder (`assay srs info`), and prove again."


class NotPublished(ProveError):
    """A model of a kind that is not published with its key was to be."""

    code = "model/not-published"
    advice = "Leave out `--model public`; publish the circuit itself, and let others make their own key."


class PublishedDamaged(ProveError):
    """A file that is said to hold a published model holds none."""

    code = "model/damaged"


class NativeModuleMissing(ProveError):
    """The compiled part of Assay is not installed."""

    code = "install/native-module"
    advice = "Install Assay from a wheel, or build it with `make setup`."


_BY_CODE: dict[str, type[AssayError]] = {
    kind.code: kind
    for kind in (
        InvalidProof,
        MalformedProof,
        OtherModel,
        CircuitRefused,
        RowsRefused,
        OpeningRefused,
        KeyRefused,
        KeyVersion,
        KeyForged,
        KeyNeedsCircuit,
        SrsMissing,
        SrsTooSmall,
        SrsInvalid,
        UnsoundProof,
        NotPublished,
    )
}
_BY_FAMILY: dict[str, type[AssayError]] = {
    "proof": InvalidProof,
    "circuit": CircuitRefused,
    "rows": RowsRefused,
    "batch": RowsRefused,
    "key": KeyRefused,
    "srs": SrsError,
    "io": StorageError,
}


_ADVICE = {
    "srs/version": "Import it again with this release: `assay srs import FILE`.",
    "rows/count": "Make several proofs, or keys with a larger max_batch (`assay setup DIR --max-batch N`; in a project "
    "[protocol] max_batch), which are another model to a contract.",
}


def from_core(code: str, message: str) -> AssayError:
    """Return the Python error for a code and message of the native core; the code stays as it is."""
    kind = _BY_CODE.get(code) or _BY_FAMILY.get(code.partition("/")[0], ProveError)
    return kind(message, _ADVICE.get(code, ""), code=code)
