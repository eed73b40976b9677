"""The records that a command is about."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from assay.record.database import Database


def opened(folder: Path, url: str | None, *, begins: bool = False) -> closing[Database]:
    """A project's database, closed when the block is left.

    Raises `NoRecords` where there is no project, unless the command `begins` records.
    """
    from assay.record.database import Database
    from assay.record.errors import NoRecords
    from assay.task.task import TASK_FILE

    if not begins and url is None and not any((folder / name).exists() for name in (TASK_FILE, ".assay")):
        raise NoRecords(
            f"{folder.absolute()} has no task.toml and no records",
            "Name the project's folder by -C, or its database by --database.",
        )
    return closing(Database.of_project(folder, url))
