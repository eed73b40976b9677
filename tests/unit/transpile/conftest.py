"""Rows that lie where comparisons could go wrong, and the reference models."""

from __future__ import annotations

import os

# Before the libraries load: threads cost more than they bring on models of this size.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from assay.transpile.circuit.keys import keys_to_float32

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.transpile.circuit.circuit import Circuit

TINY = float(np.float32(1e-35))
SPECIAL = np.array(
    [
        np.nan,
        np.inf,
        -np.inf,
        0.0,
        -0.0,
        1e-45,
        -1e-45,
        1.1754942e-38,
        -1.1754942e-38,
        TINY,
        -TINY,
        np.nextafter(np.float32(TINY), np.float32(1)),
        -np.nextafter(np.float32(TINY), np.float32(1)),
        np.finfo(np.float32).max,
        -np.finfo(np.float32).max,
        1.0,
        -1.0,
    ],
    dtype=np.float32,
)


def thresholds_of(circuit: Circuit) -> list[np.ndarray]:
    """For each feature the float32 values on both sides of all its splits, and their neighbours."""
    keys: list[list[int]] = [[] for _ in circuit.features]
    for tree in circuit.trees:
        for node in np.flatnonzero(tree.view >= 0):
            keys[circuit.views[tree.view[node]].feature].append(int(tree.key[node]))
    around = []
    for own in keys:
        near = np.array(sorted({key + step for key in own for step in (-2, -1, 0, 1)}), dtype=np.int64)
        near = near[(near >= 0x007F_FFFF) & (near <= 0xFF80_0000)]
        around.append(keys_to_float32(near.astype(np.uint64)))
    return around


def edge_rows(
    circuit: Circuit,
    count: int,
    seed: int = 0,
    *,
    missing: bool = True,
    infinite: bool = True,
) -> np.ndarray:
    """float32[count, F]: threshold neighbours, special values and ordinary ones, mixed."""
    rng = np.random.default_rng(seed)
    special = SPECIAL[(missing | ~np.isnan(SPECIAL)) & (infinite | ~np.isinf(SPECIAL))]
    columns = []
    for near in thresholds_of(circuit):
        pool = [rng.choice(special, count), rng.normal(size=count).astype(np.float32)]
        if near.size:
            pool += [rng.choice(near, count), rng.choice(near, count), rng.choice(near, count)]
        columns.append(np.array(pool)[rng.integers(0, len(pool), count), np.arange(count)])
    rows = np.stack(columns, axis=1).astype(np.float32)
    # Not the largest float32: scikit-learn adds all values up to look for NaN.
    return rows if infinite else np.clip(rows, -1e30, 1e30)


@pytest.fixture
def make_rows() -> Callable[..., np.ndarray]:
    return edge_rows


@pytest.fixture
def ulps() -> Callable[..., np.ndarray]:
    """Distance of two margins in float32 ulps of a size."""

    def distance(got: Any, expected: Any, size: Any) -> np.ndarray:
        unit = np.spacing(np.asarray(size, dtype=np.float32)).astype(np.float64)
        return np.abs(np.asarray(got, np.float64) - np.asarray(expected, np.float64)) / unit

    return distance


@pytest.fixture(scope="session")
def reference_models() -> Path:
    """The folder of reference tree models: `$ASSAY_SHARED/models/trees`, or `../shared` beside the repository."""
    root = Path(__file__).resolve().parents[3]
    shared = Path(os.environ.get("ASSAY_SHARED", root.parent / "shared"))
    folder = shared / "models" / "trees"
    if not folder.is_dir():
        pytest.skip(f"REFERENCE MODELS NOT TESTED: {folder} is missing; set ASSAY_SHARED to the folder above models/")
    return folder


@pytest.fixture
def data() -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """Training rows float32[n, f], some missing, and a target with a signal."""

    def make(rows: int = 400, features: int = 5, seed: int = 0, missing: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(rows, features)).astype(np.float32)
        y = np.sin(3 * X[:, 0]) + X[:, 1] * X[:, 2] + 0.1 * rng.normal(size=rows)
        X[rng.random(X.shape) < missing] = np.nan
        return X, y

    return make
