"""Decoding and bars on a Ray cluster: each worker opens the files of a range of blocks, as a small project.

What runs over all rows stays where the dataset is built: whether blocks follow one another, the bars that two ranges
share, checks of whole tables, joins and features. What a range cannot be made of is made there, too, which says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from math import ceil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from assay.core import files
from assay.core.workers import workers
from assay.data.errors import DataError
from assay.data.events.decode import IntegersWide
from assay.data.features.gathering import gatherings
from assay.data.opened import Opened, bar_tables, chained, logs_of, main_of, open_tables
from assay.data.sources import cryo_files
from assay.data.sources.context import Context
from assay.data.sources.cryo import place
from assay.data.tables.gates import Quarantine
from assay.task.sources import ChainSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.data.features.gathering import Gathered
    from assay.data.sources.cryo_files import Chunk
    from assay.task.data import DataSpec
    from assay.task.task import Task

    Found = dict[str, Gathered | None]

ALONE = "Decoding and gathering bars on this machine alone"
_FOLDER = "blocks"
_WIDE = "\x00wide"
_RANGES, _AT_ONCE = 64, 16
_BYTES = 64_000_000
"""Of a range's files: a worker holds its rows in memory."""
_LOGS = {"logs", "erc20_transfers"}


class _Here(Exception):
    """Why nothing is spread."""


@dataclass(frozen=True)
class Shared:
    """What every worker knows.

    Attributes
    ----------
    task
        The task, of the one source whose files are spread.
    main
        The table of aggregates that name none.
    datasets
        Those of the source that are needed.
    abis
        The ABI files of its events.
    wide
        As `decode` has it.
    """

    task: Task
    main: str
    datasets: tuple[str, ...]
    abis: dict[str, bytes]
    wide: bool


def gathered(
    task: Task, project: Path, opened: Opened, *, wide: bool, ray: str | None, progress: Callable[[str], None]
) -> dict[str, list[Gathered]]:
    """The rows of the tables of [data.bars], gathered on the Ray cluster at the address `ray`, range by range; without
    one in this process.

    Nothing where they cannot be spread, which `progress` is told: they are then gathered here.

    Raises
    ------
    IntegersWide
        An integer has more than 127 bits, and `wide` is not set.
    WorkersFailed, MissingLibrary
        See `workers`.
    """
    try:
        return _gathered(task, project, opened, wide=wide, ray=ray, progress=progress)
    except _Here as reason:
        progress(f"{ALONE}: {reason}")
        return {}


def _gathered(
    task: Task, project: Path, opened: Opened, *, wide: bool, ray: str | None, progress: Callable[[str], None]
) -> dict[str, list[Gathered]]:
    shared, source = _shared(task, project, opened, wide=wide)
    ranges = _ranges(project, source, shared.datasets)
    found: list[Found] = [{} for _ in ranges]
    with workers(shared, ray=ray) as crew:
        for start in range(0, len(ranges), _AT_ONCE):
            jobs = [[(one.path.name, files.read(one.path)) for one in chunks] for chunks in ranges[start:][:_AT_ONCE]]
            for done, (number, said) in enumerate(crew.run(elsewhere, jobs), start + 1):
                progress(f"Decoding and gathering bars on the cluster: {done} of {len(ranges)} ranges are here")
                found[start + number] = _taken(said)
    return {name: [part for one in found if (part := one[name]) is not None] for name in found[0]}


def elsewhere(shared: Shared, job: list[tuple[str, bytes]]) -> Found | str:
    """Decode and gather a range of blocks on a worker of the cluster; or why it cannot be done there."""
    task, data = shared.task, shared.task.data
    assert data.bars is not None  # noqa: S101 - only bars are spread
    with files.scratch() as home:
        (home / _FOLDER).mkdir()
        for name, content in job:
            (home / _FOLDER / Path(name).name).write_bytes(content)
        for name, content in shared.abis.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_bytes(content)
        try:
            tables = open_tables(task, home, home, _quiet)
            opened = chained(task, home, Opened(tables, {}, Quarantine()), _quiet, wide=shared.wide)
            mixed = "series" in data.may_repeat
            ready = gatherings(
                data.bars, bar_tables(data, opened, shared.main), shared.main, entity=data.entity, mixed=mixed
            )
            found = {name: one.range() for name, one in ready.items()}
        except IntegersWide:
            return _WIDE
        except DataError as error:
            return error.what
    return f"{opened.quarantine.rows} rows of a range are set aside" if opened.quarantine.rows else found


