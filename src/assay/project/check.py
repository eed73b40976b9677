"""`assay task check`: what the task's own room finds, and what needs the rooms of data and models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data import named
from assay.models.families import registry
from assay.task import check as of_task
from assay.task.finding import Finding, contradiction
from assay.task.read import nearest

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator
    from pathlib import Path

    from assay.task.task import Task


def check(project: str | os.PathLike[str]) -> of_task.Check:
    """Read the task of a project and look for what cannot be; raises as `Task.load` does."""
    return of_task.check(project, _more)


def _more(task: Task, project: Path) -> Iterator[Finding]:
    yield from named.findings(task, project)
    if not task.explore.families:
        return
    known = registry.names()
    for name in task.explore.families:
        if name not in known:
            todo = f"{nearest(name, known)} There are {', '.join(known)}.".strip()
            yield contradiction(("explore", "families"), f'there is no model family called "{name}"', todo)
