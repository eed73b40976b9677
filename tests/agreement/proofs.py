"""Keys and proofs made by the native module, and the two verdicts on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay import _core

from . import reference
from .circuits import Circuit, Row, pack

if TYPE_CHECKING:
    from pathlib import Path

    from .network_circuits import NetworkCircuit

# Powers for a table of 4,096 rows (64-bit keys) with its blinding.
DEGREE = (1 << 12) + 64
REFUSALS = ("proof/", "key/")


@dataclass(frozen=True)
class Proof:
    """A statement and its proof: all that a verifier is given. `words` are below 2^256."""

    key: bytes
    rows: int
    words: tuple[int, ...]
    body: bytes

    def container(self) -> bytes:
        """The file form. Raises CoreError if the key cannot be read."""
        words = [word.to_bytes(32, "big") for word in self.words]
        return _core.proof_pack(self.key, self.rows, words, self.body)

    def with_(self, **changes: object) -> Proof:
        return replace(self, **changes)


def native_refusal(proof: Proof) -> str | None:
    """The code with which Rust refuses, or None if it accepts. Any other exception is a bug and propagates."""
    try:
        _core.verify(proof.key, proof.container())
    except _core.CoreError as error:
        code = error.args[0]
        if not code.startswith(REFUSALS):
            raise
        return code
    return None


def reference_refusal(proof: Proof) -> str | None:
    """The reason for which the plain verifier refuses, or None if it accepts."""
    try:
        reference.verify(proof.key, proof.rows, proof.words, proof.body)
    except reference.Refused as refused:
        return str(refused)
    return None


class Workshop:
    """One reference string; keys and provers are made once a circuit."""

    def __init__(self, srs: Path) -> None:
        self.srs = str(srs)
        self._made: dict[tuple[str, int], tuple[bytes, _core.Prover]] = {}

    @classmethod
    def with_new_srs(cls, srs: Path, degree: int = DEGREE) -> Workshop:
        _core.srs_generate(str(srs), degree)
        return cls(srs)

    def keys(self, circuit: Circuit | NetworkCircuit, max_rows: int = 4) -> tuple[bytes, _core.Prover]:
        """The verifying key and a prover."""
        name = circuit.to_json(), max_rows
        if name not in self._made:
            self._made[name] = self.new_keys(circuit, max_rows)
        return self._made[name]

    def new_keys(self, circuit: Circuit | NetworkCircuit, max_rows: int = 4) -> tuple[bytes, _core.Prover]:
        """As `keys`, with fresh randomness."""
        proving, verifying = _core.setup(circuit.to_json(), self.srs, max_rows)
        return verifying, _core.Prover(proving, self.srs)

    def prove(
        self,
        circuit: Circuit | NetworkCircuit,
        rows: list[Row],
        *,
        max_rows: int = 4,
        opening: bytes | None = None,
        context: int = 0,
    ) -> Proof:
        key, prover = self.keys(circuit, max_rows)
        return proven(key, prover, rows, opening, context)


def proven(key: bytes, prover: _core.Prover, rows: list[Row], opening: bytes | None = None, context: int = 0) -> Proof:
    container, _ = prover.prove(*pack(rows), len(rows), opening, context.to_bytes(32, "big"))
    info = _core.proof_info(container)
    return Proof(key, len(rows), tuple(int(word) for word in info["public_words"]), info["body"])


def outputs_of(proof: Proof, outputs: int) -> list[list[int]]:
    """The output words as signed integers, read from the statement."""
    # The context stands last.
    flat = proof.words[len(proof.words) - 1 - proof.rows * outputs : -1]
    signed = [word - (1 << 256) if word >> 255 else word for word in flat]
    return [signed[i : i + outputs] for i in range(0, len(signed), outputs)]
