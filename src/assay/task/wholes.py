"""Whole numbers beyond the 64 bits of an input word, found in the heads of a task's files."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from assay.task.columns import file_rows
from assay.task.finding import Finding, warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import polars as pl

    from assay.task.task import Task

_WHOLE = re.compile(r"[+-]?[0-9]{1,200}")
_BEYOND = 1 << 63
_WHOLE_OPS = {"column", "lag", "difference", "rolling_min", "rolling_max", "rolling_sum", "volume"}
"""Of whole numbers these make whole numbers, which may be as large."""
_FRACTIONS = re.compile(r"[/.]|\b(sqrt|ln|log\w*|exp|double|float\w*)\b", re.IGNORECASE)
"""What makes an expression one of float64."""
_KEPT = 18
"""Digits that 63 bits hold whatever they are."""


def check_wholes(task: Task, project: Path) -> Iterator[Finding]:
    """Features that are such numbers as they are, and do not say by which power of ten they are divided."""
    data = task.data
    source = next((one for one in data.sources if one.name == (data.table or data.sources[0].name)), None)
    rows = None if source is None or data.bars is not None else file_rows(source, project)
    if source is None or rows is None:
        return
    frame = rows.head.rename(source.rename, strict=False)
    beyond = {name: len(str(size)) for name in frame.columns if (size := _largest(frame[name])) >= _BEYOND}
    for index, feature in enumerate(data.features):
        of = getattr(feature, "of", None) or feature.name
        named = [name for name in beyond if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", of)]
        if feature.op not in _WHOLE_OPS or feature.scale is not None or not named or _FRACTIONS.search(of):
            continue
        digits = max(beyond[name] for name in named)
        yield warning(
            ("data", "features", index),
            f"{', '.join(named)} has whole numbers of {digits} digits, beyond 64 bits: they are rounded to float32",
            f"Write scale = {digits - _KEPT}, which keeps {_KEPT} digits whole, or more.",
        )
    yield from _inferred(task, beyond)


def _inferred(task: Task, beyond: dict[str, int]) -> Iterator[Finding]:
    """Columns that are features because none is listed, or all are wanted: only a listed one has a scale."""
    data = task.data
    if data.all_columns is False or (data.features and not data.all_columns):
        return
    others = {*data.drop, *data.keep, *(one.name for one in data.features), data.time, data.entity, task.predict.target}
    for name in sorted(set(beyond) - others):
        yield warning(
            ("data", "features") if data.features else ("data",),
            f"the feature {name} has whole numbers of {beyond[name]} digits, beyond 64 bits: they are rounded to "
            "float32",
            f'List it in [[data.features]] with op = "column" and scale = {beyond[name] - _KEPT} or more, or drop it.',
        )


def _largest(values: pl.Series) -> int:
    """The largest size of a column's whole numbers, however a file holds them; 0 if it has others."""
    if values.dtype.is_float():
        size = values.drop_nulls().abs().max()
        return int(size) if isinstance(size, float) and math.isfinite(size) and size >= _BEYOND else 0
    texts = [str(value).strip() for value in values.drop_nulls().to_list()]
    if not texts or not all(_WHOLE.fullmatch(text) for text in texts):
        return 0
    return max(abs(int(text)) for text in texts)
