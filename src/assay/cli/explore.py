"""`assay explore`: which models are possible, and what proving them will cost."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import app
from assay.cli.options import Json, Project
from assay.cli.output import Output, progress

if TYPE_CHECKING:
    from assay.models.search.front import Front

Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes that train at once; else the task's.")]
Ray = Annotated[str | None, typer.Option("--ray", metavar="ADDRESS", help="A Ray cluster to train on instead.")]
Calibrate = Annotated[
    bool, typer.Option("--calibrate", help="Measure what proofs cost here again: the machine was busy, or is another.")
]


@app.command()
def explore(
    project: Project = Path(),
    *,
    workers: Workers = None,
    ray: Ray = None,
    calibrate: Calibrate = False,
    json: Json = False,
) -> None:
    """Search for models that are accurate and cheap to prove; an interrupted search goes on."""
    from assay.models.search.explore import FOLDER
    from assay.models.search.front import Front
    from assay.project.project import Project as Opened

    opened = Opened(project)
    with progress("Reading the task") as step:
        seconds = opened.step("explore", progress=step, workers=workers, ray=ray, calibrate=calibrate)
    front = Front.load(project / FOLDER)
    Output(json=json).result(_fields(front, project / FOLDER, fresh=seconds is None), _text(front))


def _fields(front: Front, folder: Path, *, fresh: bool) -> dict[str, Any]:
    """The front as JSON; the whole of every candidate is in `front.json`."""
    return {
        "folder": str(folder),
        "fresh": fresh,
        "metric": front.metric,
        "trials": front.trials,
        "candidates": [
            {
                "id": one.id,
                "family": one.family,
                "provable": one.provable,
                "front": one.front,
                "cv": one.cv.mean,
                "predicted": one.predicted.model_dump(),
            }
            for one in front.candidates
        ],
        "pruned": [one.model_dump() for one in front.pruned],
        "failed": [one.model_dump() for one in front.failed],
        "skipped": front.skipped,
    }


def _text(front: Front) -> str:
    from assay.models.search.explore import told

    lines = list(told(front))
    width = max(len(name) for name, _ in lines)
    text = [f"{len(front.best)} candidates on the front, and what they are compared with ({front.metric}):"]
    text += [f"  {name:<{width}}  {figures}" for name, figures in lines]
    if front.pruned:
        text.append(f"{len(front.pruned)} trials were not trained: their predicted cost breaks a limit.")
    if front.failed:
        text.append(f"{len(front.failed)} trials failed, the first because: {front.failed[0].what}")
    text += [f"{name} {reason}" for name, reason in front.skipped.items()]
    return "\n".join(text)
