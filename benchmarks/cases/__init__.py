"""The models and rows that every tool is measured on, trained here and always the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.cases import linear, trees
from benchmarks.cases.trained import Trained

CALIBRATION_ROWS = 128
FIDELITY_ROWS = 64


@dataclass(frozen=True)
class Case:
    """One model and how many rows go into one proof.

    `heavy` cases take another tool more than a few minutes and a large part of the memory.
    `same_model_as` names the case whose other-tool results a batch case is compared with.
    """

    name: str
    title: str
    family: str
    train: Callable[[], Trained]
    load: Callable[[Path], Any]
    batch: int = 1
    heavy: bool = False
    same_model_as: str | None = None


CASES = (
    Case("xgb_100x6", "XGBoost, 100 trees of depth 6", "trees", lambda: trees.train(100, 6), trees.load, heavy=True),
    Case("xgb_50x4", "XGBoost, 50 trees of depth 4", "trees", lambda: trees.train(50, 4), trees.load),
    Case("logistic_30", "Logistic regression, 30 features", "linear", linear.train, linear.load),
    Case(
        "xgb_100x6_batch128",
        "XGBoost, 100 trees of depth 6, 128 rows in one proof",
        "trees",
        lambda: trees.train(100, 6),
        trees.load,
        batch=128,
        same_model_as="xgb_100x6",
    ),
)


# Of which only versions are compared, not tools: how many columns share a commitment depends on the shape.
LAYOUTS = (
    Case("xgb_500x6", "XGBoost, 500 trees of depth 6", "trees", lambda: trees.train(500, 6), trees.load),
    Case("xgb_1000x3", "XGBoost, 1,000 trees of depth 3", "trees", lambda: trees.train(1000, 3), trees.load),
    Case(
        "xgb_1000_features",
        "XGBoost, 100 trees of depth 4, 1,000 features",
        "trees",
        lambda: trees.train(100, 4, features=1000),
        trees.load,
    ),
)


def write(case: Case, folder: Path) -> None:
    """Train the case's model and write it with its rows, as every tool reads them.

    `folder` gets `model.json`, `rows.npz` (`calibration` 128 x F, `test` 64 or more x F, `margins`
    of the test rows by the model's own runtime) and `case.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trained = case.train()
    (folder / "model.json").write_text(trained.model_json, encoding="utf-8")
    np.savez(
        folder / "rows.npz",
        calibration=trained.calibration[:CALIBRATION_ROWS],
        test=trained.test[: max(FIDELITY_ROWS, case.batch)],
        margins=trained.margins[: max(FIDELITY_ROWS, case.batch)],
    )
    description = {"name": case.name, "family": case.family, "batch": case.batch, "fidelity_rows": FIDELITY_ROWS}
    (folder / "case.json").write_text(json.dumps(description), encoding="utf-8")


def rows(folder: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of `rows.npz`."""
    with np.load(folder / "rows.npz") as arrays:
        return {name: arrays[name] for name in arrays.files}


def by_name(name: str) -> Case:
    """The case called `name`.

    Raises:
        KeyError: there is none.
    """
    return {case.name: case for case in (*CASES, *LAYOUTS)}[name]
