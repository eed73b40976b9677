"""Searching over many rows: learning from a sample first, against learning from all: `python -m benchmarks.search`.

The same trials are made twice in one run, on the same rows, by two workers, whose start is part of the time. What was
chosen each time is judged on the test rows; the interval of the difference says whether the choices are the same.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from assay.bench.calibrate import calibration
from assay.data.build import build
from assay.data.dataset.dataset import Dataset
from assay.models.candidate import Candidate
from assay.models.cost.cost import Calibration
from assay.models.families import forest
from assay.models.search import sample
from assay.models.search.explore import explore
from assay.models.search.front import Front
from assay.task.task import Task
from benchmarks import machine, results

NAME = "search"
ROWS, FEATURES, TRIALS = 1_000_000, 20, 6
WORKERS = 2
MOST = 250.0
"""Seconds that the search may take for all rows, on two cores."""
CONFIDENCE = 1.645  # 90 %
TASK = {
    "schema": "assay-task/1",
    "name": "search",
    "existing": {"kind": "constant", "value": 0.5},
    "predict": {"target": "y", "type": "binary"},
    "data": {"sources": [{"name": "rows", "kind": "parquet", "path": "rows.parquet"}], "split": {"by": "random"}},
    "explore": {"trials": TRIALS},
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    options = parser.parse_args(arguments)
    path = run(options.rows)
    print(f"wrote {path}")


def run(rows: int) -> Path:
    """Make the trials both ways and compare them; of fewer rows than `ROWS`, the sample's are fewer in proportion."""
    size = sample.SAMPLE * rows // ROWS
    about, started, load = machine.describe(), machine.now(), machine.load_average()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        data(rows).write_parquet(place / "rows.parquet")
        task = Task.model_validate(TASK)
        dataset = build(task, place, place / "data")
        known = calibration(progress=lambda step: print(f"  {step}", flush=True))
        sample.SAMPLE = size
        found: dict[str, tuple[dict[str, Any], Front]] = {}
        for called, many in (("sample", 2 * size), ("all", sys.maxsize)):
            sample.MANY = many
            found[called] = explored(task, dataset, place / called, place, known)
            print(f"  {called}: {found[called][0]['seconds']:.0f} s", flush=True)
        figures = compared(dataset, place, found)
    result = {
        "case": NAME,
        "title": "Searching over many rows",
        "machine": about,
        "started": started,
        "load_average_before": load,
        "load_average_after": machine.load_average(),
        "status": "ok",
        "configuration": {
            "rows": rows,
            "features": FEATURES,
            "trials": TRIALS,
            "sample": size,
            "rows_a_tree": forest.ROWS_A_TREE,
            "workers": WORKERS,
        },
        "runs": {called: figures_of for called, (figures_of, _) in found.items()},
        "figures": figures,
    }
    for name, value in figures.items():
        print(f"{name}: {value}")
    return results.write(NAME, result)


def data(rows: int) -> pl.DataFrame:
    """Classes that trees and linear models both know something of."""
    random = np.random.default_rng(0)
    X = random.normal(size=(rows, FEATURES)).astype(np.float32)
    signal = X[:, 0] + X[:, 1] * X[:, 2] + np.sin(2 * X[:, 3]) + 0.5 * (X[:, 4] > 1) + random.normal(size=rows)
    columns = {f"x{number}": X[:, number] for number in range(FEATURES)}
    return pl.DataFrame(columns | {"y": (signal > 0).astype(np.int64)})


def explored(
    task: Task, dataset: Dataset, out: Path, project: Path, known: Calibration
) -> tuple[dict[str, Any], Front]:
    """One exploration, and what it took."""
    wall, cpu = time.perf_counter(), _processor()
    front = explore(task, dataset, out, project, calibration=known, workers=WORKERS, progress=_told(wall))
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": _processor() - cpu}
    best = front.best[0]
    return took | {"best": best.family, "params": best.params, "cv": best.cv.mean, "front": len(front.best)} | {
        "judged_on_all": sum(not one.sample and one.provable for one in front.candidates),
        "candidates": [[one.id, one.cv.mean, one.sample_cv and one.sample_cv.mean] for one in front.candidates],
    }, front


