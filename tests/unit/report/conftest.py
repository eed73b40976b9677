"""Projects to report on: real datasets and a real search; the costs of proofs are written down here."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from assay.bench.choose import choose
from assay.bench.decision import Decision, Row, basis_of
from assay.bench.facts import Evidence, Fidelity, Interval, Measured
from assay.bench.limits import meets
from assay.data.build import build
from assay.models.cost.cost import Calibration
from assay.models.cost.economics import latency, usd_per_inference
from assay.models.search.explore import explore
from assay.task.task import Task

CALIBRATION = Path(__file__).parents[1] / "models" / "calibration.json"
HOSTILE = '<script>alert("x")</script>|`*_[y](javascript:z)'
UNICODE = "данные 数据 é 🦀"
ROWS = 300


def content(**sections):
    """A task with names that nobody should have chosen."""
    default = {
        "schema": "assay-task/1",
        "name": "hostile",
        "title": f"Should we? <b>{UNICODE}</b> </script><script>alert(1)</script>",
        "existing": {
            "kind": "column",
            "column": "today",
            "description": "<img src=https://example.org/x.png onerror=alert(2)>",
        },
        "predict": {"target": "y", "type": "regression", "unit": "USD | <i>", "description": "# What *comes*"},
        "data": {
            "keep": ["today"],
            "sources": [{"name": "rows", "kind": "parquet", "path": "rows.parquet"}],
            "checks": [{"column": "x0", "rule": "between -2.5 and 2.5", "on_fail": "quarantine"}],
        },
        "limits": {"gas": 400_000, "prove_seconds": 2.0, "better_than_existing": 0.05},
        "explore": {"trials": 8, "folds": 3, "seed": 5, "families": ["linear", "tree", "xgboost"]},
    }
    return default | sections


def write_task(folder, task):
    """Write `task.toml`; JSON's strings, numbers and lists are TOML's."""
    lines = []
    for name, value in task.items():
        if isinstance(value, dict):
            lines.append(f"{name} = {_inline(value)}")
        else:
            lines.append(f"{name} = {json.dumps(value, ensure_ascii=False)}")
    (folder / "task.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _inline(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_rows(folder):
    """A table whose columns have hostile names."""
    random = np.random.default_rng(3)
    X = random.normal(size=(ROWS, 4)).astype(np.float32)
    y = X[:, 0] + X[:, 1] * X[:, 2] + 0.2 * random.normal(size=ROWS)
    names = ["x0", HOSTILE, UNICODE, "x" * 90]
    pl.DataFrame(dict(zip(names, X.T, strict=True)) | {"today": 0.5 * X[:, 0], "y": y}).write_parquet(
        folder / "rows.parquet"
    )


def decided(task, front, *, gas=200_000):
    """The decision that these costs lead to."""
    listed = [*front.best, *front.references]
    base = next(one.validation[task.metric] for one in listed if one.family == "existing")
    rows = [_row(task, one, base, gas + 30_000 * place) for place, one in enumerate(listed)]
    rows.sort(key=lambda row: (not row.provable, row.usd_per_inference, row.id))
    choice = choose(task, rows, front)
    return Decision(
        schema="assay-decision/1",
        dataset=front.dataset,
        study=front.study,
        metric=task.metric,
        rows=tuple(rows),
        test_rows=60,
        test_looks=1,
        basis=basis_of(task),
        **vars(choice),
    )


def _row(task, one, base, gas):
    prove = one.predicted.prove_seconds
    measured = Measured(
        prove_seconds=prove,
        first_prove_seconds=2 * prove,
        verify_seconds=0.002,
        inference_seconds=0.0001,
        memory_mb=50.0,
        proof_bytes=1400,
        calldata_bytes=2000,
        gas=gas,
        deployment_gas=1_900_000,
        contract_bytes=9000,
        proving_key_bytes=50_000,
        setup_seconds=0.2,
    )
    row = Row(
        id=one.id,
        family=one.family,
        title=one.title,
        provable=one.provable,
        cv=one.cv.mean,
        test=one.validation,
        improvement=1 - one.validation[task.metric] / base,
        cv_improvement=0.9 - one.validation[task.metric] / base,
        evidence=_sure(1 - one.validation[task.metric] / base),
        fidelity=Fidelity(rows=60, differing=0, ok=True) if one.provable else None,
        measured=measured if one.provable else None,
        usd_per_inference=usd_per_inference(task.value, gas=gas, prove_seconds=prove) if one.provable else 0.0,
        latency_blocks=latency(task, inference_seconds=0.0, prove_seconds=prove),
        meets={},
    )
    return row.model_copy(update={"meets": meets(task, row, row.improvement or 0.0)})


class Stages:
    """One project, as far as it is asked for."""

    def __init__(self, base):
        self._base = base
        base.mkdir()
        write_task(base, content())
        write_rows(base)
        self.task = Task.load(base)
        self.dataset = build(self.task, base, base / "data")
        calibration = Calibration.load(CALIBRATION)
        self.front = explore(self.task, self.dataset, base / "candidates", base, calibration=calibration)

    def copy(self, folder, *, data=True, front=True, decision=True, **limits):
        """A copy of the project in `folder`; limits replace the task's."""
        import shutil

        folder.mkdir(parents=True)
        task = content(**({"limits": limits} if limits else {}))
        write_task(folder, task)
        shutil.copy(self._base / "rows.parquet", folder)
        if data:
            shutil.copytree(self._base / "data", folder / "data")
        if front:
            self.front.save(folder / "candidates")
        if decision:
            decided(Task.load(folder), self.front).save(folder / "decision")
        return folder


@pytest.fixture(scope="session")
def stages(tmp_path_factory):
    """Made once; copies are cheap."""
    return Stages(tmp_path_factory.mktemp("report") / UNICODE)


def _sure(gain):
    interval = Interval(low=gain - 0.03, high=gain + 0.03)
    return Evidence(
        confidence=0.9, unit="rows", blocks=20, length=3, improvement=interval, difference=interval, metrics={}
    )
