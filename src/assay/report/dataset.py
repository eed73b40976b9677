"""The data: where it is from, what was checked, what was left out, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from assay.bench.words import plural
from assay.report.table import NONE, UNKNOWN, Cell, Line, Table, count, number, row, short, table
from assay.report.words import PARTS
from assay.task.sources import ChainSource

if TYPE_CHECKING:
    from assay.data.dataset.manifest import Manifest
    from assay.report.material import Column, Material
    from assay.task.task import Task

_KINDS = {
    "cryo": "chain data, extracted with Cryo",
    "rpc": "chain data, asked of a node",
    "parquet": "Parquet files",
    "csv": "CSV files",
    "sql": "a database query",
    "web": "a web service",
    "package": "data that a Python package carries",
}
_SPLITS = {
    "time": "by time: the earliest rows train, the latest test",
    "random": "at random",
    "group": "by groups: rows of one group stay together",
}
_ON_FAIL = {"refuse": "the dataset is not built", "quarantine": "the row is set aside"}
_DRIFT = 1.0


@dataclass(frozen=True)
class Bar:
    """A bar of a figure: a share of the longest one, its words, and more words where there is room."""

    name: str
    share: float
    text: str
    kind: str = ""
    note: str = ""


def sources(material: Material, manifest: Manifest) -> Table:
    """What was read."""
    kinds = {source.name: _KINDS[source.kind] for source in material.task.data.sources}
    rows = [
        (source.table, kinds.get(source.table.partition(".")[0], UNKNOWN), Cell(source.sha256[:16], mark="code"))
        for source in manifest.sources
    ]
    return table("Table|What it is|Hash (its first digits)", *rows)


def parts(manifest: Manifest) -> Table:
    """The parts of the rows."""
    rows = []
    for name, part in manifest.rows.items():
        title, purpose = PARTS[name]
        times = (_day(part.first_time), _day(part.last_time)) if manifest.time else ()
        rows.append((title, count(part.rows), *times, purpose))
    return table("Part|#Rows|From|To|What for" if manifest.time else "Part|#Rows|What for", *rows)


def part_bars(manifest: Manifest) -> list[Bar]:
    """The parts as shares of all rows."""
    total = sum(part.rows for part in manifest.rows.values()) or 1
    return [Bar(PARTS[name][0], part.rows / total, f"{part.rows:,}", name) for name, part in manifest.rows.items()]


def split_words(manifest: Manifest) -> str:
    """How rows were parted."""
    said = f"The rows were parted {_SPLITS.get(manifest.split, manifest.split)}."
    if manifest.series is not None:
        said = (
            f"The rows are of {manifest.series:,} series, told apart by {manifest.entity}; no feature and no answer of "
            f"one is made of rows of another. {said}"
        )
    if manifest.window > 1:
        series = " in its series" if manifest.series is not None else ""
        said += f" A model sees a row and the {manifest.window - 1:,} before it{series}, of any part."
    if manifest.embargo:
        rows = (
            f"{manifest.embargo:,} rows"
            if manifest.series is None
            else f"the rows of {plural(manifest.embargo, 'time')}"
        )
        said += f" Before each boundary {rows} are left out, because what is predicted for them lies on the other side."
    return said


def checks(task: Task) -> Table | None:
    """The task's own rules for the data."""
    if not task.data.checks:
        return None
    rows = [
        (check.column, check.rule, _ON_FAIL.get(check.on_fail, f"it is repaired ({check.on_fail.partition(':')[2]})"))
        for check in task.data.checks
    ]
    return table("Column|Rule|If it is broken", *rows)


def always_checked(task: Task, manifest: Manifest) -> list[str]:
    """What every dataset is checked for; it is not built if one of these fails."""
    said = ["no infinite values, and no text where numbers belong", "no feature that gives away the answer"]
    if manifest.type != "regression":
        said.append("every part has more than one class")
    if manifest.time:
        said.append("time never goes backwards" + " within a series" * (manifest.series is not None))
    if any(isinstance(source, ChainSource) and source.continuity for source in task.data.sources):
        said.append("no block is missing or doubled, and each follows the one before")
    if any(feature.op == "function" for feature in task.data.features):
        said.append("no feature changes when later rows change")
    return said


