"""`newest`: the last row that a task's chain data gives up to a block, made as `assay data build` makes its rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.data import columns as columns_of
from assay.data import rows as rows_of
from assay.data.errors import SettingsUnfit, TooFewRows
from assay.data.expressions import require, wide
from assay.data.features import features, onchain, sequences
from assay.data.features.grid import BLOCK
from assay.data.opened import open_tables
from assay.data.tables import quality
from assay.data.targets import labels
from assay.task.sources import ChainSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import polars as pl

    from assay.task.task import Task


@dataclass(frozen=True)
class Newest:
    """A row as it is known at the end of its bar.

    Attributes
    ----------
    values
        The features in their order, None where missing: float32 values exactly, or whole numbers.
    block
        The last block of its bar.
    time
        The end of its bar, as ISO writes it.
    sources
        Hash of each table that it was made from.
    outcomes
        What the task predicts, for every bar of which it is known by now: the last block of the bar, and the label.
    frame
        All rows that were made for it, the newest last, with every column that the dataset could have; None where it
        was made of nothing.
    """

    values: tuple[Any, ...]
    block: int
    time: str
    sources: dict[str, str]
    outcomes: dict[int, Any]
    frame: pl.DataFrame | None = None


def require_followable(task: Task) -> None:
    """Raise SettingsUnfit unless new rows of the task can be made of new blocks."""
    data = task.data
    if data.bars is None or not any(isinstance(source, ChainSource) for source in data.sources):
        raise SettingsUnfit(
            "the task gathers no chain's data into bars, so there are no periods to follow", "Ask for answers."
        )
    if data.entity is not None:
        raise SettingsUnfit(
            f"[data] entity = {data.entity!r}: several series are not followed, since a period has one answer",
            "Ask for an answer for each by the endpoint, or make a project for each of them.",
        )
    for source in data.sources:
        if not isinstance(source, ChainSource) or source.rpc is None:
            raise SettingsUnfit(
                f"{source.name} is no chain's data that a node gives", "Ask for answers, by the endpoint."
            )


def newest(task: Task, project: Path, end_block: int, names: Sequence[str]) -> Newest:
    """Collect up to a block what the folder lacks, and make the row of the last bar that is whole then.

    Parameters
    ----------
    task
        Of a release; its functions are found in `project`, where what is collected is kept, too. With `window` in
        its data, the row is that of the last bar and those before it, the oldest first.
    end_block
        The last block; not below that of an earlier call with this folder.
    names
        The features, in the model's order.

    Raises
    ------
    TooFewRows
        No bar is whole, or the features' windows are not full yet.
    DataError
        The node does not give the blocks, or they do not follow one another.
    """
    import polars as pl

    require_followable(task)
    ended = task.data.model_copy(update={"sources": tuple(_until(one, end_block) for one in task.data.sources)})
    own = task.model_copy(update={"data": ended})
    with files.scratch() as work:
        tables = open_tables(own, project, work, lambda _: None)
        rows = rows_of.make(own, project, work, tables, lambda _: None)
    made = features.make(rows.frame, columns_of.specs(own, rows), time=rows.time, project=project, entity=None)
    onchain.hold(made.frame, own.data, rows.time, newest=True)
    window = own.data.window
    if made.frame.height - made.lookback < window:
        raise TooFewRows("the features' windows are not full yet", "Wait for more blocks.")
    single = list(names[-(len(names) // window) :])
    if sequences.names(single, window) != list(names):
        raise SettingsUnfit("the release's features are no windows of the task's", "Decide again, and release that.")
    for name in single:
        require(name, made.frame.columns, "the release's features")
    seen = quality.typed(made.frame, single).tail(window)
    last = seen.tail(1)
    # In windows every number is float32, as the dataset has them.
    rows_of_window = seen.select(single if window == 1 else pl.col(single).cast(pl.Float32))
    values = tuple(value for row in rows_of_window.iter_rows() for value in row)
    time = last[rows.time][0].isoformat() if rows.time is not None else ""
    outcomes = _outcomes(task, made.frame)
    return Newest(values, int(last[BLOCK][0]), time, dict(rows.sources), outcomes, made.frame)


def _outcomes(task: Task, frame: pl.DataFrame) -> dict[int, Any]:
    import polars as pl

    target = task.predict.target
    known = labels.make(frame, task.data.label, target).select(BLOCK, target)
    if wide.is_wide(known.schema[target]):
        change = wide.numbers if task.predict.type == "regression" else wide.texts
        known = known.with_columns(change(pl.col(target)).alias(target))
    if known.schema[target].is_float():  # the dataset has no rows with such labels either
        known = known.filter(pl.col(target).is_finite())
    return dict(known.drop_nulls(target).iter_rows())


def _until(source: Any, block: int) -> Any:
    return source.model_copy(update={"end_block": block, "reorg_buffer": 0})
