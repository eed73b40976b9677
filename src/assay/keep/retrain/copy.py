"""A copy of the project to train in: what a person put there, and nothing that Assay made of it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import files
from assay.core.paths import place as placed
from assay.data.dataset.dataset import MANIFEST_FILE, PROFILE_FILE, QUARANTINE_FILE, ROWS_FILE
from assay.keep.retrain.errors import SourceElsewhere
from assay.project.steps import CANDIDATES, DATA, DECISION, REPORT_FILE
from assay.prove.store import KEYS_FOLDER
from assay.task.sources import ChainSource, CsvSource, ParquetSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.task import Task

_MADE = {CANDIDATES, DECISION, KEYS_FOLDER, "rehearsals", REPORT_FILE, "model-card.md"}
_DATASET = {MANIFEST_FILE, PROFILE_FILE, QUARANTINE_FILE, ROWS_FILE}
_LIBRARIES = {"__pycache__", "node_modules", "site-packages"}


def copy(task: Task, project: Path, target: Path) -> int:
    """Copy a project, whole or not at all; returns how many bytes it took.

    Hidden folders, libraries and signers' keystores stay behind: training needs none of them.

    Raises
    ------
    SourceElsewhere
        A source's path leads out of the project, and would lead elsewhere from the copy; or no file is there.
    StorageError
        A file cannot be read, or there is no space.
    """
    _require_inside(task, project)
    secret = {
        placed(project, name).resolve()
        for spec in task.chains.values()
        for name in (spec.signer, spec.passphrase_file)
        if name and not name.startswith("kms:")
    }
    size = 0
    with files.folder(target) as place:
        for path in _own(project):
            if path.resolve() in secret:
                continue
            there = place / path.relative_to(project)
            there.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, there)  # a new file with the present content; links are followed
            size += there.stat().st_size
    return size


def _own(project: Path) -> Iterator[Path]:
    seen = set()
    for folder, inner, names in os.walk(project, followlinks=True):
        place = Path(folder)
        if (real := place.resolve()) in seen:  # a link that leads back
            inner.clear()
            continue
        seen.add(real)
        top = place == project
        inner[:] = [
            name
            for name in inner
            if not name.startswith(".") and name not in _LIBRARIES and not (top and name in _MADE)
            if not (place / name / "pyvenv.cfg").exists()
        ]
        left = _MADE if top else _DATASET if place == project / DATA else set()
        for name in names:
            if name not in left and (place / name).is_file():
                yield place / name


def _require_inside(task: Task, project: Path) -> None:
    home = project.resolve()
    for source in task.data.sources:
        if isinstance(source, CsvSource | ParquetSource):
            name = source.path
        elif isinstance(source, ChainSource) and source.folder is not None:
            name = source.folder
        else:
            continue
        if "://" in name or os.path.isabs(name):  # noqa: PTH117  a pattern, not a path
            continue
        if not os.path.normpath(home / name).startswith(str(home) + os.sep):
            raise SourceElsewhere(
                f"the source {source.name} is read from {name}, outside of {project}",
                "Name it by its whole path, or bring it into the project: a retraining works in a copy of the folder.",
            )
        # A copy without it could never go on, whatever comes back here.
        if not isinstance(source, ChainSource) and not _is_there(home, name):
            raise SourceElsewhere(
                f"the source {source.name} is read from {name}, and there is none in {project}",
                "Bring it back, then `assay retrain run` goes on; or end this one: `assay retrain drop`.",
            )


def _is_there(home: Path, name: str) -> bool:
    return (home / name).exists() or next(home.glob(name), None) is not None
