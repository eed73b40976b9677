"""One stage of a network's measurement, in a process of its own.

As a program: python -m benchmarks.networks.stages STAGE KEY FOLDER REPEATS RESULT_FILE
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import assay
from assay.transpile.fidelity.networks import network_fidelity
from benchmarks.assay_side import timed
from benchmarks.measure import peak_memory_bytes
from benchmarks.networks import models
from benchmarks.networks.models import Network

STAGES_IN_ORDER = ("transpile", "first_setup", "setup", "prove", "verify", "fidelity", "contract")
Result = dict[str, Any]


def _transpile(_network: Network, folder: Path, _repeats: int) -> Result:
    start = time.perf_counter()
    circuit = assay.transpile(str(folder / "model.onnx"), calibration=models.rows(folder))
    seconds = time.perf_counter() - start
    circuit.save(folder)
    return {"seconds": [seconds]}


def _first_setup(network: Network, folder: Path, _repeats: int) -> Result:
    """With the reference string made."""
    circuit = assay.Circuit.load(folder)
    start = time.perf_counter()
    keys = assay.setup(circuit, max_batch=network.batch)
    seconds = time.perf_counter() - start
    keys.save(folder / "keys")
    return {"seconds": [seconds]}


def _setup(network: Network, folder: Path, _repeats: int) -> Result:
    from assay.prove.setup import required_degree

    circuit = assay.Circuit.load(folder)
    # A network's public polynomials for every number of rows are committed: seconds for many.
    seconds, _ = timed(
        lambda: assay.setup(circuit, max_batch=network.batch), 5 if network.batch == 1 and not network.large else 1
    )
    return {
        "seconds": seconds,
        "powers": required_degree(circuit.to_json(), network.batch) + 1,
        "proving_key_bytes": (folder / "keys" / "proving.key").stat().st_size,
        "verifying_key_bytes": (folder / "keys" / "verifying.key").stat().st_size,
    }


def _prove(network: Network, folder: Path, repeats: int) -> Result:
    rows = models.rows(folder)[: network.batch]
    start = time.perf_counter()
    key = assay.Keys.load(folder / "keys").proving_key
    assay.prove(key, rows)
    first = time.perf_counter() - start
    # The next few make what later ones use: medians leave them out.
    assay.prove(key, rows)
    spent = []

    def prove() -> Any:
        start = time.process_time()
        proof = assay.prove(key, rows)
        spent.append(time.process_time() - start)
        return proof

    seconds, proof = timed(prove, repeats)
    (folder / "proof.bin").write_bytes(proof.to_bytes())
    return {
        "seconds": seconds,
        "first_seconds": first,
        "cpu_seconds": statistics.median(spent),
        "proof_bytes": len(proof.body),
        "public_words": len(proof.public_inputs),
    }


def _verify(_network: Network, folder: Path, _repeats: int) -> Result:
    key = assay.Keys.load(folder / "keys").verifying_key
    proof = assay.Proof.from_bytes((folder / "proof.bin").read_bytes())
    seconds, _ = timed(lambda: assay.verify(key, proof), 50)
    return {"seconds": seconds}


def _fidelity(network: Network, folder: Path, _repeats: int) -> Result:
    """Against onnxruntime: the rows by what valid proofs of them show, and rows drawn from the declared ranges."""
    start = time.perf_counter()
    circuit, rows = assay.Circuit.load(folder), models.rows(folder)
    report = network_fidelity(circuit, str(folder / "model.onnx"), rows, None)
    keys = assay.Keys.load(folder / "keys")
    shown = []
    for first in range(0, len(rows), network.batch):
        proof = assay.prove(keys.proving_key, rows[first : first + network.batch])
        assay.verify(keys.verifying_key, proof)
        shown.append(proof.outputs)
    if not np.array_equal(np.concatenate(shown), circuit.predict(rows)):
        raise SystemExit("a proof shows another output than the circuit's integers")
    return {
        "seconds": [time.perf_counter() - start],
        "rows_checked": report.rows,
        "rows_differing": report.rows_differing,
        "rows_failed": 0,
        "drawn_checked": report.drawn,
        "drawn_differing": report.drawn_differing,
        "error_share": report.error_share,
        "drawn_error_share": report.drawn_error_share,
    }


def _contract(_network: Network, folder: Path, _repeats: int) -> Result:
    key = assay.Keys.load(folder / "keys").verifying_key
    seconds, source = timed(lambda: assay.solidity(key), 1)
    (folder / "Verifier.sol").write_text(source, encoding="utf-8")
    calldata = assay.Proof.from_bytes((folder / "proof.bin").read_bytes()).calldata()
    (folder / "calldata.bin").write_bytes(calldata)
    return {"seconds": seconds}


_STAGES: dict[str, Callable[[Network, Path, int], Result]] = {
    "transpile": _transpile,
    "first_setup": _first_setup,
    "setup": _setup,
    "prove": _prove,
    "verify": _verify,
    "fidelity": _fidelity,
    "contract": _contract,
}


def main() -> None:
    """One stage, as the process that the command starts for it."""
    stage, key, folder, repeats, result = sys.argv[1:]
    measured = _STAGES[stage](models.by_key(key), Path(folder), int(repeats))
    measured["peak_memory_bytes"] = peak_memory_bytes()
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