def _processor() -> float:
    """Seconds of processors: this process's, and those of the workers that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def _told(start: float) -> Callable[[str], None]:
    return lambda step: print(f"    {time.perf_counter() - start:6.1f} s  {step}", flush=True)


def compared(dataset: Dataset, place: Path, found: dict[str, tuple[dict[str, Any], Front]]) -> dict[str, Any]:
    """Ratios of times, and the difference of both choices on the test rows with its interval."""
    frame = dataset.frame("test")
    y = frame["y"].to_numpy()
    losses = {}
    for called, (_, front) in found.items():
        share = np.clip(Candidate.load(place / called / front.best[0].id, place).predict(frame), 1e-15, 1 - 1e-15)
        losses[called] = -np.where(y == 1, np.log(share), np.log(1 - share))
    difference = losses["sample"] - losses["all"]
    half = CONFIDENCE * float(difference.std()) / np.sqrt(len(difference))
    mean = float(difference.mean())
    own, whole = found["sample"][0], found["all"][0]
    return {
        "seconds_ratio": whole["seconds"] / own["seconds"],
        "cpu_ratio": whole["cpu_seconds"] / own["cpu_seconds"],
        "test_loss_sample": float(losses["sample"].mean()),
        "test_loss_all": float(losses["all"].mean()),
        "difference_low": mean - half,
        "difference_high": mean + half,
        "same_choice": own["best"] == whole["best"] and own["params"] == whole["params"],
    }


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    asked, runs, figures = result["configuration"], result["runs"], result["figures"]
    rows, low, high = asked["rows"], figures["difference_low"], figures["difference_high"]
    same = "the same parameters" if figures["same_choice"] else "other parameters"
    agree = "holds 0: no difference is shown" if low <= 0 <= high else "does not hold 0: they differ"
    lines = [
        f"## {result['title']}",
        "",
        f"`python -m benchmarks.search --rows {rows}` makes {asked['trials']} trials over {rows:,} rows",
        f"of {asked['features']} features with {asked['workers']} workers: learning from {asked['sample']:,} rows of",
        "each fold first and then, with what may be the most accurate, from all; and learning from all at once.",
        f"Trees of a forest draw {asked['rows_a_tree']:,} rows at most in both.",
        "",
        "| learning from | seconds | must | processor seconds | judged on all | best | loss on test rows |",
        "|---|---:|---:|---:|---:|---|---:|",
    ]
    for called, name, must in (("sample", "a sample first", f"{MOST:.0f}" * (rows == ROWS)), ("all", "all rows", "")):
        one = runs[called]
        times = (
            f"{one['seconds']:.0f} | {must} | {one['cpu_seconds']:.0f} | {one['judged_on_all']} of {asked['trials']}"
        )
        lines.append(f"| {name} | {times} | {one['best']} | {figures[f'test_loss_{called}']:.5f} |")
    lines += ["", *_busy(result, asked["workers"])]
    faster = f"it took {figures['seconds_ratio']:.1f} times less time."
    if figures["same_choice"] and low == high == 0:
        return "\n".join([*lines, f"Both chose the very same model; learning from a sample first, {faster}", ""])
    lines += [
        f"Both chose {same}. The first's loss is larger by {low:+.5f} to {high:+.5f} with 90 % confidence, which",
        f"{agree}; {faster}",
        "",
    ]
    return "\n".join(lines)


def _busy(result: dict[str, Any], workers: int) -> list[str]:
    """What is to be known of the seconds where the machine had other work."""
    before, after = (float(result[f"load_average_{when}"]) for when in ("before", "after"))
    if before < 1 and after < workers + 1:
        return []
    return [
        f"The machine had other work to do then (load average {before:.0f} before and {after:.0f} after, for",
        f"{workers} processors): seconds of processors say more than seconds.",
        "",
    ]


if __name__ == "__main__":
    main()
