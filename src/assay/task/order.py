"""Do the rows have an order that the task does not speak of? Looked for in the heads of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.task import series, times
from assay.task.columns import file_rows
from assay.task.data import FunctionFeature
from assay.task.finding import Finding, contradiction, warning
from assay.task.series import random_split
from assay.task.used import used

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from assay.task.sources import Source
    from assay.task.task import Task


def check_order(task: Task, project: Path, *, ordered: bool) -> Iterator[Finding]:
    """Columns that look like times and are not used, times that do not read, labels that do not say how far they look.

    Parameters
    ----------
    task
        The task.
    project
        Its folder.
    ordered
        Whether its rows have a time.
    """
    data = task.data
    yield from _label(task, ordered=ordered)
    source, frame = _head(task, project)
    if source is None or frame is None:
        return
    time = source.time or data.time
    spoken = used(task, frame.columns) | {time, "block_number" if ordered else None}
    found = series.time_like(frame, skip=spoken)
    if not ordered and data.split.by is None and found:
        yield contradiction(("data",), *random_split(found[0]))
    for one in found:
        todo = f'Name it in [data] drop = ["{one.column}"], or use it.'
        yield warning(("data", "sources"), f"{one.column} looks like times and is not used", todo)
    if time in frame.columns:
        yield from _read(task, source, frame[str(time)])
    yield from _unused(task, frame)
    yield from _ahead(task, source, frame)


def _head(task: Task, project: Path) -> tuple[Source | None, pl.DataFrame | None]:
    """The source whose rows are learned from, and its first rows as the task names their columns."""
    data = task.data
    if data.bars is not None or data.events or data.joins:
        return None, None
    source = next((one for one in data.sources if one.name == (data.table or data.sources[0].name)), None)
    rows = None if source is None else file_rows(source, project)
    if source is None or rows is None:
        return None, None
    return source, rows.head.rename(source.rename, strict=False)


def _read(task: Task, source: Source, values: pl.Series) -> Iterator[Finding]:
    """A time column that building the dataset would refuse, as nothing says how it is written."""
    if source.time_unit is not None or source.time_format is not None:
        return
    found = times.readings(values)
    plain = any(one.form is None and one.unit not in {"d", "excel", "order"} for one in found)
    if not found or plain:
        return
    index = task.data.sources.index(source)
    todo = f"Say how it is written: {' or '.join(one.written for one in found[:3])}."
    yield contradiction(("data", "sources", index), f"the times of {values.name} are not in ISO 8601", todo)


def _unused(task: Task, frame: pl.DataFrame) -> Iterator[Finding]:
    """Columns of numbers that are nothing, since features are listed."""
    data = task.data
    if not data.features or data.all_columns is not None:
        return
    if any(isinstance(feature, FunctionFeature) for feature in data.features):
        return  # it may use any
    spoken = used(task, frame.columns) | {name for source in data.sources for name in source.key} | {"block_number"}
    left = [name for name, dtype in frame.schema.items() if dtype.is_numeric() and name not in spoken]
    if left:
        shown = ", ".join(left[:8]) + (", ..." if left[8:] else "")
        what = f"features are listed, so other columns of numbers are none: {shown}"
        yield warning(("data", "features"), what, "Write all_columns = true in [data] to have them too, or drop them.")


def _label(task: Task, *, ordered: bool) -> Iterator[Finding]:
    if ordered and task.data.label.unsaid:
        yield warning(
            ("data", "label"),
            f"nobody says how many rows ahead {task.predict.target} looks, so none are left out between the parts, and "
            "models that see past targets are not tried",
            "Write horizon in [data.label]: 0 if it comes with its row.",
        )


def _ahead(task: Task, source: Source, frame: pl.DataFrame) -> Iterator[Finding]:
    """A ready-made label that looks farther ahead than the task says."""
    data, target = task.data, task.predict.target
    time = source.time or data.time
    if data.label.op != "column" or data.label.of is not None or time not in frame.columns or time is None:
        return
    reading = times.Reading(source.time_unit, source.time_format)
    if target not in frame.columns or (reading == times.Reading() and not times.readings(frame[time])):
        return
    try:
        at = times.moments(frame[time], reading)
    except (ArithmeticError, ValueError, TypeError):
        return
    rows = frame.with_columns(at.alias("\x00at")).sort("\x00at", maintain_order=True).drop("\x00at", time)
    found = series.looks_ahead(rows, target, data.entity if data.entity in rows.columns else None)
    if found is not None and found[0] > data.label.reach:
        what = f"{target} is {found[1]}, and [data.label] says that it looks {data.label.reach} ahead"
        yield contradiction(("data", "label", "horizon"), what, f"Write horizon = {found[0]}.")
