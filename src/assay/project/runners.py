"""How each step runs: the one place that calls the rooms before this one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from assay.project.errors import StepMissing
from assay.project.steps import CANDIDATES, DATA, DECISION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from assay.data.dataset.dataset import Dataset
    from assay.task.task import Task

    Progress = Callable[[str], None]
    Runner = Callable[..., Any]


def run_data(task: Task, project: Path, progress: Progress, *, ray: str | None = None) -> None:
    """Build the dataset."""
    from assay.data.build import build

    build(task, project, project / DATA, progress=progress, ray=ray)


def run_explore(
    task: Task,
    project: Path,
    progress: Progress,
    *,
    workers: int | None = None,
    ray: str | None = None,
    calibrate: bool = False,
) -> None:
    """Search models."""
    from assay.bench.explore import explore

    explore(
        task,
        dataset(project),
        project / CANDIDATES,
        project,
        workers=workers,
        ray=ray,
        calibrate=calibrate,
        progress=progress,
    )


def run_decide(task: Task, project: Path, progress: Progress, *, ray: str | None = None) -> None:
    """Prove the best candidates and decide."""
    from assay.bench.decide import decide
    from assay.models.search.front import Front

    if not (project / CANDIDATES / "front.json").exists():
        raise StepMissing(f"{project} has no candidates yet", "Run `assay explore` first, or `assay run`.")
    front = Front.load(project / CANDIDATES)
    decide(task, dataset(project), front, project / DECISION, project, ray=ray, progress=progress)


def run_report(task: Task, project: Path, progress: Progress) -> None:
    """Write the report and the model card."""
    from assay.report.write import write_report

    del task
    write_report(project, progress=progress)


RUNNERS: dict[str, Runner] = {
    "data": run_data,
    "explore": run_explore,
    "decide": run_decide,
    "report": run_report,
}


def dataset(project: Path) -> Dataset:
    """The project's dataset; raises StepMissing if it was not built yet."""
    from assay.data.dataset.dataset import Dataset

    if not (project / DATA / "manifest.json").exists():
        raise StepMissing(f"{project} has no dataset yet", "Run `assay data build` first, or `assay run`.")
    return Dataset.load(project / DATA)
