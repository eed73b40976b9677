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
    for index, feature in enumerate(data.features):
        of = getattr(feature, "of", None) or feature.name
        if feature.op != "column" or feature.scale is not None or of not in frame.columns:
            continue
        largest = _largest(frame[of])
        if largest >= _BEYOND:
            digits = len(str(largest))
            yield warning(
                ("data", "features", index),
                f"{of} has whole numbers of {digits} digits, beyond 64 bits: they are rounded to float32",
                f"Write scale = {digits - _KEPT}, which keeps {_KEPT} digits whole, or more.",
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
