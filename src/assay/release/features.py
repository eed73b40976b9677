"""What a release's rows are made of."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from assay.core import jsontext
from assay.record import artefacts
from assay.task.read import parse

if TYPE_CHECKING:
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.task.task import Task


def features_of(database: Database, release: Release) -> list[str]:
    """The release's features, in the order of its dataset's manifest."""
    content: Any = jsontext.parse(artefacts.get(database, release.public["parts"]["manifest.json"]["digest"]))
    return [one["name"] for one in content["features"]]


def task_of(database: Database, release: Release) -> Task:
    """The question that the release answers, as it was asked."""
    text = artefacts.get(database, release.public["parts"]["task.toml"]["digest"]).decode()
    return parse(tomllib.loads(text), text, f"the task.toml of {release.name}")
