"""Measure Assay on a case by its public Python API, every stage in a process of its own.

As a program: python -m benchmarks.assay_side STAGE CASE CASE_FOLDER WORK_FOLDER REPEATS RESULT_FILE
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import assay
from benchmarks import cases, gas, machine, results
from benchmarks.cases import Case
from benchmarks.figures import agreement, stage_figures
from benchmarks.measure import Limits, StageFailed, failure, memory_in_use_bytes, peak_memory_bytes, run_stage

REPEATS = 20
LIMITS = Limits(seconds=1200)
STAGES_IN_ORDER = ("transpile", "first_setup", "setup", "prove", "verify", "fidelity", "contract")


def run(case: Case, case_folder: Path, work: Path) -> Path:
    """Measure the case and write its result; a stage that fails is the result."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    result: dict[str, Any] = {
        "case": case.name,
        "title": case.title,
        "tool": f"Assay {assay.__version__}",
        "machine": machine.describe(),
        "started": machine.now(),
        "load_average_before": machine.load_average(),
        "status": "ok",
        "configuration": {"rows_in_one_proof": case.batch, "inputs": "public", "prove_repeats": REPEATS},
        "stages": {},
    }
    try:
        for stage in STAGES_IN_ORDER:
            result["stages"][stage] = _call(stage, case, case_folder, work)
            print(f"  {stage}: {statistics.median(result['stages'][stage]['seconds']):.4f} s", flush=True)
        source = (work / "Verifier.sol").read_text(encoding="utf-8")
        result["settlement"] = asdict(gas.settle(source, None, (work / "calldata.bin").read_bytes()))
    except (StageFailed, RuntimeError, assay.AssayError) as error:
        result |= {"status": "failed", "failure": failure(error)}
    result["load_average_after"] = machine.load_average()
    result["figures"] = _figures(result, cases.rows(case_folder)["margins"].tolist())
    return results.write(f"{case.name}.assay", result)


def _call(stage: str, case: Case, case_folder: Path, work: Path) -> dict[str, Any]:
    module = [sys.executable, "-m", "benchmarks.assay_side"]
    arguments = [stage, case.name, str(case_folder), str(work), str(REPEATS)]
    # A cache of its own, so that the reference string's generation is measured and the user's cache left alone.
    environment = {**os.environ, "ASSAY_CACHE": str(work / "cache")}
    return run_stage(stage, [*module, *arguments], limits=LIMITS, cwd=machine.ROOT, environment=environment)


def _figures(result: dict[str, Any], margins: list[float]) -> dict[str, Any]:
    stages = result["stages"]
    found = stage_figures(stages)
    if "prove" in stages:
        found["first_prove_seconds"] = stages["prove"]["first_seconds"]
    if {"first_setup", "setup"} <= set(stages):
        # The first setup on a machine also generates the reference string.
        found["srs_seconds"] = stages["first_setup"]["seconds"][0] - found["setup_seconds"]
    if "fidelity" in stages:
        found |= agreement(stages["fidelity"]["margins"], margins)
    settlement: dict[str, Any] = result.get("settlement", {})
    return found | settlement


def _transpile(case: Case, case_folder: Path, work: Path, _repeats: int) -> dict[str, Any]:
    model, calibration = case.load(case_folder), cases.rows(case_folder)["calibration"]
    start = time.perf_counter()
    circuit = assay.transpile(model, calibration=calibration)
    seconds = time.perf_counter() - start
    circuit.save(work)
    return {"seconds": [seconds]}


def _first_setup(_case: Case, _case_folder: Path, work: Path, _repeats: int) -> dict[str, Any]:
    circuit = assay.Circuit.load(work)
    start = time.perf_counter()
    keys = assay.setup(circuit)
    seconds = time.perf_counter() - start
    keys.save(work / "keys")
    return {"seconds": [seconds]}


