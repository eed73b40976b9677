"""Measure EZKL on a case: both calibration modes, every stage in a process of its own."""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from benchmarks import cases, gas, machine, results
from benchmarks.cases import Case
from benchmarks.figures import agreement, stage_figures
from benchmarks.measure import Limits, StageFailed, failure, run_stage
from benchmarks.peers.ezkl import environment

from assay import AssayError

HERE = Path(__file__).resolve().parent
REPEATS = 5
LIMITS = Limits(seconds=7200)
ANSWER_STAGES = ("calibrate", "compile", "fidelity")
PROOF_STAGES = ("srs", "setup", "prove", "verify", "contract")
OPTIMIZER_RUNS = 1


@dataclass(frozen=True)
class Variant:
    """A graph and a calibration mode; `proves` is False where only the answers are looked at."""

    graph: str
    mode: str
    proves: bool

    def result_name(self, case: Case) -> str:
        return f"{case.name}.ezkl-{self.mode}" + ("" if self.proves else f"-{self.graph}")


def variants(case: Case) -> list[Variant]:
    """What is run: for trees the corrected graph fully, and the exported one for its answers."""
    modes = ("resources", "accuracy")
    if case.family != "trees":
        return [Variant("exported", mode, proves=True) for mode in modes]
    # Calibration of a heavy model takes long, and the exported graph's answers are the same in both modes.
    looked_at = modes[:1] if case.heavy else modes
    return [
        *(Variant("corrected", mode, proves=True) for mode in modes),
        *(Variant("exported", mode, proves=False) for mode in looked_at),
    ]


def run(case: Case, case_folder: Path, work: Path, chosen: list[str] | None = None) -> Iterator[Path]:
    """Measure each variant and write its result; a stage that fails is the variant's result.

    `chosen` limits the run to modes of these names.
    """
    python = environment.python()
    work.mkdir(parents=True, exist_ok=True)
    exported = _call(python, work, "export", [str(HERE / "export.py"), str(case_folder), str(work)])
    margins = cases.rows(case_folder)["margins"].tolist()

    def compare(answers: dict[str, Any]) -> dict[str, Any]:
        return agreement(answers["margins"], margins)

    for variant in variants(case):
        if chosen is None or variant.mode in chosen:
            about = {
                "calibration_rows": cases.CALIBRATION_ROWS,
                "largest_error_of_onnx": exported["largest_error_of_onnx"][variant.graph],
            }
            yield results.write(variant.result_name(case), measure(case, work, variant, about, compare))


class Measured(Protocol):
    """What is measured; heavy ones take minutes and gigabytes."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def heavy(self) -> bool: ...


def measure(
    case: Measured,
    work: Path,
    variant: Variant,
    about: dict[str, Any],
    compare: Callable[[dict[str, Any]], dict[str, Any]],
) -> dict[str, Any]:
    """Run all stages on the graph and rows in `work`; `compare` judges the stage of answers."""
    result: dict[str, Any] = {
        "case": case.name,
        "title": case.title,
        "tool": "EZKL 23.0.5",
        "mode": variant.mode,
        "graph": variant.graph,
        "machine": machine.describe(),
        "started": machine.now(),
        "load_average_before": machine.load_average(),
        "status": "ok",
        "configuration": {
            "visibility": "private parameters, public input and output",
            "prove_repeats": _repeats(case),
            "requirements": _pinned(),
            **about,
        },
        "stages": {},
    }
    folder = work / variant.graph / variant.mode
    try:
        _run_stages(case, work, variant, result["stages"])
        if variant.proves:
            result["settlement"] = asdict(_settle(folder))
    except (StageFailed, RuntimeError, AssayError) as error:  # a contract may be over Ethereum's limit
        result |= {"status": "failed", "failure": failure(error)}
    finally:
        # The keys of a large model take gigabytes.
        shutil.rmtree(folder, ignore_errors=True)
    result["load_average_after"] = machine.load_average()
    result["figures"] = _figures(result, compare)
    return result


def _run_stages(case: Measured, work: Path, variant: Variant, stages: dict[str, Any]) -> None:
    python = environment.python()
    for stage in ANSWER_STAGES + (PROOF_STAGES if variant.proves else ()):
        repeats = 20 if stage == "verify" else _repeats(case)
        arguments = [str(HERE / "stage.py"), stage, str(work), variant.graph, variant.mode, str(repeats)]
        stages[stage] = _call(python, work, stage, arguments)
        print(f"  {stage}: {statistics.median(stages[stage]['seconds']):.3f} s", flush=True)


def _settle(folder: Path) -> gas.Settlement:
    source = (folder / "Verifier.sol").read_text(encoding="utf-8")
    calldata = (folder / "calldata.bin").read_bytes()
    return gas.settle(source, "Halo2Verifier", calldata, runs=OPTIMIZER_RUNS)


def _call(python: Path, work: Path, stage: str, arguments: list[str]) -> dict[str, Any]:
    environment_variables = {**os.environ, "HOME": str(environment.home(work))}
    return run_stage(stage, [str(python), *arguments], limits=LIMITS, cwd=work, environment=environment_variables)


def _figures(result: dict[str, Any], compare: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    found = stage_figures(result["stages"])
    if "fidelity" in result["stages"]:
        found |= compare(result["stages"]["fidelity"])
    settlement: dict[str, Any] = result.get("settlement", {})
    return found | settlement


def _repeats(case: Measured) -> int:
    return 1 if case.heavy else REPEATS


def _pinned() -> list[str]:
    lines = environment.REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith(("ezkl=", "hummingbird", "torch=", "onnx=", "xgboost"))]