def _taken(said: Found | str) -> Found:
    if said == _WIDE:
        raise IntegersWide("an integer has more than 127 bits", "It is decoded again.")
    if isinstance(said, str):
        raise _Here(said)
    return said


def _shared(task: Task, project: Path, opened: Opened, *, wide: bool) -> tuple[Shared, ChainSource]:
    """What the workers need, and the source as it is here; raises `_Here` where rows must be looked at together."""
    data, main = task.data, main_of(task.data, opened)
    if data.bars is None:
        raise _Here("there are no bars")
    names = {table.name for table in bar_tables(data, opened, main).values()}
    logs = {_logs(name, data) for name in names}
    source = next((one for one in data.sources if {name.partition(".")[0] for name in logs} == {one.name}), None)
    kinds = {name.partition(".")[2] for name in logs}
    if not isinstance(source, ChainSource) or not kinds <= _LOGS:
        raise _Here("bars are made of other rows than the logs of one chain")
    if source.key or not source.continuity:
        raise _Here(f"{source.name} has a key, or blocks that need not follow one another")
    checked = {opened.table(check.table, "[[data.checks]]").name for check in data.checks if check.table is not None}
    if both := sorted(checked & names):
        raise _Here(f"[[data.checks]] looks at all rows of {both[0]}")
    kept = tuple(name for name in source.datasets if name in {*kinds, "blocks"})
    own = source.model_copy(update={"rpc": None, "folder": _FOLDER, "datasets": kept})
    events = tuple(one.model_copy(update={"source": source.name}) for one in data.events if one.name in names)
    abis = {one.abi: files.read(project / one.abi) for one in events if one.abi is not None}
    if any(PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts for name in abis):
        raise _Here("an ABI file is not in the project's folder")
    # The words of other contracts' state are read here, and joined to the bars.
    spread = data.model_copy(
        update={"sources": (own,), "events": events, "bars": data.bars.model_copy(update={"state": ()})}
    )
    return Shared(task.model_copy(update={"data": spread}), main, kept, abis, wide), source


def _logs(name: str, data: DataSpec) -> str:
    """The table of a source that a table is from."""
    event = next((one for one in data.events if one.name == name), None)
    return name if event is None else logs_of(event, data)


def _ranges(project: Path, source: ChainSource, datasets: tuple[str, ...]) -> list[list[Chunk]]:
    """The source's files, cut where each of its datasets has a file that begins; raises `_Here` if nowhere."""
    there = cryo_files.chunks(place(source, Context(project, project)))
    last = source.end_block if isinstance(source.end_block, int) else None
    wanted = [one for one in there if one.last >= source.start_block and (last is None or one.first <= last)]
    wanted = [one for one in wanted if one.dataset in datasets]
    begins = set.intersection(*({one.first for one in wanted if one.dataset == name} for name in datasets))
    found: list[list[Chunk]] = []
    steps, size = 0, 0
    for first, group in groupby(sorted(wanted, key=lambda one: (one.first, one.dataset)), key=lambda one: one.first):
        chunks = list(group)
        if not found or (first in begins and (steps >= ceil(len(begins) / _RANGES) or size >= _BYTES)):
            found.append([])
            steps, size = 0, 0
        found[-1] += chunks
        steps += first in begins
        size += sum(one.path.stat().st_size for one in chunks)
    if len(found) < 2:
        raise _Here(f"{source.name} is one range of blocks")
    return found


def _quiet(_words: str) -> None:
    pass
