"""Columns and tables that a task names and its files do not have: found from the files' heads, without building."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.data.expressions import check, require
from assay.data.tables import contracts
from assay.data.write import SPLIT
from assay.task.columns import file_columns, row_columns, table_columns
from assay.task.data import CategoryFeature, ColumnFeature, FunctionFeature
from assay.task.finding import Finding, contradiction, warning
from assay.task.sql import names as names_of
from assay.task.sql import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path as Folder

    from assay.task.data import DataSpec, Feature
    from assay.task.positions import Path
    from assay.task.task import Task


def findings(task: Task, project: Folder) -> Iterator[Finding]:
    """What `assay data build` would refuse because of a name or an expression."""
    yield from _sources(task, project)
    yield from _tables(task.data)
    yield from _bars(task, project)
    yield from _joins(task, project)
    rows = row_columns(task, project)
    if rows is not None:
        yield from _rows(task, rows)


def _missing(path: Path, names: tuple[str, ...] | list[str], known: list[str], where: str) -> Iterator[Finding]:
    """A finding for the first name that is not known."""
    try:
        for name in names:
            require(name, known, where)
    except AssayError as error:
        yield contradiction(path, error.what, error.todo)


def _wrong(path: Path, sql: str | None, known: list[str], where: str) -> Iterator[Finding]:
    """A finding for an expression that cannot be evaluated over the known columns."""
    if sql is None or sql in known:
        return
    try:
        check(sql, known, where)
    except AssayError as error:
        yield contradiction(path, error.what, error.todo)


def _sources(task: Task, project: Folder) -> Iterator[Finding]:
    for index, source in enumerate(task.data.sources):
        path, where = ("data", "sources", index), f"[[data.sources]] {source.name}"
        columns = file_columns(source, project)
        if columns is None:
            continue
        yield from _missing((*path, "rename"), list(source.rename), columns, where)
        yield from _missing((*path, "types"), list(getattr(source, "types", {})), columns, where)
        renamed = [source.rename.get(column, column) for column in columns]
        yield from _wrong((*path, "where"), source.where, renamed, where)
        yield from _missing((*path, "key"), source.key, renamed, where)
        if source.time is not None:
            yield from _missing((*path, "time"), [source.time], renamed, where)


def _tables(data: DataSpec) -> Iterator[Finding]:
    known = [source.name for source in data.sources] + [event.name for event in data.events]
    for source in data.sources:
        known += [f"{source.name}.{dataset}" for dataset in getattr(source, "datasets", ())]
    named: list[tuple[Path, str | None]] = [(("data", "table"), data.table)]
    named += [(("data", "joins", index, "table"), join.table) for index, join in enumerate(data.joins)]
    named += [(("data", "checks", index, "table"), check.table) for index, check in enumerate(data.checks)]
    if data.bars is not None:
        named.append((("data", "bars", "table"), data.bars.table))
        named += [(("data", "bars", "columns", i, "table"), one.table) for i, one in enumerate(data.bars.columns)]
    for path, name in named:
        if name is not None and name not in known:
            yield contradiction(path, f'no source or event makes a table "{name}"', f"There are: {', '.join(known)}.")


def _bars(task: Task, project: Folder) -> Iterator[Finding]:
    bars = task.data.bars
    if bars is None:
        return
    main = bars.table or task.data.table or (None if task.data.events else task.data.sources[0].name)
    for index, column in enumerate(bars.columns):
        name = column.table or main
        known = None if name is None else table_columns(task, project, name)
        if known is not None:
            path, where = ("data", "bars", "columns", index), f"[data.bars] {column.name}"
            yield from _wrong((*path, "of"), column.of, known, where)
            yield from _wrong((*path, "where"), column.where, known, where)


def _joins(task: Task, project: Folder) -> Iterator[Finding]:
    for index, join in enumerate(task.data.joins):
        known = table_columns(task, project, join.table)
        if known is not None:
            path, where = ("data", "joins", index), f"[[data.joins]] {join.table}"
            yield from _missing((*path, "on"), join.on, known, where)
            yield from _missing((*path, "columns"), join.columns, known, where)


def _rows(task: Task, rows: list[str]) -> Iterator[Finding]:
    """What is made of the rows, in the order that it is made in."""
    data = task.data
    yield from _split(task, rows)
    if data.time is not None and data.bars is None:
        yield from _missing(("data", "time"), [data.time], rows, "[data] time")
    droppable = [*rows, *(feature.name for feature in data.features)]
    yield from _missing(("data", "drop"), data.drop, droppable, "[data] drop")
    for index, join in enumerate(data.joins):
        yield from _missing(("data", "joins", index, "on"), join.on, rows, f"[[data.joins]] {join.table}")
    known = list(rows)
    for index, feature in enumerate(data.features):
        yield from _feature(feature, ("data", "features", index), known)
        known.append(feature.name)
    yield from _wrong(("data", "label", "of"), data.label.of, known, "[data.label]")
    known.append(task.predict.target)
    if data.split.group is not None:
        yield from _missing(("data", "split", "group"), [data.split.group], known, "[data.split]")
    yield from _checks(data, known)
    yield from _decisions(task, known)


def _split(task: Task, rows: list[str]) -> Iterator[Finding]:
    """Columns called as the dataset calls its own; the target and the features are looked at by the task's room."""
    data, what = task.data, 'a column is called "split", which the dataset calls the part that a row is in'
    todo = 'Call it otherwise: rename = {"split" = "split_"} in its source, and so in the task.'
    named = {"time": [data.time], "keep": data.keep}
    for field, names in named.items():
        if SPLIT in names:
            yield contradiction(("data", field), what, todo)
    if task.existing.column == SPLIT:
        yield contradiction(("existing", "column"), what, todo)
    if SPLIT in rows and not data.features and SPLIT not in data.drop:
        yield warning(("data", "sources"), what, f"{todo} As a feature it is refused.")


