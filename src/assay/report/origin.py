"""How to make the same again: commands, hashes, versions."""

from __future__ import annotations

import platform
from importlib import metadata
from typing import TYPE_CHECKING

import assay
from assay.bench.calibrate import cache_path
from assay.core.errors import AssayError
from assay.models.cost.cost import Calibration
from assay.report.table import Cell, Table, table

if TYPE_CHECKING:
    from assay.report.material import Material

_LIBRARIES = (
    "numpy",
    "polars",
    "duckdb",
    "pandera",
    "cryo",
    "scikit-learn",
    "xgboost-cpu",
    "lightgbm",
    "arch",
    "optuna",
)


def commands(material: Material) -> list[tuple[str, str]]:
    """What to type in the project's folder, and what it does."""
    del material
    return [
        ("assay task check", "looks for contradictions in task.toml"),
        ("assay run", "builds the dataset, explores, proves the best candidates and decides"),
        ("assay report", "writes this report again"),
    ]


def hashes(material: Material) -> Table:
    """Fingerprints of what went in and what came out."""
    found: list[tuple[str, str]] = []
    if material.manifest is not None:
        found += [(f"source {one.table}", one.sha256) for one in material.manifest.sources]
        found += [
            ("code that made the dataset", material.manifest.code_hash),
            ("dataset", material.manifest.content_hash),
        ]
    if material.front is not None:
        found += [
            ("exploration", material.front.study),
            ("calibration that costs were predicted with", material.front.calibration),
        ]
    if material.key is not None:
        found.append(("chosen model (its verifying key)", material.key.identity))
    return table("What|Hash", *((name, Cell(value, mark="code")) for name, value in found))


def versions(material: Material) -> Table:
    """Releases of what did the work, and the machine."""
    rows = [("Assay", assay.__version__), ("Python", platform.python_version())]
    for name in _LIBRARIES:
        try:
            rows.append((name, metadata.version(name)))
        except metadata.PackageNotFoundError:
            continue
    machine = _machine(material)
    if machine:
        rows.append(("machine that costs were measured on", machine))
    return table("What|Version", *rows)


def settings(material: Material) -> str:
    """What the search depended on."""
    front = material.front
    if front is None:
        return ""
    return f"{front.trials} trials, seed {front.seed}, {front.folds} folds"


def _machine(material: Material) -> str | None:
    """The machine of the calibration, if this is still the one."""
    if material.front is None:
        return None
    try:
        found = Calibration.load(cache_path(material.task.protocol.inputs))
    except AssayError:
        return None
    return found.machine if found.digest == material.front.calibration else None
