"""Explore with this machine's costs: the calibration, measured once, and then the search of the models room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.bench.calibrate import calibration
from assay.models.existing import decide as run_existing
from assay.models.rows import problem_of
from assay.models.search.explore import explore as search

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.data.dataset.dataset import Dataset
    from assay.models.search.front import Front
    from assay.task.task import Task


def explore(
    task: Task,
    dataset: Dataset,
    out: Path,
    project: Path,
    *,
    workers: int | None = None,
    ray: str | None = None,
    calibrate: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Front:
    """Search for models, with what proving costs on this machine; as `assay.models.search.explore.explore`.

    The first time on a machine this takes about a minute longer, to measure what small proofs cost; `calibrate`
    measures it again.
    """
    # What decides today is run first: a mistake there must not wait for the calibration.
    run_existing(problem_of(task, dataset), dataset.frame("train"), project)
    known = calibration(inputs=task.protocol.inputs, again=calibrate, progress=progress)
    return search(task, dataset, out, project, calibration=known, workers=workers, ray=ray, progress=progress)
