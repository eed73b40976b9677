"""Columns of the rows that a task speaks of: what it does not is no feature, and said to be left out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from assay.task.task import Task

_WORD = re.compile(r'"((?:[^"]|"")*)"|([^\W\d]\w*)')


def used(task: Task, columns: Iterable[str]) -> set[str]:
    """Those of the columns that features, label, split, joins, `keep`, [existing] or [value] name."""
    known = list(columns)
    spoken = {word for text in _expressions(task) for word in _words(text)}
    decisions = {word.lower() for text in (task.existing.rule, task.value.loss) for word in _words(text or "")}
    return {name for name in known if name in spoken or name.lower() in decisions} | (set(known) & _named(task))


def _named(task: Task) -> set[str | None]:
    data = task.data
    found: set[str | None] = {data.time, data.entity, data.split.group, task.predict.target, task.existing.column}
    found |= {*data.keep, *data.drop, *(name for join in data.joins for name in join.on)}
    for feature in data.features:
        if feature.op in {"column", "category"}:
            found.add(getattr(feature, "of", None) or feature.name)
    return found


def _expressions(task: Task) -> Iterator[str]:
    for feature in task.data.features:
        for field in ("of", "buy", "sell", "when"):
            text = getattr(feature, field, None)
            if text is not None:
                yield text
    if task.data.label.of is not None:
        yield task.data.label.of


def _words(text: str) -> set[str]:
    return {quoted.replace('""', '"') or plain for quoted, plain in _WORD.findall(text)}
