"""Runs the real command and trains small models."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON value and nothing else."""
        return json.loads(self.out)


def run_assay(*arguments: object, **options: Any) -> Done:
    """Run `assay ARGUMENTS` as a process of its own."""
    command = [sys.executable, "-m", "assay", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def assay_command():
    return run_assay


def write_rows(path: Path, rows: np.ndarray) -> Path:
    """Write `ROWS.json`, with null for missing values."""
    listed = [[None if np.isnan(value) else float(value) for value in row] for row in rows]
    path.write_text(json.dumps({"inputs": listed}))
    return path


@pytest.fixture(scope="session")
def data():
    """120 rows of 5 features with some missing values, and a target in {0, 1, 2}."""
    random = np.random.default_rng(7)
    X = random.normal(size=(120, 5)).astype(np.float32)
    y = (X[:, 0] + X[:, 1] * X[:, 2] > 0).astype(int) + (X[:, 3] > 0.5)
    X[random.random(X.shape) < 0.1] = np.nan
    return X, y


@pytest.fixture(scope="session")
def xgboost_model(data, tmp_path_factory):
    """A small binary classifier's file."""
    from xgboost import XGBClassifier

    X, y = data
    path = tmp_path_factory.mktemp("model") / "model.json"
    XGBClassifier(n_estimators=8, max_depth=3).fit(X, y > 0).save_model(path)
    return path


@pytest.fixture(scope="session")
def rows_file(data, tmp_path_factory):
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.json", data[0][:6])


@pytest.fixture(scope="session")
def circuit_folder(xgboost_model, tmp_path_factory):
    """Circuit and keys of the small model."""
    folder = tmp_path_factory.mktemp("circuit") / "dir"
    done = run_assay("transpile", xgboost_model, "--out", folder, "--max-batch", 8)
    assert done.code == 0, done.err
    return folder


@pytest.fixture(scope="session")
def proof_file(circuit_folder, rows_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("proof") / "proof.json"
    done = run_assay("prove", circuit_folder, "--input", rows_file, "--out", path)
    assert done.code == 0, done.err
    return path
