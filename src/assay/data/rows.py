"""From a task's sources to the rows that features are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from assay.data.dataset.manifest import LeftOut
from assay.data.errors import SettingsUnfit, TimeBackwards
from assay.data.events.decode import IntegersWide
from assay.data.expressions import require
from assay.data.expressions import wide as wide_numbers
from assay.data.features import bars, joins, series
from assay.data.features.grid import BLOCK
from assay.data.opened import Opened, bar_tables, chained, logs_of, main_of
from assay.data.sources.sorting import sorted_copy
from assay.data.sources.state import STATE
from assay.data.spread import gathered
from assay.data.tables import contracts, repeats
from assay.data.tables.gates import Quarantine
from assay.data.tables.table import TIME, Table, first_fall, row_before

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from assay.data.features.gathering import Gathered
    from assay.task.data import DataSpec
    from assay.task.state import StateWord
    from assay.task.task import Task


@dataclass
class Rows:
    """The rows that features are made of, and where they are from.

    Attributes
    ----------
    frame
        The rows, in the order of `time` if there is one, then of `entity`.
    time
        The time column.
    entity
        The column that tells series apart, None if the rows are one series.
    sources
        Each table that was opened, and the hash of its content.
    quarantine
        Rows that were set aside on the way.
    left_out
        What else is not in `frame`.
    blocks
        First and last block, for data of a chain.
    notes
        What was found out of the data that the task does not say, in sentences.
    """

    frame: pl.DataFrame
    time: str | None
    sources: dict[str, str]
    quarantine: Quarantine
    left_out: list[LeftOut] = field(default_factory=list)
    blocks: tuple[int, int] | None = None
    entity: str | None = None
    notes: list[str] = field(default_factory=list)


def decoded(
    task: Task, project: Path, tables: dict[str, Table], progress: Callable[[str], None], *, wide: bool
) -> dict[str, Table]:
    """The tables with those of the task's events, `wide` as `decode` has it; raises as `make` does."""
    return chained(task, project, Opened(dict(tables), {}, Quarantine()), progress, wide=wide).tables


def make(
    task: Task,
    project: Path,
    work: Path,
    tables: dict[str, Table],
    progress: Callable[[str], None],
    *,
    ray: str | None = None,
) -> Rows:
    """Decode events, check what must hold, gather bars and join tables.

    With `ray`, the address of a Ray cluster, that decodes and gathers what can be spread; the rows are the same.

    Raises
    ------
    DataError
        If the data breaks what the task says of it.
    """
    try:
        return _made(task, project, work, tables, progress, wide=False, ray=ray)
    except IntegersWide:
        progress("Reading again: there are integers of more than 127 bits")
        again = work / "wide"
        again.mkdir()
        return _made(task, project, again, tables, progress, wide=True, ray=ray)


def _made(
    task: Task,
    project: Path,
    work: Path,
    tables: dict[str, Table],
    progress: Callable[[str], None],
    *,
    wide: bool,
    ray: str | None,
) -> Rows:
    data = task.data
    opened = chained(task, project, Opened(dict(tables), {}, Quarantine()), progress, wide=wide)
    _contracts(data, opened, work)
    sources = {name: table.digest for name, table in tables.items()}
    parts = gathered(task, project, opened, wide=wide, ray=ray, progress=progress) if ray is not None else {}
    rows = _bars(data, opened, progress, parts) if data.bars else _plain(task, opened, progress)
    rows.sources = sources
    rows.notes = [note for table in tables.values() for note in table.notes]
    rows.quarantine = opened.quarantine
    for spec in data.joins:
        progress(f"Joining {spec.table}")
        other = opened.table(spec.table, "[[data.joins]]")
        once = "times" not in data.may_repeat
        rows.frame = joins.join(rows.frame, spec, other, time=rows.time, entity=rows.entity, once=once)
    own = [check for check in data.checks if check.table is None and not (rows.time == check.column and _sorts(check))]
    # A check of a column that is only made later (the target) is applied then.
    there = [check for check in own if check.column in rows.frame.columns]
    frame = contracts.apply(rows.frame, there, table="the rows", quarantine=rows.quarantine, entity=rows.entity)
    rows.frame = series.in_time(frame, rows.time, rows.entity)
    return rows


def _sorts(check: object) -> bool:
    return getattr(check, "on_fail", "") == "repair:sort"


def _contracts(data: DataSpec, opened: Opened, work: Path) -> None:
    for name in dict.fromkeys(check.table for check in data.checks if check.table is not None):
        table = opened.table(name, "[[data.checks]]")
        checks = [check for check in data.checks if check.table == name]
        for check in checks:
            if _sorts(check):
                table = sorted_copy(table, check.column, work)
        opened.tables[table.name] = contracts.gated(table, checks, opened.quarantine)


