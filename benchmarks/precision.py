"""What 64-bit keys of doubles cost beside 32-bit keys of float32: `python -m benchmarks.precision`.

The same models, trained on decimal fractions in double precision, are transpiled both ways and measured by turns in
one run, so that a busy machine slows both. Only the 64-bit circuits decide exactly as these models do.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay.bench.measure import measure
from assay.prove.prove import prove
from assay.prove.setup import setup
from assay.transpile.api import transpile
from assay.transpile.circuit.circuit import Circuit
from assay.transpile.ensemble import Precision
from benchmarks import machine, results, shown

NAME = "precision"
PRECISIONS: tuple[Precision, Precision] = ("float32", "float64")
RUNS = 10
# Proofs in one process, by turns: the processor's time for them does not grow on a busy machine as a clock's does.
TURNS = 15
_PARTS = {
    "prove": ("prove_seconds", shown.seconds),
    "processor time of all cores, prove": ("prove_processor_seconds", shown.seconds),
    "verify": ("verify_seconds", shown.seconds),
    "peak memory, prove": ("peak_memory_bytes", shown.size),
    "proving key": ("proving_key_bytes", shown.size),
    "proof": ("proof_bytes", shown.size),
    "gas": ("gas", shown.count),
    "gas to deploy": ("deployment_gas", shown.count),
}

_BY_THE_CLOCK = {"prove_seconds", "verify_seconds"}


def models() -> dict[str, Any]:
    """Models of several sizes, trained on two decimals of ten features."""
    import lightgbm
    from sklearn.ensemble import HistGradientBoostingRegressor

    random = np.random.default_rng(0)
    X = np.round(random.normal(size=(6000, 10)) * 100, 2)
    y = X[:, 0] + np.abs(X[:, 1]) + X[:, 2] * X[:, 3] / 100
    small = lightgbm.LGBMRegressor(n_estimators=50, num_leaves=15, max_depth=4, verbose=-1, n_jobs=1)
    large = lightgbm.LGBMRegressor(n_estimators=100, num_leaves=63, max_depth=6, verbose=-1, n_jobs=1)
    histogram = HistGradientBoostingRegressor(max_iter=100, max_leaf_nodes=63, max_depth=6, random_state=0)
    return {
        "LightGBM, 50 trees of depth 4": small.fit(X, y),
        "LightGBM, 100 trees of depth 6": large.fit(X, y),
        "HistGradientBoosting, 100 trees of depth 6": histogram.fit(X, y),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    argparse.ArgumentParser(prog="python -m benchmarks.precision", description=__doc__).parse_args(arguments)
    started, load = machine.now(), machine.load_average()
    measured = {}
    for title, model in models().items():
        print(title, flush=True)
        measured[title] = _by_turns({name: transpile(model, precision=name) for name in PRECISIONS})
        print(f"  {measured[title]}", flush=True)
    path = results.write(
        NAME,
        {
            "case": NAME,
            "title": "64-bit keys of doubles beside 32-bit keys",
            "machine": machine.describe(),
            "started": started,
            "load_average_before": load,
            "load_average_after": machine.load_average(),
            "status": "ok",
            "configuration": {"runs": RUNS, "turns": TURNS, "rows_in_one_proof": 1, "features": 10},
            "models": measured,
        },
    )
    print(f"wrote {path}")


def _by_turns(circuits: dict[Precision, Circuit]) -> dict[str, dict[str, float]]:
    found: dict[Precision, dict[str, Any]] = {}
    spent: dict[Precision, list[float]] = {name: [] for name in circuits}
    keys = {name: setup(circuit, max_batch=1) for name, circuit in circuits.items()}
    row = np.round(np.random.default_rng(1).normal(size=(1, 10)) * 100, 2)
    for _ in range(TURNS + 1):
        for name, own in keys.items():
            before = time.process_time()
            prove(own.proving_key, row)
            spent[name].append(time.process_time() - before)
    with tempfile.TemporaryDirectory() as root:
        np.save(Path(root) / "rows.npy", row)
        for name, circuit in circuits.items():
            circuit.save(Path(root) / name)
            keys[name].save(Path(root) / name)
            found[name] = vars(measure(Path(root) / name, Path(root) / "rows.npy", runs=RUNS))
    return {
        name: {key: own[key] for key, _ in _PARTS.values() if key in own}
        # The first proof of a key reads its reference string.
        | {"prove_processor_seconds": statistics.median(spent[name][1:]), "views": len(circuits[name].views)}
        for name, own in found.items()
    }


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.precision`: the same models, trained on decimal fractions in double precision, with",
        "keys of either width, by turns in one run. Only the 64-bit circuits decide as these models do for every",
        "double; models of float32 rows keep 32-bit keys. Processor time, not the clock's, which depends on what else",
        f"a machine does (load {result['load_average_before']} here); the result's JSON has both.",
    ]
    for title, own in result["models"].items():
        lines += ["", f"| {title} | 32 bits | 64 bits | ratio |", "|---|---:|---:|---:|"]
        for label, (key, show) in _PARTS.items():
            if key in _BY_THE_CLOCK:
                continue
            before, after = own["float32"][key], own["float64"][key]
            lines.append(f"| {label} | {show(before)} | {show(after)} | {after / before:.2f} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
