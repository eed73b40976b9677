"""Values of the task's files that are probably not what they seem, found in their heads; and what settles them."""

from __future__ import annotations

import json
import math
import statistics
from typing import TYPE_CHECKING

from assay.task import suspects, times
from assay.task.columns import file_rows
from assay.task.finding import Finding, contradiction, warning
from assay.task.sources import CsvSource
from assay.task.used import used

_FEWEST = 10
"""Rows of a class before anything is said of it."""

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import polars as pl

    from assay.task.sources import Source
    from assay.task.task import Task


def check_values(task: Task, project: Path) -> Iterator[Finding]:
    """Fill values, texts among numbers, and columns that only number the rows, of every file."""
    for index, source in enumerate(task.data.sources):
        rows = file_rows(source, project)
        if rows is None:
            continue
        frame = rows.head.rename(source.rename, strict=False)
        path = ("data", "sources", index)
        if isinstance(source, CsvSource):
            yield from _words(source, rows.head, path)
        skip = settled(task, frame.columns)
        head = f"in the first {frame.height} rows, " if rows.cut else ""
        time = source.time or task.data.time
        found = suspects.fills(frame, skip={*skip, time, *source.key}, needed=task.predict.target)
        late = _no_time(source, frame, time) if time in frame.columns and time not in checked(task) else None
        for fill in [*found, *([late] if late else [])]:
            yield warning(path, head + fill.what, fill.todo)
        for name in suspects.counters(frame, skip={*skip, time, *source.key}):
            todo = f'Save the file without it (pandas: index=False), or write [data] drop = ["{name}"].'
            yield warning(path, f"{name} only numbers the rows, as a saved index does, and is no feature", todo)
        yield from _turned(task, frame)
        if not task.data.features or task.data.all_columns:
            none = {*skip, time, *source.key, *used(task, frame.columns), "block_number"}
            for name in suspects.names(frame, skip=none):
                what, todo = suspects.named(name)
                yield warning(path, head + what, todo)


def _turned(task: Task, frame: pl.DataFrame) -> Iterator[Finding]:
    """A probability of today that is larger where the answer is the first class: it is to be that of the second."""
    name, target = task.existing.column, task.predict.target
    if name is None or name == target or task.predict.type != "binary" or not {name, target} <= set(frame.columns):
        return
    rows = frame.select(name, target).drop_nulls()
    classes = rows[target].unique().sort()
    if len(classes) != 2 or not rows[name].dtype.is_float() or not rows[name].is_between(0, 1).all():
        return
    low, high = (rows.filter(rows[target] == one)[name].to_list() for one in classes)
    if min(len(low), len(high)) < _FEWEST:
        return
    stray = math.sqrt(statistics.variance(low) / len(low) + statistics.variance(high) / len(high))
    if statistics.fmean(low) - statistics.fmean(high) > 3 * stray:
        first, second = (f"{one!s:.40}" for one in classes)
        yield warning(
            ("existing", "column"),
            f"{name} is larger where {target} is {first}, and a probability is taken for that of {second}",
            f'If it is that of {first}, write kind = "rule", rule = "1 - {name}" and keep = ["{name}"] in [data].',
        )


def settled(task: Task, columns: Collection[str]) -> set[str | None]:
    """Columns whose values somebody has looked at, or that nobody uses: nothing is said of them."""
    data = task.data
    found: set[str | None] = {data.time, data.entity, data.split.group, *data.drop, *checked(task)}
    conditions = " ".join(source.where for source in data.sources if source.where)
    found |= {name for name in columns if name in conditions}
    if task.predict.type != "regression":
        found.add(task.predict.target)
    if data.features and not data.all_columns:
        found |= set(columns) - used(task, columns)
    return found


def checked(task: Task) -> set[str]:
    """Columns that a contract of the data speaks of."""
    return {check.column for check in task.data.checks}


def _no_time(source: Source, frame: pl.DataFrame, time: str | None) -> suspects.Fill | None:
    reading = times.Reading(source.time_unit, source.time_format)
    values = frame[str(time)]
    try:
        return suspects.no_time(times.moments(values, reading).alias(values.name))
    except (ArithmeticError, ValueError, TypeError):
        return None


def _words(source: CsvSource, frame: pl.DataFrame, path: tuple[str | int, ...]) -> Iterator[Finding]:
    """Texts that stand for no value: building the dataset refuses the column."""
    for name in frame.columns:
        found = [] if name in source.types else suspects.words(frame[name])
        if found:
            shown = " and ".join(repr(text) for text in found[:3])
            what = f"{name} holds numbers, and {shown}, which {'stand' if found[1:] else 'stands'} for no value"
            todo = f"Write missing = {json.dumps([*source.missing, *found], ensure_ascii=False)}."
            yield contradiction(path, what, todo)
