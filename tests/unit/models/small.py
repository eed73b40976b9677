"""Small questions with known answers: rows, and real projects with datasets built from CSV."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from assay.data.build import build
from assay.models.rows import Problem, Rows
from assay.task.sections import Existing
from assay.task.task import Task

ROWS = 400


def table(kind="binary", *, timed=False, rows=ROWS, seed=0):
    """Columns x0..x3, a column `today` that knows half, and a target `y` that x0 to x2 decide."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, 4)).astype(np.float32)
    if timed:
        level = np.ones(rows)
        for row in range(1, rows):
            level[row] = 0.1 + 0.9 * level[row - 1] * np.exp(0.2 * random.normal())
        X[:, 0] = (random.normal(size=rows) * level).astype(np.float32)
        X[:, 1] = level.astype(np.float32)
        signal = np.append(level[1:], level[-1])
    else:
        signal = X[:, 0] + X[:, 1] * X[:, 2] + 0.3 * random.normal(size=rows)
    y = {
        "regression": lambda: signal,
        "binary": lambda: (signal > np.median(signal)).astype(np.int64),
        "multiclass": lambda: np.digitize(signal, np.quantile(signal, [0.33, 0.66])),
    }[kind]()
    columns = {f"x{index}": X[:, index] for index in range(4)}
    today = np.full(rows, float(np.mean(y))) if kind == "regression" else (X[:, 0] > 0).astype(np.int64)
    if timed:
        start = datetime(2024, 1, 1, tzinfo=UTC)
        columns = {"time": [(start + timedelta(hours=row)).isoformat() for row in range(rows)], **columns}
    return pl.DataFrame(columns | {"today": today, "y": y})


def task_of(path, kind="binary", *, timed=False, **sections):
    """The task of such a table; sections replace the defaults."""
    data = {"keep": ["today"], "sources": [{"name": "rows", "kind": "csv", "path": path.name}]}
    if timed:
        data["time"] = "time"
        data["features"] = [{"name": f"x{index}", "op": "column"} for index in range(1, 4)]
        data["features"].append({"name": "change", "op": "return", "of": "x1"})
        data["split"] = {"embargo": 3}
        data["label"] = {"horizon": 1}
    content = {
        "schema": "assay-task/1",
        "name": "small",
        "existing": {"kind": "column", "column": "today"},
        "predict": {"target": "y", "type": kind},
        "data": data,
        "explore": {"trials": 7, "folds": 3, "seed": 5},
    }
    return Task.model_validate(content | sections)


class Made:
    """A project folder with its task and its dataset."""

    def __init__(self, folder, kind="binary", *, timed=False, rows=ROWS, **sections):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        table(kind, timed=timed, rows=rows).write_csv(self.folder / "rows.csv")
        self.kind, self.timed = kind, timed
        self.task = self.with_(**sections)
        self.dataset = build(self.task, self.folder, self.folder / "data")

    def with_(self, **sections):
        """The same task with other sections."""
        return task_of(self.folder / "rows.csv", self.kind, timed=self.timed, **sections)


def problem(kind="regression", **changes):
    """A question of four features."""
    facts = {
        "kind": kind,
        "classes": {"regression": 0, "binary": 2, "multiclass": 3}[kind],
        "features": ("x0", "x1", "x2", "x3"),
        "wide": (),
        "target": "y",
        "metric": "rmse" if kind == "regression" else "log_loss",
        "loss": None,
        "existing": Existing(kind="column", column="today"),
    }
    return Problem(**facts | changes)


def panel(kind="regression", *, series=3, count=ROWS, seed=0):
    """The rows of several accounts, each with times of its own, in the order of time."""
    random = np.random.default_rng(seed)
    frame = table(kind, rows=count, seed=seed)
    place = pl.DataFrame({"time": random.integers(0, count // 2, count), "account": random.integers(0, series, count)})
    found = pl.concat([place, frame], how="horizontal").unique(["time", "account"], keep="first", maintain_order=True)
    found = found.sort("time", "account")
    X = found.select(f"x{index}" for index in range(4)).to_numpy().astype(np.float32)
    return Rows(X, found["y"].to_numpy().astype(np.float64), found)


def rows(kind="regression", *, timed=False, count=ROWS, seed=0):
    """The rows of such a question."""
    frame = table(kind, timed=timed, rows=count, seed=seed)
    X = frame.select(f"x{index}" for index in range(4)).to_numpy().astype(np.float32)
    return Rows(X, frame["y"].to_numpy().astype(np.float64), frame)
