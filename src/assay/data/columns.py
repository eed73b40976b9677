"""What becomes of the columns that the rows have: which are features, which are not, and which look like times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.data.dataset.manifest import LeftOut
from assay.data.errors import SettingsUnfit
from assay.data.expressions import check as names_in
from assay.data.expressions import require, wide
from assay.task import series, suspects
from assay.task.data import ColumnFeature
from assay.task.used import used
from assay.task.values import checked, settled

if TYPE_CHECKING:
    from assay.data.rows import Rows
    from assay.task.data import DataSpec, Feature
    from assay.task.series import TimeLike
    from assay.task.task import Task

_LOOKED_AT = 20_000
"""Rows that say whether a column looks like times."""


def specs(task: Task, rows: Rows) -> list[Feature]:
    """The features of a task: those that it lists, and every column of numbers that is not named elsewhere.

    The latter where none is listed, or [data] all_columns says so. What is left out is said in `rows.left_out`.
    """
    data = task.data
    for name in data.drop:
        require(name, [*rows.frame.columns, *(feature.name for feature in data.features)], "[data] drop")
    inferred = _inferred(task, rows)
    if data.all_columns or (data.all_columns is None and not data.features):
        return [*data.features, *inferred]
    reason = "features are listed, and it is not among them" if data.features else "[data] all_columns is false"
    rows.left_out += [LeftOut(what=f"column {one.name}", count=1, reason=reason) for one in inferred]
    return list(data.features)


def _inferred(task: Task, rows: Rows) -> list[Feature]:
    import polars as pl

    data = task.data
    taken = _taken(task, rows)
    times = {one.column for one in time_like(task, rows)}
    counters = suspects.counters(rows.frame)
    found: list[Feature] = []
    for name, dtype in rows.frame.schema.items():
        if name in taken:
            continue
        if name in times:
            rows.left_out.append(LeftOut(what=f"column {name}", count=1, reason="it looks like times"))
        elif name in counters:
            reason = "it only numbers the rows, as a saved index does"
            rows.left_out.append(LeftOut(what=f"column {name}", count=1, reason=reason))
        elif dtype.is_numeric() or dtype == pl.Boolean or wide.is_wide(dtype):
            found.append(ColumnFeature.model_construct(name=name, op="column", of=None, unit=""))
        elif not data.features:
            reason = f"its type is {dtype}, not a number"
            rows.left_out.append(LeftOut(what=f"column {name}", count=1, reason=reason))
    return found


def _taken(task: Task, rows: Rows) -> set[str | None]:
    """Columns that are something else than a feature already."""
    data = task.data
    taken = {rows.time, rows.entity, task.predict.target, data.split.group, "block_number", *data.keep, *data.drop}
    for source in data.sources:
        taken |= set(source.key)
    if data.label.op == "column" and data.label.of is not None:
        taken |= names_in(data.label.of, rows.frame.columns, "[data.label]")
    return taken | (used(task, rows.frame.columns) if data.features else set())


def time_like(task: Task, rows: Rows) -> list[TimeLike]:
    """Columns that look like times and that the task does not speak of."""
    spoken = {rows.time, "block_number" if rows.time is not None else None, *used(task, rows.frame.columns)}
    return series.time_like(rows.frame.head(_LOOKED_AT), skip=spoken)


def refuse_times(task: Task, rows: Rows) -> None:
    """Raise SettingsUnfit if rows that plausibly have a time would be split at random without a word."""
    data: DataSpec = task.data
    found = time_like(task, rows)
    if rows.time is None and data.split.by is None and found:
        raise SettingsUnfit(*series.random_split(found[0]))
    for one in found:
        if rows.time is not None:
            rows.notes.append(f"{one.column} looks like times and is not used")


def names(task: Task, rows: Rows, specs: list[Feature]) -> list[str]:
    """Features that nobody listed and that probably name cases, as sentences."""
    listed = {one.name for one in task.data.features}
    there = [one.name for one in specs if one.name not in listed and one.name in rows.frame.columns]
    found = suspects.names(rows.frame.select(there), skip=settled(task, rows.frame.columns))
    return [". ".join(suspects.named(one)).removesuffix(".") for one in found]


def fills(task: Task, rows: Rows) -> list[str]:
    """Numbers and times that probably stand for no value, as sentences."""
    skip = settled(task, rows.frame.columns)
    found = suspects.fills(rows.frame, skip={*skip, rows.time, "block_number"}, needed=task.predict.target)
    late = None if rows.time is None or rows.time in checked(task) else suspects.no_time(rows.frame[rows.time])
    return [f"{one.what}. {one.todo.removesuffix('.')}" for one in [*found, *([late] if late else [])]]
