"""Proofs: what is shown, and the bytes that show it.

`proof.json`::

    {
      "schema": "assay-proof/1",
      "outputs": [[0.5], [-1.25]],                 rows of raw margins
      "output_integers": [["8796093022208"], ...], the same, exact: integer * 2^-scale_bits
      "scale_bits": 44,
      "public_inputs": ["0x...", ...],             the verifier contract's `publicInputs`
      "input_commitment": null,                    hex where the inputs are private
      "context": "0x0",                            what the proof is bound to; the last of `public_inputs`
      "verifying_key": "...",                      identity of the verifying key
      "srs": "development",
      "proof": "0x...",                            the verifier contract's `proof`
      "artefact": "..."                            base64: all of the above as the native core writes it
      "answers": {                                 what the outputs mean; not proven
        "task": "classification", "link": "logit", "classes": ["no", "yes"],
        "meaning": "a margin above 0 means class 'yes', else 'no'",
        "labels": ["yes", "no"], "probabilities": [[0.38, 0.62], [0.78, 0.22]]
      },
      "saturated": [                               only if a row was outside a declared range; not proven
        {"row": 1, "feature": "age", "value": 130.0, "taken": 120.0}
      ],
      "ended": [1]                                 only if values of a row ended within a network before the model's
    }                                              own do; not proven

Only `artefact` is authoritative: a reader recomputes the rest from it and refuses a file that disagrees. What the
outputs mean is said by whoever wrote the file; `assay.verify` compares it with what the verifying key's maker says.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from assay.core import jsontext
from assay.core.arguments import named
from assay.core.errors import WrongType
from assay.core.shown import Shown
from assay.prove.calldata import verify_calldata
from assay.prove.errors import ContradictoryProof, InvalidProof, NoAnswer, ProofVersion, UnreadableProof
from assay.prove.native import native
from assay.transpile.circuit.answers import Answers
from assay.transpile.rows import ended, saturated

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assay._core import _ProofInfo
    from assay.transpile.rows.saturated import Saturated

SCHEMA = "assay-proof/1"
_SHOWN = 4
_TOLERANCE = 1e-9


@dataclass(frozen=True, repr=False)
class Proof(Shown):
    """A proof for one row or a batch.

    Read it with `from_bytes` or `from_json`; neither says that it is valid, `assay.verify` does.
    """

    data: bytes = field(repr=False)
    answers: Answers | None = field(default=None, compare=False)
    """What the outputs mean, as whoever made the proof says; the bytes do not."""
    saturated: tuple[Saturated, ...] = field(default=(), compare=False)
    """Values outside their declared range that are proven as its end, as whoever made the proof says."""
    ended: tuple[int, ...] = field(default=(), compare=False)
    """Rows for which a value within a network ends before the model's own does, as whoever made the proof says: their
    outputs may not be the model's."""

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what `to_bytes` returned.

        Raises
        ------
        UnreadableProof
            The bytes are not a proof, or of a format that this release does not read.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise WrongType(f"data is {named(type(data))}, and has to be bytes", "Call Proof.from_json on text.")
        proof = cls(bytes(data))
        try:
            proof._info  # noqa: B018  (read now, so that every other member can rely on it)
        except InvalidProof as error:
            raise UnreadableProof(f"this is not a proof: {error.what}", code=error.code) from error
        return proof

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` returned.

        Raises
        ------
        UnreadableProof
            The text is not a proof in JSON, or of a format that this release does not read.
        ContradictoryProof
            The outputs or another field are not what the proof's bytes say.
        """
        if not isinstance(text, str | bytes):
            raise WrongType(f"text is {named(type(text))}, and has to be text", "Give what the file holds.")
        fields = _parse(text)
        proof = cls.from_bytes(_artefact(fields))
        said = fields.get("answers")
        if isinstance(said, dict):
            proof = replace(proof, answers=Answers.of(said, len(proof.output_integers[0])))
        if "saturated" in fields:
            moved = saturated.read(fields["saturated"], proof.rows)
            if not moved:
                raise ContradictoryProof('"saturated" of the proof file does not name values of its rows.')
            proof = replace(proof, saturated=moved)
        if "ended" in fields:
            rows = ended.read(fields["ended"], proof.rows)
            if rows is None:
                raise ContradictoryProof('"ended" of the proof file does not name its rows.')
            proof = replace(proof, ended=rows)
        expected = proof._fields()
        _compare_answers(fields, expected)
        for name, value in expected.items():
            if name not in fields or fields[name] != value:
                raise ContradictoryProof(f'"{name}" of the proof file is not what the proof itself says.')
        return proof

    def to_bytes(self) -> bytes:
        """Return the proof with its public inputs and outputs, in the native core's format."""
        return self.data

    def to_json(self) -> str:
        """Return the proof as JSON; the form is described at the top of this module."""
        lines = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in self._fields().items())
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def labels(self) -> list[Any]:
        """One class a row, of a classifier; several labels: a list of 0 and 1 a row.

        Raises
        ------
        NoAnswer
            The model does not classify, or the proof does not say what its outputs mean.
        """
        found = self._meaning().labels(self.outputs)
        if found is None:
            raise NoAnswer("the model does not classify, so a proof of it has no labels.", "Use outputs.")
        return found

    def probabilities(self) -> NDArray[np.float64]:
        """The probabilities that the model's own library makes of the outputs, float64 of shape (rows, classes).

        Raises
        ------
        NoAnswer
            The model has none, or the proof does not say what its outputs mean.
        """
        found = self._meaning().probabilities(self.outputs)
        if found is None:
            raise NoAnswer("the model has no probabilities, so a proof of it has none.", "Use outputs or labels().")
        return found

    def _meaning(self) -> Answers:
        if self.answers is None:
            raise NoAnswer(
                "the proof's bytes do not say what its outputs mean.",
                "Read proof.json instead, or use verifying_key.answers.labels(proof.outputs).",
            )
        return self.answers

    def calldata(self) -> bytes:
        """Return the calldata of the verifier contract's `verify(bytes proof, uint256[] publicInputs)`."""
        return verify_calldata(self.body, self.public_inputs)

    @property
    def outputs(self) -> NDArray[np.float64]:
        """Raw margins, float64 of shape (rows, outputs): `output_integers` times 2^-scale_bits, rounded once."""
        import numpy as np

        scale = 1 << self.scale_bits
        # Division of two Python integers is correctly rounded; conversion to float first would not be.
        return np.array([[value / scale for value in row] for row in self.output_integers], dtype=np.float64)

    @property
    def output_integers(self) -> list[list[int]]:
        """The exact outputs, rows of K integers."""
        return [[int(value) for value in row] for row in self._info["output_integers"]]

    @property
    def scale_bits(self) -> int:
        """An output is its integer times 2^-scale_bits."""
        return int(self._info["scale_bits"])

    @property
    def features(self) -> int:
        """How many features a row has."""
        return int(self._info["features"])

    @property
    def rows(self) -> int:
        """How many rows the proof covers."""
        return int(self._info["rows"])

    @property
    def public_inputs(self) -> list[int]:
        """The verifier contract's `publicInputs`: input words, row by row, outputs in two's complement, context."""
        return [int(word) for word in self._info["public_words"]]

    @property
    def body(self) -> bytes:
        """The verifier contract's `proof`."""
        return self._info["body"]

    @property
    def input_commitment(self) -> bytes | None:
        """The blinded commitment to private inputs; None where the inputs are public."""
        return self._info["input_commitment"]

    @property
    def context(self) -> int:
        """The word that the proof is bound to (see `assay.prove`); 0 where nothing was said."""
        return int.from_bytes(self._info["context"], "big")

    @property
    def verifying_key(self) -> str:
        """Identity of the verifying key that the proof was made for, as hexadecimal digits."""
        return self._info["vk_digest"]

    @property
    def srs_kind(self) -> str:
        """Where the reference string is from: "development" or "ceremony"."""
        return self._info["srs_kind"]

    @property
    def remarks(self) -> dict[str, Any]:
        """`saturated` and `ended` as proof.json has them, where there is something to say; none of it is proven."""
        found: dict[str, Any] = {"saturated": [one.to_dict() for one in self.saturated]} if self.saturated else {}
        return found | ({"ended": list(self.ended)} if self.ended else {})

    def _facts(self) -> list[tuple[str, str]]:
        integers = self.output_integers
        shown = "; ".join(", ".join(f"{value:.7g}" for value in row[:_SHOWN]) for row in self.outputs[:_SHOWN])
        more = "; ..." * (len(integers) > _SHOWN or len(integers[0]) > _SHOWN)
        return [
            ("of", f"{len(integers)} row{'s' * (len(integers) != 1)}"),
            ("outputs", shown + more),
            ("inputs", "public" if self.input_commitment is None else "private"),
            *([("saturated", saturated.shown(self.saturated))] if self.saturated else []),
            *([("ended", ended.shown(self.ended))] if self.ended else []),
            ("verifying key", self.verifying_key[:10]),
            ("reference string", self.srs_kind),
            ("size", f"{len(self.body):,} bytes"),
        ]

    @cached_property
    def _info(self) -> _ProofInfo:
        with native(self.data) as core:
            info: _ProofInfo = core.proof_info(self.data)
        return info

    def _fields(self) -> dict[str, Any]:
        commitment = self.input_commitment
        return (
            {
                "schema": SCHEMA,
                "outputs": self.outputs.tolist(),
                "output_integers": [[str(value) for value in row] for row in self.output_integers],
                "scale_bits": self.scale_bits,
                "public_inputs": [hex(word) for word in self.public_inputs],
                "input_commitment": None if commitment is None else "0x" + commitment.hex(),
                "context": hex(self.context),
                "verifying_key": self.verifying_key,
                "srs": self.srs_kind,
                "proof": "0x" + self.body.hex(),
                "artefact": base64.b64encode(self.data).decode(),
            }
            | self._answered()
            | self.remarks
        )

    def _answered(self) -> dict[str, Any]:
        """What the outputs mean, under names of its own: it is not proven."""
        if self.answers is None:
            return {}
        said = self.answers.to_dict() | {"meaning": self.answers.describe()}
        labels, shares = self.answers.labels(self.outputs), self.answers.probabilities(self.outputs)
        if labels is not None:
            said["labels"] = labels
        if shares is not None:
            said["probabilities"] = shares.tolist()
        return {"answers": said}


def _compare_answers(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """Probabilities may differ in their last digits from machine to machine: compared, then taken as they stand."""
    said, own = fields.get("answers"), expected.get("answers")
    if not isinstance(said, dict) or not isinstance(own, dict) or "probabilities" not in own:
        return
    shares, mine = said.get("probabilities"), own["probabilities"]
    if _close(shares, mine):
        own["probabilities"] = shares


def _close(said: Any, own: Any) -> bool:
    if isinstance(own, list):
        return isinstance(said, list) and len(said) == len(own) and all(map(_close, said, own))
    return isinstance(said, float) and abs(said - own) <= _TOLERANCE


def _parse(text: str | bytes) -> dict[str, Any]:
    try:
        fields = jsontext.parse(text)
    except ValueError as error:
        raise UnreadableProof("the proof is not JSON, or was truncated.") from error
    schema = fields.get("schema") if isinstance(fields, dict) else None
    if isinstance(schema, str) and schema != SCHEMA and schema.startswith("assay-proof/"):
        raise ProofVersion(f"the proof has the format {schema:.30}, and this release reads {SCHEMA}.")
    if not isinstance(fields, dict) or schema != SCHEMA:
        raise UnreadableProof("the JSON is not a proof of Assay.")
    return fields


def _artefact(fields: dict[str, Any]) -> bytes:
    text = fields.get("artefact")
    try:
        return base64.b64decode(text, validate=True)  # type: ignore[arg-type]  # a wrong type raises TypeError
    except (TypeError, ValueError, binascii.Error) as error:
        raise UnreadableProof('"artefact" of the proof file is not base64.') from error