def _feature(feature: Feature, path: Path, known: list[str]) -> Iterator[Finding]:
    where = f"the feature {feature.name}"
    if isinstance(feature, FunctionFeature):
        return
    if isinstance(feature, CategoryFeature):
        yield from _missing((*path, "of"), [feature.of or feature.name], known, where)
    elif isinstance(feature, ColumnFeature) and feature.of is None:
        yield from _missing((*path, "name"), [feature.name], known, where)
    else:
        for field in ("of", "buy", "sell", "when"):
            yield from _wrong((*path, field), getattr(feature, field, None), known, where)


def _checks(data: DataSpec, known: list[str]) -> Iterator[Finding]:
    for index, one in enumerate(data.checks):
        if one.table is None:
            where = f"the check of {one.column}"
            yield from _missing(("data", "checks", index, "column"), [one.column], known, where)
            if not contracts.is_named(one.rule):
                yield from _wrong(("data", "checks", index, "rule"), one.rule, known, where)


def _decisions(task: Task, known: list[str]) -> Iterator[Finding]:
    """Columns and functions in the SQL of [existing] and [value], where capital letters are as small ones.

    A column that is kept only because it is named there has to be named as it is written.
    """
    data = task.data
    sure = [*(feature.name for feature in data.features), *data.keep, task.predict.target] if data.features else known
    there = {*known, "split", *(name.lower() for name in [*sure, "split"])}
    for path, text, more in (
        (("existing", "rule"), task.existing.rule, set[str]()),
        (("value", "loss"), task.value.loss, {"y", "prediction"}),
    ):
        tree = None if text is None else parsed(text)
        if tree is None or isinstance(tree, str):
            continue
        for parts in names_of(tree):
            if not {*parts, *(part.lower() for part in parts)} & (there | more):
                yield from _missing(path, [parts[-1]], known, f"the {path[1]}")
                break
        else:
            spoken = {parts[-1] for parts in names_of(tree)}
            yield from _wrong(path, text, sorted(spoken), f"the {path[1]}")