def _setup(_case: Case, _case_folder: Path, work: Path, _repeats: int) -> dict[str, Any]:
    circuit = assay.Circuit.load(work)
    seconds, keys = timed(lambda: assay.setup(circuit), 5)
    return {
        "seconds": seconds,
        "proving_key_bytes": (work / "keys" / "proving.key").stat().st_size,
        "verifying_key_bytes": (work / "keys" / "verifying.key").stat().st_size,
        "max_batch": keys.proving_key.max_batch,
    }


def _prove(case: Case, case_folder: Path, work: Path, repeats: int) -> dict[str, Any]:
    rows = cases.rows(case_folder)["test"][: case.batch]
    before = memory_in_use_bytes()
    start = time.perf_counter()
    proving_key = assay.Keys.load(work / "keys").proving_key
    proof = assay.prove(proving_key, rows)
    first = time.perf_counter() - start
    cpu = time.process_time()
    seconds, proof = timed(lambda: assay.prove(proving_key, rows), repeats)
    cpu_seconds = (time.process_time() - cpu) / (repeats + 1)
    (work / "proof.bin").write_bytes(proof.to_bytes())
    return {
        "seconds": seconds,
        "first_seconds": first,
        "cpu_seconds": cpu_seconds,
        "memory_before_bytes": before,
        "proof_bytes": len(proof.body),
        "public_words": len(proof.public_inputs),
    }


def _verify(_case: Case, _case_folder: Path, work: Path, _repeats: int) -> dict[str, Any]:
    verifying_key = assay.Keys.load(work / "keys").verifying_key
    proof = assay.Proof.from_bytes((work / "proof.bin").read_bytes())
    seconds, _ = timed(lambda: assay.verify(verifying_key, proof), 50)
    return {"seconds": seconds}


def _fidelity(case: Case, case_folder: Path, work: Path, _repeats: int) -> dict[str, Any]:
    """The outputs that valid proofs show, not a simulation of them."""
    keys = assay.Keys.load(work / "keys")
    rows = cases.rows(case_folder)["test"][: max(cases.FIDELITY_ROWS, case.batch)]
    margins: list[float] = []
    seconds: list[float] = []
    for first in range(0, len(rows), case.batch):
        start = time.perf_counter()
        proof = assay.prove(keys.proving_key, rows[first : first + case.batch])
        assay.verify(keys.verifying_key, proof)
        seconds.append(time.perf_counter() - start)
        margins += proof.outputs[:, 0].tolist()
    return {"seconds": seconds, "margins": margins}


def _contract(_case: Case, _case_folder: Path, work: Path, _repeats: int) -> dict[str, Any]:
    verifying_key = assay.Keys.load(work / "keys").verifying_key
    seconds, source = timed(lambda: assay.solidity(verifying_key), 1)
    calldata = assay.Proof.from_bytes((work / "proof.bin").read_bytes()).calldata()
    (work / "Verifier.sol").write_text(source, encoding="utf-8")
    (work / "calldata.bin").write_bytes(calldata)
    return {"seconds": seconds, "calldata_bytes": len(calldata)}


def timed(call: Callable[[], Any], repeats: int) -> tuple[list[float], Any]:
    """Seconds of each of `repeats` calls after one to warm up, and what the last one returned."""
    answer = call()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        answer = call()
        seconds.append(time.perf_counter() - start)
    return seconds, answer


_STAGES: dict[str, Callable[[Case, Path, Path, int], dict[str, Any]]] = {
    "transpile": _transpile,
    "first_setup": _first_setup,
    "setup": _setup,
    "prove": _prove,
    "verify": _verify,
    "fidelity": _fidelity,
    "contract": _contract,
}


def main() -> None:
    """One stage, as the process that `run` starts for it."""
    stage, name, case_folder, work, repeats, result = sys.argv[1:]
    measured = _STAGES[stage](cases.by_name(name), Path(case_folder), Path(work), int(repeats))
    measured["peak_memory_bytes"] = peak_memory_bytes()
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
