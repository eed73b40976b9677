"""One stage of EZKL in a process of its own, by its public Python API. Runs in the peer's own environment.

Usage: stage.py STAGE WORK_FOLDER GRAPH MODE REPEATS RESULT_FILE

GRAPH names a folder of WORK_FOLDER with a `network.onnx`; MODE is what calibration aims for,
"resources" or "accuracy". Writes a JSON of what it measured.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ezkl: Any = importlib.import_module("ezkl")


class Files:
    """Where each artefact of one run lies."""

    def __init__(self, work: Path, graph: str, mode: str) -> None:
        self.rows = work / "rows"
        self.calibration = str(work / "calibration.json")
        self.input = str(work / "input.json")
        self.onnx = str(work / graph / "network.onnx")
        folder = work / graph / mode
        folder.mkdir(exist_ok=True)
        self.settings = str(folder / "settings.json")
        self.circuit = str(folder / "network.ezkl")
        self.srs = str(folder / "kzg.srs")
        self.proving_key = str(folder / "pk.key")
        self.verifying_key = str(folder / "vk.key")
        self.witness = str(folder / "witness.json")
        self.proof = str(folder / "proof.json")
        self.solidity = str(folder / "Verifier.sol")
        self.abi = str(folder / "Verifier.abi")
        self.calldata = str(folder / "calldata.bin")


def timed(call: Callable[..., Any], **arguments: Any) -> float:
    """Seconds that one call of EZKL takes."""
    return asyncio.run(_timed(call, arguments))


async def _timed(call: Callable[..., Any], arguments: dict[str, Any]) -> float:
    """Some of EZKL's functions answer with an awaitable, and need a running loop for it."""
    start = time.perf_counter()
    answer = call(**arguments)
    if inspect.isawaitable(answer):
        answer = await answer
    seconds = time.perf_counter() - start
    if answer is False:
        raise RuntimeError(f"{call.__name__} answered False")
    return seconds


def calibrate(files: Files, _repeats: int, mode: str) -> dict[str, Any]:
    arguments = ezkl.PyRunArgs()
    arguments.input_visibility = "public"
    arguments.output_visibility = "public"
    arguments.param_visibility = "private"
    settings = timed(ezkl.gen_settings, model=files.onnx, output=files.settings, py_run_args=arguments)
    seconds = timed(
        ezkl.calibrate_settings, data=files.calibration, model=files.onnx, settings=files.settings, target=mode
    )
    return {"seconds": [settings + seconds], "settings": chosen(files)}


def compile_graph(files: Files, _repeats: int, _mode: str) -> dict[str, Any]:
    seconds = timed(
        ezkl.compile_circuit, model=files.onnx, compiled_circuit=files.circuit, settings_path=files.settings
    )
    return {"seconds": [seconds], "bytes": size(files.circuit)}


def srs(files: Files, _repeats: int, _mode: str) -> dict[str, Any]:
    logrows = chosen(files)["logrows"]
    seconds = timed(ezkl.gen_srs, srs_path=files.srs, logrows=logrows)
    return {"seconds": [seconds], "bytes": size(files.srs)}


def setup(files: Files, _repeats: int, _mode: str) -> dict[str, Any]:
    seconds = timed(
        ezkl.setup,
        model=files.circuit,
        vk_path=files.verifying_key,
        pk_path=files.proving_key,
        srs_path=files.srs,
    )
    return {
        "seconds": [seconds],
        "proving_key_bytes": size(files.proving_key),
        "verifying_key_bytes": size(files.verifying_key),
    }


