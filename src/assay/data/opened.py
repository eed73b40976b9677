"""A task's tables, opened: collected where they lack something, chains checked, events decoded as they are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.core import files
from assay.data.errors import SourceUnknown
from assay.data.events.continuity import read_blocks, with_times
from assay.data.events.decode import decode, event_abi
from assay.data.sources.context import Context
from assay.data.sources.open import open_source
from assay.data.sources.state import STATE, open_state
from assay.task.sources import ChainSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl

    from assay.data.events.abi import EventAbi
    from assay.data.tables.gates import Quarantine
    from assay.data.tables.table import Table
    from assay.task.data import DataSpec, Event
    from assay.task.task import Task


@dataclass
class Opened:
    """All tables of a task, by name, and the blocks of each chain source."""

    tables: dict[str, Table]
    blocks: dict[str, pl.DataFrame]
    quarantine: Quarantine

    def table(self, name: str, where: str) -> Table:
        """The table of that name; "NAME" also means the only dataset of a chain source."""
        if name in self.tables:
            return self.tables[name]
        datasets = [key for key in self.tables if key.startswith(f"{name}.") and key != f"{name}.{STATE}"]
        if len(datasets) == 1:
            return self.tables[datasets[0]]
        raise SourceUnknown(
            f"{where} names the table {name}, which no source or event makes", f"There are: {', '.join(self.tables)}."
        )


def open_tables(
    task: Task, project: Path, work: Path, progress: Callable[[str], None], *, ray: str | None = None
) -> dict[str, Table]:
    """Open every source of a task, chains collected on the Ray cluster at `ray`; raises as `open_source` does."""
    topics = _topics(task.data, project)
    context = Context(
        project=project,
        work=work,
        progress=progress,
        chain_id=task.chain().id,
        confirmations=task.protocol.feature_delay_blocks,
        topics=topics,
        ray=ray,
    )
    tables: dict[str, Table] = {}
    for spec in task.data.sources:
        tables |= open_source(spec, task.data, context)
    return tables | open_state(task.data, context)


def chained(task: Task, project: Path, opened: Opened, progress: Callable[[str], None], *, wide: bool) -> Opened:
    """Check chains, give their rows times, and decode events."""
    data, named = task.data, task.model_dump_json()
    for spec in data.sources:
        blocks = opened.tables.get(f"{spec.name}.blocks")
        if not isinstance(spec, ChainSource) or blocks is None:
            continue
        progress(f"Checking the blocks of {spec.name}")
        opened.blocks[spec.name] = read_blocks(blocks, strict=spec.continuity)
        for name, table in opened.tables.items():
            if name.startswith(f"{spec.name}.") and table is not blocks:
                opened.tables[name] = with_times(table, opened.blocks[spec.name])
    for event in data.events:
        logs = opened.table(logs_of(event, data), f"[[data.events]] {event.name}")
        abi = abi_of(event, project)
        opened.tables[event.name] = decode(logs, event, abi, opened.quarantine, named, wide=wide)
    return opened


def logs_of(event: Event, data: DataSpec) -> str:
    source = event.source or next((s.name for s in data.sources if isinstance(s, ChainSource)), data.sources[0].name)
    kinds = {spec.name: spec for spec in data.sources}
    return f"{source}.logs" if isinstance(kinds.get(source), ChainSource) else source


def main_of(data: DataSpec, opened: Opened) -> str:
    """The table that rows are of: the one named, else the first event, else the first source's first."""
    named = (data.bars.table if data.bars else None) or data.table
    if named is None:
        named = data.events[0].name if data.events else next(iter(opened.tables))
    return opened.table(named, "[data]").name


def bar_tables(data: DataSpec, opened: Opened, main: str) -> dict[str, Table]:
    """The tables that bars are made of, by the names that [data.bars] has for them."""
    named = [column.table for column in data.bars.columns if column.table is not None] if data.bars else []
    return {main: opened.tables[main]} | {name: opened.table(name, "[[data.bars.columns]]") for name in named}


def _topics(data: DataSpec, project: Path) -> tuple[str, ...]:
    return tuple("0x" + abi_of(event, project).topic.hex() for event in data.events)


def abi_of(event: Event, project: Path) -> EventAbi:
    """The ABI of an event, from its signature or its file."""
    return event_abi(event, None if event.abi is None else files.read(project / event.abi))
