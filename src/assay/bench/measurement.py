"""The result of `assay bench`, for programs and for people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from assay.core.shown import Told


@dataclass(frozen=True, repr=False)
class Measurement(Told):
    """What one proof of these rows costs here.

    Attributes
    ----------
    rows
        Rows in the proof.
    runs
        Timed repetitions; the times are their medians, after one to warm up.
    prove_seconds
        From rows to proof, with the key and the reference string in memory.
    first_prove_seconds
        The first proof of a new process, which reads the key and the reference string.
    verify_seconds
        Native verification.
    peak_memory_bytes
        The most memory that the process that proves has held, the interpreter included; None where
        the operating system does not tell.
    proving_key_bytes, verifying_key_bytes
        Sizes of the keys.
    proof_bytes
        Length of the proof as the contract reads it.
    public_inputs
        Number of public words.
    calldata_bytes
        Length of the data of the call that verifies.
    gas
        Gas used by the transaction that verifies, calldata included.
    deployment_gas
        Gas used to deploy the verifier.
    contract_bytes
        Code of the verifier that stays on the chain.
    srs
        Where the reference string is from: "development" or "ceremony".
    """

    rows: int
    runs: int
    prove_seconds: float
    first_prove_seconds: float
    verify_seconds: float
    peak_memory_bytes: int | None
    proving_key_bytes: int
    verifying_key_bytes: int
    proof_bytes: int
    public_inputs: int
    calldata_bytes: int
    gas: int
    deployment_gas: int
    contract_bytes: int
    srs: str

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON values."""
        return asdict(self)

    def __str__(self) -> str:
        """Return a table for a person."""
        memory = "not known" if self.peak_memory_bytes is None else f"{self.peak_memory_bytes / 1e6:,.1f} MB"
        lines = [
            ("prove", _time(self.prove_seconds)),
            ("first proof in a new process", _time(self.first_prove_seconds)),
            ("verify", _time(self.verify_seconds)),
            ("peak memory, prove", memory),
            ("proving key", _bytes(self.proving_key_bytes)),
            ("verifying key", _bytes(self.verifying_key_bytes)),
            ("proof", _bytes(self.proof_bytes)),
            ("public inputs", f"{self.public_inputs:,}"),
            ("calldata", _bytes(self.calldata_bytes)),
            ("gas to verify, calldata included", f"{self.gas:,}"),
            ("gas to deploy", f"{self.deployment_gas:,}"),
            ("contract", _bytes(self.contract_bytes)),
            ("reference string", self.srs),
        ]
        title = f"one proof of {_count(self.rows, 'row')}, median of {_count(self.runs, 'run')}"
        width = max(len(name) for name, _ in lines)
        return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in lines)])


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms" if seconds < 0.9995 else f"{seconds:.2f} s"


def _bytes(count: int) -> str:
    return f"{count:,} B"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"
