"""The past of the target, as far as it is known at a row: what the reference models of volatility see."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from assay.core import files, jsontext
from assay.models.errors import CandidateDamaged

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import NDArray

    from assay.models.rows import Problem

    Floats = NDArray[np.float64]

FILE = "model.json"


def refuses(problem: Problem) -> str | None:
    """Why the target's past is of no use; None if it is."""
    if problem.kind != "regression":
        return f"is not for a {problem.kind} target"
    if problem.entity is not None:
        return "is for one series"
    if not problem.timed:
        return "needs rows in time"
    return (
        "needs [data.label] horizon, as it sees past targets: how far ahead do they look?" if problem.unsaid else None
    )


def known(y: Floats, reach: int, start_value: float) -> Floats:
    """For each row the newest target that is known by then, `reach` rows old; `start_value` before there is one."""
    past = np.full(len(y), start_value)
    past[reach:] = y[:-reach] if reach else y
    return past


def save(folder: Path, content: dict[str, Any]) -> str:
    """Write a reference model's few numbers."""
    files.write(folder / FILE, json.dumps(content) + "\n")
    return FILE


def load(path: Path, names: set[str]) -> dict[str, Any]:
    """Read what `save` wrote."""
    try:
        content = jsontext.parse(files.read(path))
    except ValueError:
        content = None
    if not isinstance(content, dict) or set(content) != names:
        raise CandidateDamaged(f"{path} is damaged", "Run `assay explore` again.")
    return content
