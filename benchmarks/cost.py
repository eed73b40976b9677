"""How far predicted proving costs are from measured ones: `python -m benchmarks.cost`.

This machine is calibrated anew, as `assay explore` does once. Then models of random parameters are drawn from the
search spaces, on data that packages carry, and their costs are predicted twice: before training, from the
parameters and a pilot of a few trees, and after it, from the trees. What they really cost is measured: proofs in a
process of their own, gas of a real transaction. None of these models took part in the calibration.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from assay.bench.calibrate import calibration
from assay.bench.measure import measure
from assay.models.cost.cost import Calibration, Cost
from assay.models.families.family import Family
from assay.models.families.registry import family
from assay.models.rows import Kind, Problem, Rows
from assay.prove.setup import setup
from assay.task.sections import Existing
from assay.transpile.api import transpile
from benchmarks import machine, results

NAME = "cost_prediction"
PARTS = ("prove_seconds", "memory_mb", "gas")
FAMILIES = ("linear", "logistic", "tree", "forest", "xgboost", "lightgbm")
WITHIN = 0.25
RUNS = 15
SEED = 7
# A proof of a minute tells no more than one of a second, and is no candidate of anybody's.
LONGEST_SECONDS = 5.0


@dataclass(frozen=True)
class Data:
    """Rows to learn from."""

    name: str
    kind: Kind
    X: npt.NDArray[np.float32]
    y: npt.NDArray[np.float64]


class Random:
    """Any point of a search space (`assay.models.families.family.Suggest`)."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)

    def integer(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        return round(self.number(name, low, high, log=log))

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        del name
        if log:
            return float(np.exp(self._random.uniform(np.log(low), np.log(high))))
        return float(self._random.uniform(low, high))

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        del name
        return options[int(self._random.integers(len(options)))]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("--models", type=int, default=3, help="models of each family and dataset (default 3)")
    parser.add_argument("--kept", action="store_true", help="use the calibration in the cache instead of a new one")
    options = parser.parse_args(arguments)
    started, load = machine.now(), machine.load_average()
    print("calibrating", flush=True)
    known = calibration(again=not options.kept, progress=lambda step: print(f"  {step}", flush=True))
    measured = list(_measure(known, options.models))
    figures = _figures(measured)
    result = {
        "case": NAME,
        "title": "Predicted proving costs against measured ones",
        "machine": machine.describe(),
        "started": started,
        "load_average_before": load,
        "load_average_after": machine.load_average(),
        "status": "ok",
        "configuration": {"models_each": options.models, "runs": RUNS, "rows_in_one_proof": 1, "inputs": "public"},
        "calibration": known.model_dump(mode="json", by_alias=True),
        "models": measured,
        "figures": figures,
    }
    path = results.write(NAME, result)
    for name, value in figures.items():
        print(f"{name}: {value:.3g}")
    print(f"wrote {path}")


def section() -> str:
    """The page's section on this, from the result; empty if there is none."""
    result = results.read(NAME)
    if result is None:
        return ""
    figures = result["figures"]
    lines = [
        f"## {result['title']}",
        "",
        "`python -m benchmarks.cost` calibrates this machine, draws models of random parameters from the search",
        f"spaces, and compares what was predicted with what {figures['models']} of them really cost: relative errors.",
        "",
        "| | predicted | median | nine of ten below | largest | within 25 % |",
        "|---|---|---:|---:|---:|---:|",
    ]
    names = {"prove_seconds": "prove time", "memory_mb": "memory", "gas": "gas"}
    for part, name in names.items():
        for when in ("before_training", "after_training"):
            own = [figures[f"{part}_{when}_{what}"] for what in ("median", "nine_of_ten", "largest", "share_within")]
            cells = " | ".join(f"{value:.0%}" for value in own)
            lines.append(f"| {name} | {when.replace('_', ' ')} | {cells} |")
    return "\n".join([*lines, ""])


def datasets() -> Iterator[Data]:
    """Data of several sizes and kinds."""
    from sklearn import datasets as carried

    X, y = carried.load_breast_cancer(return_X_y=True)
    yield Data("breast cancer, 569 x 30", "binary", X.astype(np.float32), y.astype(np.float64))
    X, y = carried.load_diabetes(return_X_y=True)
    yield Data("diabetes, 442 x 10", "regression", X.astype(np.float32), y.astype(np.float64))
    X, y = carried.load_digits(n_class=3, return_X_y=True)
    yield Data("three digits, 537 x 64", "multiclass", X.astype(np.float32), y.astype(np.float64))
    X, y = carried.make_friedman1(4000, 12, noise=1.0, random_state=0)
    yield Data("Friedman 1, 4000 x 12", "regression", X.astype(np.float32), y.astype(np.float64))
    X, y = carried.make_classification(6000, 20, n_informative=12, flip_y=0.05, random_state=0)
    yield Data("synthetic classes, 6000 x 20", "binary", X.astype(np.float32), y.astype(np.float64))


def _measure(known: Calibration, count: int) -> Iterator[dict[str, Any]]:
    for data in datasets():
        question = _problem(data)
        rows = Rows(data.X, data.y, None)  # type: ignore[arg-type]  # no family here looks at other columns
        for name in FAMILIES:
            one = family(name)
            if one.refuses(question, rows) is not None:
                continue
            for number in range(count):
                seed = zlib.crc32(f"{data.name}/{name}/{number}".encode())
                found = _one(one, question, rows, known, seed)
                if found is not None:
                    found = {"data": data.name, "family": name, **found}
                    print(f"  {data.name}, {name}: {_shown(found)}", flush=True)
                    yield found


def _one(one: Family, question: Problem, rows: Rows, known: Calibration, seed: int) -> dict[str, Any] | None:
    """Draw parameters until the predicted proof is not too long, then train, predict and measure."""
    random = Random(seed)
    for _ in range(20):
        params = one.space(random, question)
        before = known.predict(one.expected_size(params, question, rows, SEED))
        if before.prove_seconds <= LONGEST_SECONDS:
            break
    else:
        return None
    fitted = one.fit(params, question, rows, SEED)
    after = known.predict(fitted.size())
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        linear = one.name in {"linear", "logistic"}
        circuit = transpile(place / fitted.save(place), calibration=rows.X if linear else None)
        keys = setup(circuit, max_batch=1)
        circuit.save(place)
        keys.save(place)
        np.save(place / "rows.npy", rows.X[:1])
        cost = measure(place, place / "rows.npy", runs=RUNS)
    return {
        "params": params,
        "before_training": _costs(before),
        "after_training": _costs(after),
        "measured": {
            "prove_seconds": cost.prove_seconds,
            "memory_mb": (cost.peak_memory_bytes or 0) / 1e6,
            "gas": cost.gas,
        },
    }


def _figures(measured: list[dict[str, Any]]) -> dict[str, float]:
    """Relative errors: median, nine of ten, the largest, and the share within a quarter."""
    found: dict[str, float] = {"models": len(measured)}
    summaries: dict[str, Callable[[list[float]], float]] = {
        "median": statistics.median,
        "nine_of_ten": lambda errors: float(np.quantile(errors, 0.9)),
        "largest": max,
        "share_within": lambda errors: float(np.mean(np.array(errors) <= WITHIN)),
    }
    for when in ("before_training", "after_training"):
        for part in PARTS:
            errors = [abs(one[when][part] / one["measured"][part] - 1) for one in measured if one["measured"][part]]
            for name, summary in summaries.items():
                found[f"{part}_{when}_{name}"] = summary(errors)
    return found


def _problem(data: Data) -> Problem:
    return Problem(
        kind=data.kind,
        classes=0 if data.kind == "regression" else int(data.y.max()) + 1,
        features=tuple(f"f{index}" for index in range(data.X.shape[1])),
        wide=(),
        target="y",
        metric="rmse" if data.kind == "regression" else "log_loss",
        loss=None,
        existing=Existing.model_validate({"kind": "constant", "value": 0.0}),
    )


def _costs(cost: Cost) -> dict[str, float]:
    return {part: getattr(cost, part) for part in PARTS}


def _shown(found: dict[str, Any]) -> str:
    real = found["measured"]
    errors = ", ".join(f"{part} {found['before_training'][part] / real[part] - 1:+.0%}" for part in PARTS if real[part])
    return f"{real['prove_seconds'] * 1e3:.0f} ms, {real['gas']:,} gas; predicted before training {errors}"


if __name__ == "__main__":
    main()
