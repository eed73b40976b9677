"""A small project of somebody's own rows, and a cache in which this machine's costs are known already."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.bench.calibrate import cache_path, machine, prover
from assay.chain.context import UNROLLED_ENTRIES
from assay.cli.main import run
from assay.models.cost.cost import Calibration

RECORDED = Path(__file__).parents[1] / "models" / "calibration.json"
TASK = """
schema = "assay-task/1"
name = "own"
[existing]
kind = "column"
column = "today"
[predict]
target = "paid"
type = "binary"
[data]
keep = ["today"]
[[data.sources]]
name = "rows"
kind = "csv"
path = "rows.csv"
[limits]
better_than_existing = 0.05
[explore]
trials = 3
folds = 2
families = ["logistic", "tree", "xgboost"]
"""


@contextmanager
def recorded(place):
    """What costs are known beforehand does not matter to a decision, and measuring them takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ASSAY_CACHE", str(place))
        changes = {"machine": machine(), "prover": prover(), "unrolled_entries": UNROLLED_ENTRIES}
        Calibration.load(RECORDED).model_copy(update=changes).save(cache_path("public"))
        yield


def project_in(place):
    """Write the rows and the task, and build the dataset."""
    place.mkdir()
    random = np.random.default_rng(3)
    X = random.normal(size=(500, 3)).astype(np.float32)
    wei = (10**18 * random.random(500)).astype(np.int64)
    signal = X[:, 0] * X[:, 1] + 2 * (wei / 1e18 - 0.5) + 0.4 * random.normal(size=500)
    columns = {"a": X[:, 0], "b": X[:, 1], "c": X[:, 2], "wei": wei, "today": (X[:, 0] > 0).astype(int)}
    pl.DataFrame(columns | {"paid": (signal > 0).astype(int)}).write_csv(place / "rows.csv")
    (place / "task.toml").write_text(TASK)
    assert run(["data", "build", str(place)]) == 0
    return place
