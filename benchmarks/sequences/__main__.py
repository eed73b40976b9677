"""XGBoost against LSTM and BiLSTM, each with the same time to search: `python -m benchmarks.sequences`.

Two questions, each one dataset whose rows are windows of 20, and one of the same rows without windows, for XGBoost
once more. Every family searches alone for the same wall-clock time in one process; `assay decide` judges the front of
all that saw windows together, proves it and chooses. What the best of each family (by cross-validation) says on the
test rows is compared with today's process and with XGBoost, with the interval of a block bootstrap. All figures are
from one run.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.bench.calibrate import calibration
from assay.models.cost.cost import Calibration
from benchmarks import machine, results
from benchmarks.sequences import judge, recipe
from benchmarks.sequences.page import ALONE, NAME, TITLE, fill
from benchmarks.sequences.questions import QUESTIONS, WINDOW, Question
from benchmarks.sequences.search import decided, search
from benchmarks.work import WORK

FAMILIES = ("xgboost", "lstm", "bilstm")
NETWORKS = FAMILIES[1:]
SECONDS = 240.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sequences", description=__doc__)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of search, each family; default %(default)s")
    parser.add_argument("--task", nargs="+", choices=QUESTIONS, default=list(QUESTIONS), help="default: both")
    parser.add_argument("--render", action="store_true", help="measure nothing, only write the guide's figures")
    options = parser.parse_args(arguments)
    print(f"wrote {fill() if options.render else run(options.seconds, options.task)}")


def run(seconds: float, names: Sequence[str]) -> Path:
    """Search, decide and compare."""
    shutil.rmtree(WORK / NAME, ignore_errors=True)  # an exploration would go on with what it finds
    started, load = machine.now(), machine.load_average()
    about = machine.describe()
    known = calibration(progress=lambda step: print(f"  {step}", flush=True))
    found = {name: _one(QUESTIONS[name](WORK / NAME / name), known, seconds) for name in names}
    result = {
        "case": NAME,
        "title": TITLE,
        "machine": about,
        "started": started,
        "load_average_before": load,
        "load_average_after": machine.load_average(),
        "status": "ok",
        "configuration": {
            "seconds": seconds,
            "window": WINDOW,
            "families": list(FAMILIES),
            "recipe": {"rate": recipe.RATE, "batch": recipe.BATCH, "patience": recipe.PATIENCE, "seeds": recipe.SEEDS},
        },
        "tasks": found,
    }
    return results.write(NAME, result)


def _one(question: Question, known: Calibration, seconds: float) -> dict[str, Any]:
    dataset, found, loads = question.dataset(), {}, {}
    print(f"{question.title}: {dataset}", flush=True)
    for name in FAMILIES:
        found[name] = search(question, dataset, name, known, seconds)
        loads[name] = machine.load_average()
        print(f"  {name}: {found[name].front.trials} trials in {found[name].seconds:.0f} s", flush=True)
    alone = question.alone()
    alone_dataset = alone.dataset()
    single = search(alone, alone_dataset, FAMILIES[0], known, seconds)
    loads[ALONE] = machine.load_average()
    print(f"  {ALONE}: {single.front.trials} trials in {single.seconds:.0f} s", flush=True)
    decision = decided(question, dataset, found)
    print(f"  {decision.headline}", flush=True)
    value, task = question.task.value, question.task
    parts = {name: (dataset, one) for name, one in found.items()} | {ALONE: (alone_dataset, single)}
    return {
        "title": question.title,
        "metric": task.metric,
        "unit": value.unit if task.metric == "value" else task.predict.unit,
        "rows": {part: about.rows for part, about in dataset.manifest.rows.items()},
        "features": len(dataset.features),
        "block_seconds": task.block_seconds,
        "gas_price_gwei": value.gas_price_gwei,
        "native_usd": value.native_usd,
        "load_average_after": loads,
        "families": judge.families(question, parts, decision),
        "decision": judge.short(decision),
        "recipe": {name: recipe.compared(dataset, name, found[name].best) for name in NETWORKS},
    }


if __name__ == "__main__":
    main()
