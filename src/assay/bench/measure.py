"""Measure: what does one proof of these rows cost on this machine and on a chain?"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.bench.errors import BenchError, ProvingStopped
from assay.bench.measurement import Measurement
from assay.bench.settle import require_tools, settle
from assay.bench.timing import repeated
from assay.bench.worker import PROOF_FILE, RESULT_FILE
from assay.core import files
from assay.prove.keys import Keys
from assay.prove.proof import Proof
from assay.prove.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike

_WORKER = "assay.bench.worker"


def measure(
    folder: str | PathLike[str],
    rows_path: str | PathLike[str],
    runs: int = 5,
    progress: Callable[[str], None] | None = None,
) -> Measurement:
    """Prove the rows in one proof, verify it, and settle it on a local Ethereum node.

    Parameters
    ----------
    folder
        What `assay transpile` wrote; the two keys are read.
    rows_path
        Rows to prove, in a form that `assay prove` reads.
    runs
        Timed repetitions after one to warm up, 1 or more.
    progress
        Is told what happens next.

    Returns
    -------
    Measurement

    Raises
    ------
    ToolMissing
        The node or the compiler is not installed; nothing was measured.
    BenchError
        Proving failed, with the code of what `assay prove` would say; or the contract refused the proof.
    AssayError
        The keys cannot be read or do not belong together, or the chain failed.
    """
    if runs < 1:
        raise BenchError(f"runs is {runs}", "Give a positive whole number.")
    step = progress or (lambda _: None)
    require_tools()
    step("Reading the keys")
    keys = Keys.load(folder)
    step("Proving")
    with files.scratch() as place:
        proving = prove_apart(Path(folder), Path(rows_path), runs, place)
        proof = Proof.from_bytes(files.read(place / PROOF_FILE))
    step("Verifying")
    verify(keys.verifying_key, proof)  # to warm up, and before any number is believed
    verifying = repeated(lambda: verify(keys.verifying_key, proof), runs)
    step("Settling on a local node")
    settlement = settle(keys.verifying_key, proof.calldata())
    return Measurement(
        rows=proof.rows,
        runs=runs,
        prove_seconds=statistics.median(proving["seconds"]),
        first_prove_seconds=proving["first_seconds"],
        verify_seconds=statistics.median(verifying),
        peak_memory_bytes=proving["peak_memory_bytes"],
        proving_key_bytes=len(keys.proving_key),
        verifying_key_bytes=len(keys.verifying_key),
        proof_bytes=len(proof.body),
        public_inputs=len(proof.public_inputs),
        calldata_bytes=len(proof.calldata()),
        srs=keys.verifying_key.srs_kind,
        **asdict(settlement),
    )


def prove_apart(folder: Path, rows: Path, runs: int, out: Path) -> dict[str, Any]:
    """Have a process of its own prove; what it refuses is raised here with its code."""
    # -P: what lies in the current folder is not imported.
    command = [sys.executable, "-P", "-m", _WORKER, str(folder), str(rows), str(runs), str(out)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ProvingStopped(
            f"The process that proves ended with code {done.returncode} ({last:.200}).",
            "Check that there is enough memory, or give fewer rows.",
        )
    result: dict[str, Any] = json.loads(files.read(out / RESULT_FILE))
    if "error" in result:
        raise BenchError(**result["error"])
    return result
