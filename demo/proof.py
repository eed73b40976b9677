"""From the classifier to keys and proofs, each claim checked where it is made."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

import assay
from assay.core import files
from demo.data import Bools, Floats
from demo.show import Surprise

BATCH = 32
RUNS = 5
MODEL_FILE = "model.json"
PROOF_FILE = "proof.json"
BATCH_FILE = "batch.json"

Progress = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Converted:
    """The circuit, and how it compares with XGBoost on the test days.

    Attributes
    ----------
    fidelity
        What `assay.fidelity` found.
    exact, runtime
        Margins of the circuit (exact sums) and of XGBoost (sums in float32), float64[N].
    """

    circuit: assay.Circuit
    fidelity: assay.FidelityReport
    exact: Floats
    runtime: Floats


@dataclass(frozen=True)
class Proven:
    """Proofs of one test day and of the last few, and what they cost.

    Attributes
    ----------
    day
        Which test day the single proof is about.
    single, again
        Two proofs of the very same statement; their bytes differ, since proofs are randomised.
    other
        A valid proof about the test day before.
    batch
        One proof for the last `BATCH` test days.
    seconds
        Of each step, by name.
    """

    day: int
    single: assay.Proof
    again: assay.Proof
    other: assay.Proof
    batch: assay.Proof
    seconds: dict[str, float]


def convert(classifier: Any, X: NDArray[np.float32], y: Bools) -> Converted:
    """Transpile, then compare with XGBoost on every test day."""
    circuit = assay.transpile(classifier)
    report = assay.fidelity(circuit, classifier, X, y.astype(np.int64))
    if not report.ok:
        raise Surprise(f"the circuit is not faithful to the model: {report}")
    runtime = np.asarray(classifier.predict(X, output_margin=True), dtype=np.float64)
    return Converted(circuit, report, circuit.predict(X)[:, 0], runtime)


def make_keys(circuit: assay.Circuit, progress: Progress) -> assay.Keys:
    """Set the circuit up with the reference string of this machine, made now if there is none yet."""
    return assay.setup(circuit, max_batch=BATCH, progress=progress)


def prove(keys: assay.Keys, X: NDArray[np.float32], day: int, progress: Progress) -> Proven:
    """Prove test day `day` and the last days as a batch, and verify both natively."""
    key, seconds = keys.proving_key, {}
    progress("Proving one day")
    seconds["first proof, key loaded"], single = timed(lambda: assay.prove(key, X[day]))
    runs = [timed(lambda: assay.prove(key, X[day])) for _ in range(RUNS)]
    seconds["one day"] = float(np.median([took for took, _ in runs]))
    other = assay.prove(key, X[day - 1])
    progress(f"Proving {BATCH} days in one proof")
    seconds["batch"], batch = timed(lambda: assay.prove(key, X[-BATCH:]))
    progress("Verifying")
    assay.verify(keys.verifying_key, single)  # the first call warms the caches
    seconds["verify one day"], _ = timed(lambda: assay.verify(keys.verifying_key, single))
    seconds["verify batch"], _ = timed(lambda: assay.verify(keys.verifying_key, batch))
    assay.verify(keys.verifying_key, other)
    return Proven(day, single, runs[0][1], other, batch, seconds)


def agree(proven: Proven, converted: Converted) -> None:
    """Stop if a proof says anything but the circuit's exact margin."""
    proofs = {proven.day: proven.single, proven.day - 1: proven.other}
    same = all(proof.outputs[0, 0] == converted.exact[day] for day, proof in proofs.items())
    if not (same and np.array_equal(proven.batch.outputs[:, 0], converted.exact[-BATCH:])):
        raise Surprise("a proof shows another margin than the circuit computes")


def refused_natively(keys: assay.Keys, proof: assay.Proof) -> str:
    """Flip one bit in the middle of a proof; return why `assay.verify` refuses it."""
    data = bytearray(proof.to_bytes())
    data[-len(proof.body) // 2] ^= 1
    try:
        assay.verify(keys.verifying_key, assay.Proof.from_bytes(bytes(data)))
    except assay.InvalidProof as error:
        return error.what
    raise Surprise("the native verifier accepted a tampered proof")


def save(folder: Path, classifier: Any, converted: Converted, keys: assay.Keys, proven: Proven) -> None:
    """Write everything that `assay check`, `prove` and `verify` take, to go on by hand."""
    files.write(folder / MODEL_FILE, bytes(classifier.get_booster().save_raw("json")))
    converted.circuit.save(folder)
    keys.save(folder)
    files.write(folder / PROOF_FILE, proven.single.to_json())
    files.write(folder / BATCH_FILE, proven.batch.to_json())


def timed(action: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds that `action` takes, and what it returns."""
    start = time.perf_counter()
    result = action()
    return time.perf_counter() - start, result