def fidelity(files: Files, _repeats: int, _mode: str) -> dict[str, Any]:
    """The circuit's own answers: a row that EZKL cannot make a witness for is counted, with its message."""
    margins: list[float | None] = []
    outputs: list[list[float] | None] = []
    failures: dict[str, str] = {}
    seconds: list[float] = []
    rows = sorted(files.rows.iterdir(), key=lambda path: int(path.stem))
    for row in rows:
        try:
            seconds.append(timed(ezkl.gen_witness, data=str(row), model=files.circuit, output=files.witness))
        except RuntimeError as error:
            failures[row.stem] = f"{type(error).__name__}: {error}"
            margins.append(None)
            outputs.append(None)
            continue
        witness = json.loads(Path(files.witness).read_text(encoding="utf-8"))
        outputs.append([float(value) for value in witness["pretty_elements"]["rescaled_outputs"][0]])
        margins.append(float(witness["pretty_elements"]["rescaled_outputs"][0][0]))
    return {"seconds": seconds, "margins": margins, "outputs": outputs, "failed_rows": failures}


def prove(files: Files, repeats: int, _mode: str) -> dict[str, Any]:
    """Witness and proof of the first row; with more than one repeat, one more run before warms up."""
    witness_seconds: list[float] = []
    prove_seconds: list[float] = []
    cpu = time.process_time()
    for _ in range(repeats + (repeats > 1)):
        cpu = time.process_time()
        witness_seconds.append(timed(ezkl.gen_witness, data=files.input, model=files.circuit, output=files.witness))
        prove_seconds.append(
            timed(
                ezkl.prove,
                witness=files.witness,
                model=files.circuit,
                pk_path=files.proving_key,
                proof_path=files.proof,
                srs_path=files.srs,
            )
        )
    proof = json.loads(Path(files.proof).read_text(encoding="utf-8"))
    both = [a + b for a, b in zip(witness_seconds, prove_seconds, strict=True)][-repeats:]
    return {
        "seconds": both,
        "witness_seconds": witness_seconds[-repeats:],
        "prove_seconds": prove_seconds[-repeats:],
        # Of the last run.
        "cpu_seconds": time.process_time() - cpu,
        "proof_bytes": len(proof["proof"]) if isinstance(proof["proof"], list) else len(proof["hex_proof"]) // 2 - 1,
        "public_words": sum(len(column) for column in proof["instances"]),
    }


def verify(files: Files, repeats: int, _mode: str) -> dict[str, Any]:
    seconds = [
        timed(
            ezkl.verify,
            proof_path=files.proof,
            settings_path=files.settings,
            vk_path=files.verifying_key,
            srs_path=files.srs,
        )
        for _ in range(repeats + 1)
    ]
    return {"seconds": seconds[1:]}


def contract(files: Files, _repeats: int, _mode: str) -> dict[str, Any]:
    seconds = timed(
        ezkl.create_evm_verifier,
        vk_path=files.verifying_key,
        settings_path=files.settings,
        sol_code_path=files.solidity,
        abi_path=files.abi,
        srs_path=files.srs,
    )
    timed(ezkl.encode_evm_calldata, proof=files.proof, calldata=files.calldata)
    return {"seconds": [seconds], "calldata_bytes": size(files.calldata)}


STAGES = {
    "calibrate": calibrate,
    "compile": compile_graph,
    "srs": srs,
    "setup": setup,
    "fidelity": fidelity,
    "prove": prove,
    "verify": verify,
    "contract": contract,
}


_CHOSEN = (
    "input_scale",
    "param_scale",
    "scale_rebase_multiplier",
    "lookup_range",
    "logrows",
    "num_inner_cols",
    "decomp_base",
    "decomp_legs",
    "input_visibility",
    "output_visibility",
    "param_visibility",
)


def chosen(files: Files) -> dict[str, Any]:
    """What calibration settled, for the record."""
    settings = json.loads(Path(files.settings).read_text(encoding="utf-8"))
    return {name: settings["run_args"][name] for name in _CHOSEN} | {
        "num_rows": settings["num_rows"],
        "total_assignments": settings["total_assignments"],
    }


def size(path: str) -> int:
    return Path(path).stat().st_size


def peak_memory() -> int:
    """Bytes; getrusage would also count the parent's memory at the fork."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def main() -> None:
    stage, work, graph, mode, repeats, result = sys.argv[1:]
    measured = STAGES[stage](Files(Path(work), graph, mode), int(repeats), mode)
    measured["peak_memory_bytes"] = peak_memory()
    Path(result).write_text(json.dumps(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