def _bars(
    data: DataSpec, opened: Opened, progress: Callable[[str], None], parts: Mapping[str, Sequence[Gathered]]
) -> Rows:
    assert data.bars is not None  # noqa: S101 - the caller looked
    main = main_of(data, opened)
    tables = bar_tables(data, opened, main)
    for name, table in tables.items():
        if table.time is not None and not table.schema[table.time].is_temporal():
            raise SettingsUnfit(
                f'[data.bars] gathers {name} by time, and its {table.time} only orders rows (time_unit = "order")',
                "Name a column of times, or learn from the rows as they are.",
            )
    blocks = _blocks_of(main, data, opened)
    mixed = "series" in data.may_repeat
    frame, grid = bars.bars(data.bars, tables, main, blocks, progress, entity=data.entity, mixed=mixed, parts=parts)
    frame = _with_state(frame, data.bars.state, opened)
    time = data.time or TIME
    rows = Rows(frame.rename({TIME: time}), time, {}, opened.quarantine, entity=data.entity)
    if grid.incomplete:
        reason = "the data begins or ends within them"
        rows.left_out.append(LeftOut(what="bars", count=grid.incomplete, reason=reason))
    rows.blocks = _range(blocks)
    return rows


def _with_state(frame: pl.DataFrame, words: Sequence[StateWord], opened: Opened) -> pl.DataFrame:
    """The bars with what other contracts keep at the end of each, in whole numbers of any width."""
    import polars as pl

    read = [word.name for word in words if word.slot is not None]
    if read:
        table = next(table for name, table in opened.tables.items() if name.endswith(f".{STATE}"))
        found = table.frame([BLOCK, *read]).with_columns(pl.col(BLOCK).cast(frame.schema[BLOCK]))
        frame = frame.join(found, on=BLOCK, how="left", maintain_order="left")
        wholes = (wide_numbers.series(name, (int(text) for text in frame[name])) for name in read)
        frame = frame.with_columns(*wholes)
    return frame.with_columns(pl.col(TIME).dt.epoch("s").alias(word.name) for word in words if word.header)


def _blocks_of(main: str, data: DataSpec, opened: Opened) -> pl.DataFrame | None:
    """The blocks of the chain source that a table is from."""
    event = next((event for event in data.events if event.name == main), None)
    name = logs_of(event, data) if event else main
    return opened.blocks.get(name.partition(".")[0])


def _range(blocks: pl.DataFrame | None) -> tuple[int, int] | None:
    return None if blocks is None else (int(blocks["block_number"][0]), int(blocks["block_number"][-1]))


def _plain(task: Task, opened: Opened, progress: Callable[[str], None]) -> Rows:
    """The rows of a table as they are."""
    import polars as pl

    data = task.data
    main = main_of(data, opened)
    table = opened.tables[main]
    progress(f"Reading {main}")
    frame = pl.concat(table.ordered(unique=True), rechunk=True) if table.log_order else table.frame()
    frame = wide_numbers.narrowed(frame, only_wide=True)
    if data.time is not None:
        require(data.time, frame.columns, "[data] time")
    if data.entity is not None:
        series.require_entity(frame.schema, data.entity, "[data] entity")
        series.refuse_missing(frame, data.entity, main)
    if table.time is not None:
        sorts = any(check.column == table.time and check.table is None and _sorts(check) for check in data.checks)
        if sorts:
            frame = frame.sort(table.time, maintain_order=True)
        else:
            _refuse_disorder(frame, table.time, data.entity, main)
    if data.entity is not None:
        frame = series.ordered(frame, table.time, data.entity, main)
    elif table.time is not None and not table.log_order and "times" not in data.may_repeat:
        repeats.refuse_times(frame, table.time, main, task.predict.target)
    elif table.log_order and "series" not in data.may_repeat:
        spoken = [data.model_dump_json(include={"features", "label", "keep", "drop", "joins"})]
        list(repeats.one_series([frame], series.telling(table, spoken), main, "one series"))
    blocks = _range(_blocks_of(main, data, opened))
    return Rows(frame, table.time, {}, opened.quarantine, blocks=blocks, entity=data.entity)


def _refuse_disorder(frame: pl.DataFrame, time: str, entity: str | None, main: str) -> None:
    """Raise TimeBackwards if a row has no time, or an earlier one than the row before it (of its series)."""
    missing = frame[time].null_count()
    if missing:
        row = int(frame[time].is_null().arg_max() or 0)
        raise TimeBackwards(
            f"{missing} rows of {main} have no time ({time}), first row {row + 1}", "Correct or remove them."
        )
    place = frame.select(time, *([entity] if entity else []))
    fall = first_fall(place, within=entity)
    if fall is not None:
        of = f" ({series.named(entity, place[entity][fall])})" if entity else ""
        raise TimeBackwards(
            f"{main} goes backwards in {time} at row {fall + 1}{of}: {frame[time][fall]} after "
            f"{row_before(place, fall, entity)[0]}",
            f'Sort it, or add a check of {time} with rule "increasing" and on_fail "repair:sort".',
        )
