"""One side of the comparison of versions: a process that proves when it is told to, by the Assay it finds first.

As a program, with the `src` of the version to measure in front of this tree on PYTHONPATH:
python benchmarks/versions_side.py CASE CASE_FOLDER WORK_FOLDER ROWS MAX_BATCH
It answers each line that it reads ("prove", "finish") with one line of JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import assay
from benchmarks import cases
from benchmarks.measure import peak_memory_bytes

VERIFICATIONS = 20


def main() -> None:
    """Make the keys, then do as told."""
    name, case_folder, work, rows, max_batch = sys.argv[1:]
    folder = Path(work)
    folder.mkdir(parents=True, exist_ok=True)
    case = cases.by_name(name)
    data = cases.rows(Path(case_folder))
    circuit = assay.transpile(case.load(Path(case_folder)), calibration=data["calibration"])
    start = time.perf_counter()
    keys = assay.setup(circuit, max_batch=int(max_batch))
    setup_seconds = time.perf_counter() - start
    keys.save(folder)
    test = data["test"][: int(rows)]
    proof = assay.prove(keys.proving_key, test)
    _say(
        {
            "source": str(Path(assay.__file__).parent),
            "setup_seconds": setup_seconds,
            "proving_key_bytes": (folder / "proving.key").stat().st_size,
            "verifying_key_bytes": (folder / "verifying.key").stat().st_size,
        }
    )
    for line in sys.stdin:
        if line.strip() == "finish":
            break
        start, spent = time.perf_counter(), time.process_time()
        proof = assay.prove(keys.proving_key, test)
        _say({"seconds": time.perf_counter() - start, "processor_seconds": time.process_time() - spent})
    verified = []
    for _ in range(VERIFICATIONS):
        start = time.perf_counter()
        assay.verify(keys.verifying_key, proof)
        verified.append(time.perf_counter() - start)
    (folder / "Verifier.sol").write_text(assay.solidity(keys.verifying_key), encoding="utf-8")
    (folder / "calldata.bin").write_bytes(proof.calldata())
    _say(
        {
            "verify_seconds": statistics.median(verified),
            "proof_bytes": len(proof.body),
            "peak_memory_bytes": peak_memory_bytes(),
        }
    )


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
