"""Which columns of the test rows a certificate shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.expressions import check
from assay.keep.errors import NothingToCertify

if TYPE_CHECKING:
    import polars as pl

    from assay.data.dataset.manifest import Manifest
    from assay.task.task import Task


def hidden_rows(frame: pl.DataFrame, task: Task, about: Manifest) -> pl.DataFrame:
    """Of rows that proofs hide: the label, what the loss reads beside it, and who and when as mere numbers.

    Entities, groups and times are numbered in the order in which they come, since the interval needs to know which
    rows belong together, and nobody needs to know more.

    Raises
    ------
    NothingToCertify
        The loss reads a feature, which is hidden.
    """
    import polars as pl

    coded, told = shown_columns(task, about, frame.columns)
    return frame.select(*(pl.col(name).rank("dense").cast(pl.Int64).alias(name) for name in coded), *told)


def shown_columns(task: Task, about: Manifest, columns: list[str]) -> tuple[list[str], list[str]]:
    """Of a dataset's columns those shown as mere numbers, and those that stand as they are; raises likewise."""
    features = {one.name for one in about.features}
    told = [about.target]
    if task.metric == "value" and task.value.loss is not None:
        known = [*columns, "y", "prediction"]
        read = sorted(check(task.value.loss, known, "[value] loss") - {"y", "prediction"})
        if secret := [name for name in read if name in features]:
            raise NothingToCertify(
                f"[value] loss reads {secret[0]}, a feature, which private inputs hide",
                "Choose a metric of labels and predictions alone, or certify a model with public inputs.",
            )
        told += read
    group = task.data.split.group if task.data.split.by == "group" else None
    coded = list(dict.fromkeys(one for one in (about.time, about.entity, group) if one is not None and one in columns))
    return coded, list(dict.fromkeys(name for name in told if name not in coded))
