"""`assay init`: a new project, from a template and some answers."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import files
from assay.task.errors import ProjectExists
from assay.task.questions import interview
from assay.task.read import parse
from assay.task.task import TASK_FILE
from assay.task.templates import template

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from assay.task.questions import Ask


def init(
    folder: str | os.PathLike[str],
    name: str = "blank",
    answers: Mapping[str, str] | None = None,
    ask: Ask | None = None,
) -> list[Path]:
    """Write a new project.

    Parameters
    ----------
    folder
        Where; made if absent. Other files there stay.
    name
        The template: "blank", "dynamic-fee" or "credit-score".
    answers
        What is known already, by question.
    ask
        How to ask for the rest; without it, defaults count.

    Returns
    -------
    list of Path
        The files written, task.toml first.

    Raises
    ------
    TemplateUnknown, AnswerMissing
        If there is no such template, or it cannot be filled in.
    ProjectExists
        If one of the files is there already; only lines of .gitignore are added. Nothing is asked or written then.
    """
    place = Path(folder)
    chosen = template(name)
    if (place / TASK_FILE).exists():
        raise ProjectExists(f"{place} has a {TASK_FILE} already", "Choose another folder, or edit that file.")
    for first in dict.fromkeys(file.partition("/")[0] for file in chosen.written):
        if (place / first).exists():
            raise ProjectExists(f"{place / first} is there already", "Choose another folder, or move it away.")
    found = interview(chosen.questions, answers or {}, ask)
    texts = chosen.render(found, place, _short(place))
    # A template that makes no task is refused here, before anything is written.
    parse(tomllib.loads(texts[TASK_FILE]), texts[TASK_FILE], TASK_FILE)
    with files.folder(place) as fresh:
        for file, text in texts.items():
            (fresh / file).parent.mkdir(parents=True, exist_ok=True)
            (fresh / file).write_bytes(text.encode("utf-8", "surrogateescape"))
    return [place / file for file in texts]


def _short(place: Path) -> str:
    """A task's name from a folder's."""
    plain = re.sub(r"[^a-z0-9]+", "-", place.resolve().name.lower()).strip("-")
    return plain[:63] or "project"
