"""Searching over many rows: learning from a sample first, against learning from all: `python -m benchmarks.search`.

The same trials are made twice in one run, on the same rows and in one process. What was chosen each time is judged on
the test rows; the interval of the difference says whether the choices are the same.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
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
    size, a_tree = (most * rows // ROWS for most in (sample.SAMPLE, forest.ROWS_A_TREE))
    started, load = machine.now(), machine.load_average()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        data(rows).write_parquet(place / "rows.parquet")
        task = Task.model_validate(TASK)
        dataset = build(task, place, place / "data")
        known = calibration(progress=lambda step: print(f"  {step}", flush=True))
        sample.SAMPLE = size
        found: dict[str, tuple[dict[str, Any], Front]] = {}
        explored(task, dataset, place / "warm", place, known)  # libraries are imported
        for called, many, rows_of_a_tree in (("sample", 2 * size, a_tree), ("all", sys.maxsize, sys.maxsize)):
            sample.MANY, forest.ROWS_A_TREE = many, rows_of_a_tree
            found[called] = explored(task, dataset, place / called, place, known)
            print(f"  {called}: {found[called][0]['cpu_seconds']:.0f} s of processor time", flush=True)
        figures = compared(dataset, place, found)
    result = {
        "case": NAME,
        "title": "Searching over many rows",
        "machine": machine.describe(),
        "started": started,
        "load_average_before": load,
        "load_average_after": machine.load_average(),
        "status": "ok",
        "configuration": {
            "rows": rows,
            "features": FEATURES,
            "trials": TRIALS,
            "sample": size,
            "rows_a_tree": a_tree,
            "workers": 1,
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
    wall, cpu = time.perf_counter(), time.process_time()
    front = explore(task, dataset, out, project, calibration=known, workers=1)
    took = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    best = front.best[0]
    return took | {"best": best.family, "params": best.params, "cv": best.cv.mean, "front": len(front.best)}, front


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
    same = "the same model" if figures["same_choice"] else "another model"
    lines = [
        f"## {result['title']}",
        "",
        f"`python -m benchmarks.search --rows {rows}` makes {asked['trials']} trials over {rows:,} rows",
        f"of {asked['features']} features, in one process: learning from at most {asked['sample']:,} rows first",
        f"(forests never from more than {asked['rows_a_tree']:,} a tree), and learning from all. With a million rows",
        "these are 50,000 and 100,000, the defaults; with fewer the run takes as many less.",
        "",
        "| the search learns from | processor seconds | the best on its front | its loss on test rows |",
        "|---|---:|---|---:|",
    ]
    for called, name in (("sample", "a sample first"), ("all", "all rows")):
        one = runs[called]
        lines.append(f"| {name} | {one['cpu_seconds']:.0f} | {one['best']} | {figures[f'test_loss_{called}']:.5f} |")
    lines += [
        "",
        f"Both chose {same}; the losses differ by {low:+.5f} to {high:+.5f} with 90 % confidence,",
        f"and the time by a factor of {figures['cpu_ratio']:.1f}.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
