"""Trees against recurrent networks on the volatility of the S&P 500: `python -m benchmarks.sequences`.

One dataset with windows of 20 days; each family searches for the same wall-clock time, and `assay decide` judges the
front of each, proves what can be proven, and chooses. What the best of each family (by cross-validation) says on the
test rows is compared pairwise with XGBoost's, with the interval of a block bootstrap. All figures are from one run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.bench.calibrate import calibration
from assay.bench.decide import decide
from assay.bench.evidence import Judged, evidence, judged
from assay.data.build import build
from assay.data.dataset.dataset import Dataset
from assay.models.candidate import Candidate
from assay.models.cost.cost import Calibration
from assay.models.rows import joined, rows_of
from assay.models.search.explore import FOLDER, explore
from assay.models.search.front import Front
from assay.models.search.search import ROUND
from assay.task.task import Task
from benchmarks import machine, results
from benchmarks.work import WORK

NAME = "sequences"
FAMILIES = ("xgboost", "lstm", "bilstm")
FIRST = FAMILIES[0]
SECONDS = 600
WINDOW = 20
TASK: dict[str, Any] = {
    "schema": "assay-task/1",
    "name": "sp500-volatility",
    "existing": {"kind": "column", "column": "volatility_5"},
    "predict": {"target": "volatility_next", "type": "regression", "unit": "log return"},
    "data": {
        "time": "Date",
        "window": WINDOW,
        "sources": [{"name": "sp500", "kind": "package", "load": "arch.data.sp500:load"}],
        "features": [
            {"name": "log_return", "op": "log_return", "of": "Close"},
            {"name": "range", "op": "column", "of": "LN(High / Low)"},
            {"name": "volume_change", "op": "log_return", "of": "Volume"},
            {"name": "volatility_5", "op": "realised_volatility", "of": "Close", "window": 5},
        ],
        "label": {"op": "forward_realised_volatility", "of": "Close", "horizon": 5},
    },
    "limits": {"metric": "rmse", "better_than_existing": 0.05},
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequences", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of search, for each family")
    options = parser.parse_args(arguments)
    print(f"wrote {run(options.seconds)}")


def run(seconds: float) -> Path:
    """Search, decide and compare."""
    started, load = machine.now(), machine.load_average()
    place = WORK / NAME
    dataset = build(Task.model_validate(TASK), place, place / "data")
    known = calibration(progress=lambda step: print(f"  {step}", flush=True))
    found = {}
    for name in FAMILIES:
        print(f"{name}: searching for {seconds:.0f} s", flush=True)
        found[name] = _one(name, dataset, place / name, known, seconds)
    compared = _compared(Task.model_validate(TASK), dataset, place, found)
    result = {
        "case": NAME,
        "title": "XGBoost against LSTM and BiLSTM: the volatility of the S&P 500",
        "machine": machine.describe(),
        "started": started,
        "load_average_before": load,
        "load_average_after": machine.load_average(),
        "status": "ok",
        "configuration": {"seconds": seconds, "window": WINDOW, "families": list(FAMILIES), "metric": "rmse"},
        "rows": {part: about.rows for part, about in dataset.manifest.rows.items()},
        "families": found,
        "compared": compared,
    }
    return results.write(NAME, result)


def _one(name: str, dataset: Dataset, project: Path, known: Calibration, seconds: float) -> dict[str, Any]:
    """Round after round of one family until the time is over, then its decision."""
    start, trials = time.perf_counter(), 0
    while trials == 0 or time.perf_counter() - start < seconds:
        trials += ROUND
        task = Task.model_validate(TASK | {"explore": {"families": [name], "trials": trials}})
        front = explore(task, dataset, project / FOLDER, project, calibration=known)
    took = time.perf_counter() - start
    print(f"  {trials} trials in {took:.0f} s; deciding", flush=True)
    decision = decide(task, dataset, front, project / "decision", project)
    best = _best(front)
    row = next(row for row in decision.rows if row.id == best)
    summary = next(one for one in front.candidates if one.id == best)
    return {
        "trials": trials,
        "search_seconds": took,
        "best": best,
        "params": summary.params,
        "cv": summary.cv.mean,
        "test": row.test,
        "improvement": row.improvement,
        "improvement_interval": None
        if row.evidence is None or row.evidence.improvement is None
        else row.evidence.improvement.model_dump(),
        "predicted": summary.predicted.model_dump(),
        "measured": None if row.measured is None else row.measured.model_dump(),
        "latency_blocks": row.latency_blocks.total,
        "usd_per_inference": row.usd_per_inference,
        "problem": "" if row.fidelity is None else row.fidelity.problem,
        "chosen": decision.chosen,
        "reasons": list(decision.reasons),
    }


def _best(front: Front) -> str:
    return front.best[0].id


def _compared(task: Task, dataset: Dataset, place: Path, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What each family gains over the first on the test rows, as a share of its loss, with its interval."""
    known, test = joined([rows_of(dataset, "train"), rows_of(dataset, "validation")]), rows_of(dataset, "test")
    said: dict[str, Judged] = {}
    for name, one in found.items():
        candidate = Candidate.load(place / name / FOLDER / one["best"])
        said[name] = judged(task, candidate.problem, candidate.fitted, test, past=known)
    problem = candidate.problem
    gains: dict[str, Any] = {}
    for name in FAMILIES[1:]:
        sure = evidence(task, problem, test, said[name], said[FIRST])
        losses = [said[which].metrics[task.metric] for which in (FIRST, name)]
        interval = None if sure.improvement is None else sure.improvement.model_dump()
        gains[name] = {"improvement": 1 - losses[1] / losses[0], "interval": interval, "confidence": sure.confidence}
    return gains


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    asked = result["configuration"]
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.sequences`: the realised volatility of the next five days, from windows of",
        f"{asked['window']} days; each family searches for {asked['seconds']:.0f} s, and `assay decide` judges",
        f"its front on {result['rows']['test']} test rows.",
        "",
        "| | test RMSE | better than today | against XGBoost | prove | memory | gas | blocks | USD an answer |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in result["families"].items():
        cells = [f"{one['test']['rmse']:.6f}", _gain(one["improvement"], one["improvement_interval"])]
        other = result["compared"].get(name)
        cells.append("" if other is None else _gain(other["improvement"], other["interval"]))
        lines.append(f"| {name} | {' | '.join([*cells, *_costs(one)])} |")
    problems = {one["problem"] for one in result["families"].values() if one["problem"] and one["measured"] is None}
    note = "Intervals are of 90 % confidence. Costs in brackets are predicted before any proof."
    lines += ["", note, *sorted(problems)]
    return "\n".join([*lines, ""])


def _gain(share: float | None, interval: dict[str, float] | None) -> str:
    if share is None:
        return ""
    return f"{share:+.1%}" + ("" if interval is None else f" ({interval['low']:+.1%} to {interval['high']:+.1%})")


def _costs(one: dict[str, Any]) -> list[str]:
    measured, predicted = one["measured"], one["predicted"]
    if measured is None:
        milliseconds = predicted["prove_seconds"] * 1e3
        return [f"({milliseconds:.0f} ms)", f"({predicted['memory_mb']:.0f} MB)", f"({predicted['gas']:,})", "", ""]
    memory = "" if measured["memory_mb"] is None else f"{measured['memory_mb']:.0f} MB"
    return [
        f"{measured['prove_seconds'] * 1e3:.0f} ms",
        memory,
        f"{measured['gas']:,}",
        str(one["latency_blocks"]),
        f"{one['usd_per_inference']:.4f}",
    ]


if __name__ == "__main__":
    main()