def left_out(material: Material, manifest: Manifest) -> Table | None:
    """What the sources had that the dataset does not."""
    rows = [(one.what, count(one.count), one.reason) for one in manifest.left_out]
    rows += [
        (f"rows of {one.table}, set aside".replace("rows of the rows", "rows"), count(one.rows), one.reason)
        for one in material.quarantine
    ]
    seen = sum(one.rows for one in material.quarantine)
    if manifest.quarantined > seen:
        rows.append(("rows set aside", count(manifest.quarantined - seen), "their file, quarantine.parquet, is gone"))
    return table("What|#How many|Why", *rows) if rows else None


def features(material: Material, manifest: Manifest) -> Table:
    """What models see, and how its values are distributed."""
    columns = material.profile.columns if material.profile else {}
    lines = [_feature(info.name, info.unit, info.missing, columns.get(info.name)) for info in manifest.features]
    return table("Feature|Values|#Least|#Median|#Greatest|#Missing|#Correlation|#Drift", *lines)


def _feature(name: str, unit: str, missing: int, column: Column | None) -> Line:
    title = f"{name} ({unit})" if unit else name
    if column is None:
        return row(title, NONE, NONE, NONE, NONE, count(missing), NONE, NONE)
    drift = _drift(column)
    return row(
        title,
        Cell(f"{column.distinct:,} different", column.distinct, bars=_heights(column)),
        number(column.min),
        number(column.quantiles.get("0.5")),
        number(column.max),
        count(missing),
        NONE if (tie := column.correlation_with_target) is None else Cell(f"{round(tie, 2) + 0.0:+.2f}", tie),
        NONE if drift is None else Cell(f"{round(drift, 2) + 0.0:+.2f}", drift, "bad" if abs(drift) > _DRIFT else ""),
    )


def drifting(material: Material) -> list[str]:
    """Features whose mean in the test rows is far from that in the training rows."""
    columns = material.profile.columns if material.profile else {}
    names = [info.name for info in material.manifest.features] if material.manifest else []
    found = {name: _drift(columns[name]) for name in names if name in columns}
    return [name for name, drift in found.items() if drift is not None and abs(drift) > _DRIFT]


def target_bars(material: Material, manifest: Manifest) -> tuple[list[Bar], Table] | None:
    """The distribution of what is predicted, as bars and as a table."""
    profile = material.profile
    if profile is None:
        return None
    if profile.classes:
        return _class_bars(profile.classes, profile.class_counts)
    column = profile.columns.get(manifest.target)
    if column is None or column.histogram is None:
        return None
    edges, counts = column.histogram.edges, column.histogram.counts
    most = max(counts) or 1
    names = [f"{short(low, 3)} to {short(high, 3)}" for low, high in pairwise(edges)]
    bars = [Bar(name, many / most, f"{many:,}") for name, many in zip(names, counts, strict=True)]
    lines = [(Cell(name, low), count(many)) for name, low, many in zip(names, edges, counts, strict=False)]
    return bars, table("Value|#Rows", *lines)


def _class_bars(classes: tuple[str, ...], counts: dict[str, tuple[int, ...]]) -> tuple[list[Bar], Table]:
    totals = [sum(part[place] for part in counts.values()) for place in range(len(classes))]
    most, everyone = max(totals, default=0) or 1, sum(totals) or 1
    bars = [
        Bar(name, many / most, f"{many:,} ({many / everyone:.0%})") for name, many in zip(classes, totals, strict=True)
    ]
    heads = "Answer|" + "|".join(f"#{PARTS[part][0].capitalize()}" for part in counts)
    lines = [row(name, *(count(part[place]) for part in counts.values())) for place, name in enumerate(classes)]
    return bars, table(heads, *lines)


def _drift(column: Column) -> float | None:
    """From the training rows' mean to the test rows', in standard deviations."""
    train, test = column.mean_by_part.get("train"), column.mean_by_part.get("test")
    return (test - train) / column.std if train is not None and test is not None and column.std else None


def _heights(column: Column) -> tuple[float, ...]:
    counts = column.histogram.counts if column.histogram else ()
    return tuple(many / (max(counts) or 1) for many in counts)


def _day(time: str | None) -> str:
    return time[:16].replace("T", " ") if time else UNKNOWN
