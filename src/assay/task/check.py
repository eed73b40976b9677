"""`assay task check`: what cannot be, found before any work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.core import files
from assay.task.chain_check import check_chains
from assay.task.columns import check_columns, file_rows, target_classes
from assay.task.errors import TaskContradiction
from assay.task.finding import Finding, contradiction, warning
from assay.task.limits import METRICS, check_limits, horizon_seconds
from assay.task.onchain import check_onchain
from assay.task.order import check_order
from assay.task.positions import line_of, positions
from assay.task.read import read, written
from assay.task.sources import ChainSource
from assay.task.sql import check_sql
from assay.task.task import Task, place_of
from assay.task.values import check_values
from assay.task.wholes import check_wholes

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from assay.task.data import DataSpec

More = Callable[[Task, Path], "Iterator[Finding]"]


@dataclass(frozen=True)
class Check:
    """A task and what its check found.

    Attributes
    ----------
    task
        The task itself: every field is allowed.
    findings
        Contradictions first, each in the order of the file.
    """

    path: Path
    task: Task
    findings: list[Finding]

    @property
    def contradictions(self) -> list[Finding]:
        """What cannot be."""
        return [finding for finding in self.findings if finding.severity == "contradiction"]

    def lines(self) -> list[dict[str, Any]]:
        """The findings with field and line, JSON-compatible."""
        found = positions(files.read(self.path).decode("utf-8-sig"))
        return [finding.to_dict(written(finding.path), line_of(found, finding.path)) for finding in self.findings]

    def require(self) -> None:
        """Raise TaskContradiction with the first contradiction, if there is one."""
        if not self.contradictions:
            return
        first = next(line for line in self.lines() if line["severity"] == "contradiction")
        more = len(self.contradictions) - 1
        others = f" ({more} more: `assay task check {self.path.parent}`)" if more else ""
        where = f"{self.path}, line {first['line']}" if first["line"] else str(self.path)
        raise TaskContradiction(f"{where}: {first['field']}: {first['what']}", f"{first['todo']}{others}")


def check(project: str | os.PathLike[str], more: More | None = None) -> Check:
    """Read the task of a project and look for what cannot be; raises as `Task.load` does.

    `more` looks for what only later rooms know; what it finds of a field that is found wrong here is left out.
    """
    folder = Path(project)
    path = place_of(folder)
    task = read(path)
    found = [*contradictions_of(task, path.parent)]
    for finding in more(task, path.parent) if more else ():
        if finding.path not in {other.path for other in found}:
            found.append(finding)
    return Check(path, task, sorted(found, key=lambda finding: finding.severity))


def contradictions_of(task: Task, project: Path) -> Iterator[Finding]:
    """Every finding, without reading more than the head of a file."""
    yield from check_limits(task)
    yield from check_columns(task, project)
    yield from check_values(task, project)
    yield from check_sql(task)
    yield from check_wholes(task, project)
    yield from _metric(task)
    yield from _text_target(task, project)
    yield from _existing(task, project)
    yield from check_series(task)
    yield from check_windows(task)
    yield from check_order(task, project, ordered=_ordered(task))
    yield from _split(task)
    yield from _pace(task)
    yield from _research(task)
    yield from check_chains(task)
    yield from check_onchain(task)


def _research(task: Task) -> Iterator[Finding]:
    """An inventory that leaves out what the data is read from is none."""
    known = {one.name: one for one in task.research.sources}
    for index, source in enumerate(task.data.sources):
        if known and source.name not in known:
            what, todo = f"[[research.sources]] does not name {source.name}", "Add it, with when it is known and why."
            yield warning(("data", "sources", index, "name"), what, todo)
    for number, one in enumerate(task.research.sources):
        if not one.used and one.name in {source.name for source in task.data.sources}:
            what = f"{one.name} is a source of the data, and it says used = false"
            yield contradiction(("research", "sources", number, "used"), what, "Write true, or remove the source.")


def _metric(task: Task) -> Iterator[Finding]:
    fitting = METRICS[task.predict.type]
    if task.metric not in fitting:
        yield contradiction(
            ("limits", "metric"),
            f"{task.metric} does not measure a {task.predict.type} prediction",
            f"Choose {', '.join(fitting)}.",
        )
    if task.metric == "value" and task.value.loss is None:
        yield contradiction(("limits", "metric"), "the metric is value and [value] loss is not written", "Write it.")


def _text_target(task: Task, project: Path) -> Iterator[Finding]:
    """Words are no numbers to predict."""
    data, target = task.data, task.predict.target
    if task.predict.type != "regression" or data.bars is not None or data.events or data.label.of is not None:
        return
    name = data.table or data.sources[0].name
    source = next((one for one in data.sources if one.name == name), None)
    rows = None if source is None else file_rows(source, project)
    if source is None or rows is None or data.label.op != "column":
        return
    words = next((rows.head[old] for old in rows.columns if source.rename.get(old, old) == target), None)
    if words is None or getattr(source, "types", {}).get(target) or str(words.dtype) not in {"String", "Boolean"}:
        return
    shown = ", ".join(f"{one!s:.20}" for one in words.drop_nulls().unique(maintain_order=True).head(3))
    yield contradiction(
        ("predict", "type"),
        f"{target} holds text ({shown}), and a regression predicts a number",
        'Write type = "binary" or "multiclass", or make a number of it: [data.label] of.',
    )


def _existing(task: Task, project: Path) -> Iterator[Finding]:
    value, kind = task.existing.value, task.predict.type
    if value is None or kind == "regression" or (kind == "binary" and 0 <= value <= 1):
        return
    classes = target_classes(task, project)
    if classes is not None and value not in classes:
        shown = ", ".join(f"{one:g}" for one in classes[:8]) + (", ..." if len(classes) > 8 else "")
        share = ", or a probability of the second" if kind == "binary" else ""
        todo = f"Give one of {shown}{share}."
        yield contradiction(("existing", "value"), f"{value:g} is no class of {task.predict.target}", todo)


def check_series(task: Task) -> Iterator[Finding]:
    """What the column that tells series apart cannot be; building the dataset looks for it as well."""
    data = task.data
    if data.entity is None:
        return
    if not _ordered(task):
        yield contradiction(
            ("data", "entity"), "the series have no time to be ordered by", "Name the time column in [data] time."
        )
    for other, what in ((data.time, "the time"), (task.predict.target, "the target")):
        if data.entity == other:
            yield contradiction(
                ("data", "entity"), f"{other} is {what}, and tells no series apart", "Name another column."
            )


def check_windows(task: Task) -> Iterator[Finding]:
    """What windows over the rows cannot be; building the dataset looks for it as well."""
    data, path = task.data, ("data", "window")
    if data.window == 1:
        return
    if not _ordered(task):
        what = f"a window of {data.window} rows needs rows in time, and these have none"
        yield contradiction(path, what, "Name the time column in [data] time, or remove the window.")
    elif data.entity is None and "times" in data.may_repeat:
        what = "rows of one moment have no order that a window could follow"
        yield contradiction(path, what, "Name what tells series apart in [data] entity, or remove the window.")
    elif data.split.by not in {None, "time"} and (data.entity is None or data.split.group != data.entity):
        what = f'windows of {data.window} rows overlap, and rows split by = "{data.split.by}" would know each other'
        yield contradiction(path, what, 'Write [data.split] by = "time", or remove the window.')


def _ordered(task: Task) -> bool:
    """Whether the rows have a time: of their own, or of the blocks they are from."""
    data = task.data
    return data.time is not None or data.bars is not None or bool(data.events) or _main_has_time(data)


def _split(task: Task) -> Iterator[Finding]:
    data = task.data
    ordered = _ordered(task)
    if data.split.stratify and task.predict.type == "regression":
        yield contradiction(
            ("data", "split", "stratify"),
            "a regression has no classes to stratify by",
            "Remove it, or make classes of the target with [data.label] edges.",
        )
    if not ordered and (data.split.by == "time" or data.label.reach > 0):
        yield contradiction(
            ("data", "split", "by") if data.split.by == "time" else ("data", "label"),
            "the rows have no time to be ordered by",
            "Name the time column in [data] time.",
        )
    if ordered and data.split.by == "random" and data.label.reach > 0:
        yield warning(
            ("data", "split", "by"),
            "rows split at random show the future of others to the model, as labels overlap",
            'Write by = "time".',
        )


def _main_has_time(data: DataSpec) -> bool:
    """Whether the source whose rows are learned from has a time of its own; chain data always has one."""
    name = data.table.partition(".")[0] if data.table else data.sources[0].name
    return any(
        source.name == name and (source.time is not None or isinstance(source, ChainSource)) for source in data.sources
    )


def _pace(task: Task) -> Iterator[Finding]:
    seconds = 86_400 / task.value.decisions_per_day
    if seconds < task.block_seconds:
        yield warning(
            ("value", "decisions_per_day"),
            f"decisions come every {seconds:g} s and blocks every {task.block_seconds:g} s",
            "Check both numbers.",
        )
    horizon = horizon_seconds(task)
    if task.latency_blocks is None and horizon is not None:
        yield warning(
            ("protocol",),
            f"no limit on latency is given, though an answer is worth nothing after {horizon:g} s",
            "Give latency_blocks.",
        )
