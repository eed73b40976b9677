"""Write the report and the model card of a project, of as much as there is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import files
from assay.report.errors import NothingDecided
from assay.report.material import Material
from assay.report.render import card, page, people

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

REPORT_FILE, CARD_FILE, PEOPLE_FILE = "report.html", "model-card.md", "people.html"


def write_report(
    project: str | os.PathLike[str], *, progress: Callable[[str], None] = lambda _step: None
) -> list[Path]:
    """Write `report.html` and `model-card.md` into the project's folder.

    The page needs nothing from elsewhere and asks for nothing. A project that has not come to a decision gets a
    report of what is there, which says what is missing.

    Parameters
    ----------
    project
        The project's folder.
    progress
        Told what is happening, in a few words.

    Returns
    -------
    list of Path
        The two files.

    Raises
    ------
    TaskError, StorageError
        There is no task.toml, it is wrong, or the folder may not be written to.
    ReportError
        The dataset's profile or its quarantine is damaged.
    AssayError
        The output of another step is damaged, or of another version. No file is written.
    """
    folder = Path(project)
    progress("Reading the project")
    material = Material.load(folder)
    progress("Drawing")
    texts = {folder / REPORT_FILE: page(material), folder / CARD_FILE: card(material)}
    progress("Writing")
    for path, text in texts.items():
        files.write(path, text)
    return list(texts)


def write_for_people(project: str | os.PathLike[str]) -> Path:
    """Write `people.html`: the decided model in plain words, for those whom its answers are about.

    Raises
    ------
    TaskError, StorageError, ReportError, AssayError
        As `write_report` does.
    NothingDecided
        No model was chosen, so nobody is decided about by one.
    """
    folder = Path(project)
    material = Material.load(folder)
    if material.chosen is None:
        raise NothingDecided(f"{folder} has no chosen model, so it decides about nobody", "Decide first: `assay run`.")
    files.write(folder / PEOPLE_FILE, people(material))
    return folder / PEOPLE_FILE
