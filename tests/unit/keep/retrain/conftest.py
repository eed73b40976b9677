"""One project with its first release, made once; each test takes a copy of it."""

import contextlib
import shutil

import pytest
from tests.unit.keep.retrain.small import ALL, make, rows

from assay.keep.retrain.alone import alone
from assay.keep.retrain.begin import begin, standing
from assay.keep.retrain.due import Trigger
from assay.keep.retrain.run import Run
from assay.project.project import Project
from assay.record.database import Database
from assay.release.make import create


@pytest.fixture(scope="session")
def first(tmp_path_factory):
    """A decided project of 200 days, released."""
    folder = make(tmp_path_factory.mktemp("first") / "demand")
    project = Project(folder)
    project.run("report")
    with contextlib.closing(Database.of_project(folder)) as database:
        create(database, project, who="test")
    return folder


@pytest.fixture
def grown(first, tmp_path):
    """The same after 600 more days, in which b came to count."""
    return grow(first, tmp_path / "demand")


def grow(first, folder, lines=None):
    shutil.copytree(first, folder, symlinks=True)
    (folder / "rows.csv").write_text(rows(ALL) if lines is None else lines)
    return folder


def retrain(folder, reason="it is time", **options):
    """Plan and run one retraining; the retraining as it ended."""
    task = Project(folder).task
    with contextlib.closing(Database.of_project(folder)) as database, alone(database, task.name) as held:
        found = standing(database, task)
        planned = found.open or begin(database, folder, task, found, Trigger("asked", reason), who="test")
        return Run(database, folder, task, planned, held, who="test", **options).go()
