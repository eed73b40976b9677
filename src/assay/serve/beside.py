"""What is kept beside a period's row, so that its loss can be computed when its outcome is known.

The loss of the task and its existing process may read columns of the dataset that the model does not see, and a
function may read the rows before: both are there when the row is made, and not afterwards.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from assay.core import jsontext
from assay.core.errors import AssayError
from assay.models.existing import decide
from assay.models.rows import Problem
from assay.record import artefacts

if TYPE_CHECKING:
    from pathlib import Path

    from assay.data.live import Newest
    from assay.record.database import Database
    from assay.record.releases import Release
    from assay.task.task import Task


def beside(database: Database, release: Release, task: Task, row: Newest, home: Path) -> dict[str, Any]:
    """Columns that the dataset keeps beside its features, and what the existing process decides; nothing without them.

    An existing process that cannot be executed keeps no answer back: why is kept in its place.

    Parameters
    ----------
    home
        The folder of the release's code.
    """
    if row.frame is None or not row.frame.height:
        return {}
    manifest: Any = jsontext.parse(artefacts.get(database, release.public["parts"]["manifest.json"]["digest"]))
    kept = [name for name in manifest.get("keep", ()) if name in row.frame.columns]
    last = row.frame.select(kept).tail(1).to_dicts()[0] if kept else {}
    found: dict[str, Any] = {"columns": {name: _plain(value) for name, value in last.items()}}
    if task.existing.kind != "function":  # the others are of the row alone
        return found
    classes = tuple(manifest.get("classes", ()))
    problem = Problem(
        kind=task.predict.type,
        classes=0 if task.predict.type == "regression" else max(len(classes), 2),
        features=(),
        wide=(),
        target=task.predict.target,
        metric=task.metric,
        loss=None,
        existing=task.existing,
        labels=classes,
    )
    try:
        return found | {"existing": float(decide(problem, row.frame, home)[-1])}
    except AssayError as error:
        return found | {"existing_failed": f"[{error.code}] {error.what}"}


def _plain(value: Any) -> Any:
    """As JSON can hold it; what it cannot is not kept."""
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return None if value is None else str(value)
