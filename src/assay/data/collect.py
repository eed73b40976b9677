"""`collect`: the chain data of a task, without building anything of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import files
from assay.data.errors import SettingsUnfit
from assay.data.opened import open_tables
from assay.data.sources import cryo_files
from assay.data.sources.context import Context
from assay.data.sources.cryo import place
from assay.task.sources import ChainSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.task.task import Task


def collect(
    task: Task, project: str | Path, progress: Callable[[str], None] | None = None, *, ray: str | None = None
) -> list[tuple[str, int, int, int]]:
    """Collect what a task's chain sources lack, on the Ray cluster at the address `ray` if it is given.

    Returns
    -------
    list of (str, int, int, int)
        Of each table its name, its first and last block, and its bytes on the disk.

    Raises
    ------
    DataError
        If the task has no chain source, or a node does not give what is asked; what was collected is kept.
    """
    own = tuple(source for source in task.data.sources if isinstance(source, ChainSource))
    if not own:
        raise SettingsUnfit(
            'the task has no source of kind "cryo" or "rpc"', "The others are read by `assay data build`."
        )
    home = Path(project)
    only = task.model_copy(update={"data": task.data.model_copy(update={"sources": own})})
    with files.scratch() as work:
        open_tables(only, home, work, progress or (lambda _: None), ray=ray)
    found = []
    for source in own:
        folder = place(source, Context(home, home))
        for dataset in source.datasets:
            size = sum(chunk.path.stat().st_size for chunk in cryo_files.chunks(folder) if chunk.dataset == dataset)
            found.append((f"{source.name}.{dataset}", *cryo_files.span(folder, dataset), size))
    return found
