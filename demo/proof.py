"""Proofs with the keys of the decision, each claim checked where it is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

import assay
from assay.core import files
from assay.data.dataset.dataset import Dataset
from assay.prove.keys import PROVING_KEY_FILE, VERIFYING_KEY_FILE
from demo.show import Surprise

RUNS = 5
PROOF_FILE = "proof.json"
CHOSEN = Path("decision") / "chosen"

Progress = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Keys:
    """What `assay decide` wrote for the chosen candidate."""

    circuit: assay.Circuit
    proving: assay.ProvingKey
    verifying: assay.VerifyingKey

    @classmethod
    def load(cls, project: Path) -> Keys:
        """Read them from the project."""
        folder = project / CHOSEN
        return cls(
            assay.Circuit.load(folder),
            assay.ProvingKey.load(folder / PROVING_KEY_FILE),
            assay.VerifyingKey.load(folder / VERIFYING_KEY_FILE),
        )


@dataclass(frozen=True)
class Proven:
    """Proofs of the last two rows of the test set, and what they cost.

    Attributes
    ----------
    when
        The end of the bar that the last row is of.
    single, again
        Two proofs of the very same statement; their bytes differ, since proofs are randomised.
    other
        A valid proof about the row before.
    seconds
        Of each step, by name.
    tampered
        Why the native verifier refused the proof with one bit flipped.
    """

    when: str
    single: assay.Proof
    again: assay.Proof
    other: assay.Proof
    seconds: dict[str, float]
    tampered: str

    @property
    def forecast(self) -> float:
        """What the proof says."""
        return float(self.single.outputs[0, 0])


def prove(project: Path, keys: Keys, progress: Progress) -> Proven:
    """Prove the newest rows that no model has seen, and verify the proofs natively."""
    dataset = Dataset.load(project / "data")
    rows, _ = dataset.arrays("test")
    when = dataset.frame("test")[dataset.time or ""][-1]
    seconds: dict[str, float] = {}
    progress("proving one row")
    _, single = timed(lambda: assay.prove(keys.proving, rows[-1]))
    runs = [timed(lambda: assay.prove(keys.proving, rows[-1])) for _ in range(RUNS)]
    seconds["prove"] = float(np.median([took for took, _ in runs]))
    other = assay.prove(keys.proving, rows[-2])
    assay.verify(keys.verifying, other)  # the first call warms the caches
    seconds["verify"], _ = timed(lambda: assay.verify(keys.verifying, single))
    exact = keys.circuit.predict(rows[-2:])[:, 0]
    if [other.outputs[0, 0], single.outputs[0, 0]] != exact.tolist():
        raise Surprise("a proof shows another forecast than the circuit computes")
    return Proven(str(when), single, runs[0][1], other, seconds, refused_natively(keys.verifying, single))


def refused_natively(key: assay.VerifyingKey, proof: assay.Proof) -> str:
    """Flip one bit in the middle of a proof; return why `assay.verify` refuses it."""
    data = bytearray(proof.to_bytes())
    data[-len(proof.body) // 2] ^= 1
    try:
        assay.verify(key, assay.Proof.from_bytes(bytes(data)))
    except assay.InvalidProof as error:
        return error.what
    raise Surprise("the native verifier accepted a tampered proof")


def save(project: Path, proven: Proven) -> Path:
    """Write the proof beside its keys, for `assay verify`."""
    path = project / CHOSEN / PROOF_FILE
    files.write(path, proven.single.to_json())
    return path


def timed(action: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds that `action` takes, and what it returns."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result
