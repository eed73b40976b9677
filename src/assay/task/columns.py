"""Names in the task that nothing provides: targets, features, files, functions."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from assay.core import files, paths
from assay.core.errors import AssayError
from assay.task import guess
from assay.task.dialect import dialect_of
from assay.task.finding import Finding, contradiction
from assay.task.read import nearest
from assay.task.sources import CsvSource, ParquetSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from assay.task.sources import Source
    from assay.task.task import Task

_RENAME = 'Call it otherwise: rename = {"split" = "split_"} in its source, and so in the task.'
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z")


def check_columns(task: Task, project: Path) -> Iterator[Finding]:
    """Everything the task names and neither the task nor its files provide."""
    yield from _files(task, project)
    yield from _functions(task, project)
    yield from _target(task)
    yield from _entity(task, project)
    known = _known(task, project)
    if known is not None:
        yield from _absent(task, known)


def _target(task: Task) -> Iterator[Finding]:
    target = task.predict.target
    if target == "split":
        yield contradiction(("predict", "target"), 'the dataset calls the part that a row is in "split"', _RENAME)
    for index, feature in enumerate(task.data.features):
        of = getattr(feature, "of", None) or feature.name
        if feature.name == "split":
            what = 'the dataset calls the part that a row is in "split"'
            yield contradiction(("data", "features", index, "name"), what, "Give it another name.")
        if feature.op == "column" and target in {feature.name, of} and target not in task.data.trusted:
            yield contradiction(
                ("data", "features", index), f"the feature {feature.name} is the target itself", "Remove it."
            )
    if target in task.data.drop:
        yield contradiction(("data", "drop"), f"it drops the target {target}", "Take it out of the list.")


def _files(task: Task, project: Path) -> Iterator[Finding]:
    for index, source in enumerate(task.data.sources):
        if isinstance(source, CsvSource | ParquetSource) and not _exists(project, source.path):
            yield contradiction(
                ("data", "sources", index, "path"),
                f"there is no {paths.place(project, source.path)!s:.200}",
                "Check the path.",
            )
    for index, event in enumerate(task.data.events):
        if event.abi is not None and not (project / event.abi).is_file():
            yield contradiction(
                ("data", "events", index, "abi"), f"there is no file {project / event.abi}", "Check the path."
            )


def _exists(project: Path, path: str) -> bool:
    try:
        return paths.exists(paths.place(project, path)) or bool(paths.matching(project, path)[0])
    except (OSError, ValueError):  # a name that no file can have, or a pattern that is none
        return False


def _functions(task: Task, project: Path) -> Iterator[Finding]:
    wanted: list[tuple[tuple[str | int, ...], str | None]] = [(("existing", "function"), task.existing.function)]
    wanted += [
        (("data", "features", index, "function"), getattr(feature, "function", None))
        for index, feature in enumerate(task.data.features)
    ]
    for path, written in wanted:
        if written is not None and (problem := _function_problem(project, written)):
            yield contradiction(path, problem, "Write the function, or correct the name.")


def _function_problem(project: Path, written: str) -> str | None:
    name, _, function = written.partition(":")
    try:
        tree = ast.parse(files.read(project / name))
    except AssayError as error:
        return error.what
    except (SyntaxError, ValueError) as error:
        return f"{project / name} is no Python ({error})"
    defined = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if function in defined:
        return None
    return f"{project / name} has no function {function}. {nearest(function, defined)}".strip()


def _known(task: Task, project: Path) -> set[str] | None:
    """Columns that the rows have once features are made; None if only reading the data would tell."""
    found = row_columns(task, project)
    if found is None:
        return None
    return {*found, *(feature.name for feature in task.data.features), task.data.time or "time"}


def row_columns(task: Task, project: Path) -> list[str] | None:
    """Columns that the rows have before features are made; None if only reading the data would tell."""
    data = task.data
    if data.bars is not None:
        bars = [*data.bars.names, data.time or "time", "block_number"]
        found: list[str] | None = [*bars, data.entity] if data.entity else bars
    elif data.events and data.table is None:
        found = None
    else:
        found = table_columns(task, project, data.table or data.sources[0].name)
    for join in data.joins:
        others = table_columns(task, project, join.table)
        if found is None or others is None:
            return None
        found = [*found, *(name for name in join.columns or others if name not in found)]
    return found


def target_classes(task: Task, project: Path) -> list[float] | None:
    """The classes as the existing process may answer them: the target's own numbers, or 0 to K-1 for names.

    None if only building the dataset would tell.
    """
    data, target = task.data, task.predict.target
    if data.label.edges:
        return [float(number) for number in range(len(data.label.edges) + 1)]
    source = data.sources[0]
    plain = len(data.sources) == 1 and not data.events and data.bars is None and data.label.op == "column"
    if not plain or data.label.of is not None or source.rename or source.where is not None:
        return None
    rows = file_rows(source, project)
    if rows is None or target not in rows.columns:
        return None
    values = rows.head[target].drop_nulls()
    if not values.dtype.is_numeric():
        return [float(number) for number in range(values.n_unique())]
    return [float(value) for value in values.unique().sort()]


def _entity(task: Task, project: Path) -> Iterator[Finding]:
    """The column that tells series apart is one of the source's, also where bars are made of it."""
    data = task.data
    if data.entity is None or len(data.sources) + len(data.events) != 1:
        return
    columns = table_columns(task, project, data.sources[0].name)
    if columns is not None:
        yield from _one(("data", "entity"), data.entity, set(columns))


def table_columns(task: Task, project: Path, name: str) -> list[str] | None:
    """Columns of a source's table as the rest of the task names them; None if only reading it would tell."""
    source = next((source for source in task.data.sources if source.name == name), None)
    columns = None if source is None else file_columns(source, project)
    return None if source is None or columns is None else [source.rename.get(column, column) for column in columns]


def file_columns(source: Source, project: Path) -> list[str] | None:
    """Columns of a source's first file; None if it is no file, or cannot be read: building the dataset says why."""
    rows = file_rows(source, project)
    return None if rows is None else rows.columns


def file_rows(source: Source, project: Path) -> guess.Rows | None:
    """The first rows of a source's first file; None as for `file_columns`."""
    if not isinstance(source, CsvSource | ParquetSource):
        return None
    found = _first_file(project, source)
    try:
        if found is None:
            return None
        if isinstance(source, CsvSource):
            return guess.look(str(found), dialect=dialect_of(source), missing=source.missing)
        return guess.look(str(found))
    except AssayError:
        return None


def _first_file(project: Path, source: CsvSource | ParquetSource) -> Path | None:
    try:
        place = paths.place(project, source.path)
        if place.is_dir():
            return next(iter(sorted(place.rglob(f"*.{source.kind}"))), None)
        return place if place.is_file() else next(iter(paths.matching(project, source.path)[0]), None)
    except (OSError, ValueError):
        return None


def _absent(task: Task, known: set[str]) -> Iterator[Finding]:
    label = task.data.label
    if label.op == "column" and label.of is None:
        yield from _one(("predict", "target"), task.predict.target, known)
    made = known | {task.predict.target}
    if task.existing.column is not None:
        yield from _one(("existing", "column"), task.existing.column, made)
    for name in task.data.keep:
        yield from _one(("data", "keep"), name, made)
    for index, feature in enumerate(task.data.features):
        of = getattr(feature, "of", None)
        if of is None and feature.op in {"column", "category"}:
            # The feature's own name is in `known` because of itself.
            continue
        if of is not None and _IDENTIFIER.match(of):
            yield from _one(("data", "features", index, "of"), of, known)
    if label.of is not None and _IDENTIFIER.match(label.of):
        yield from _one(("data", "label", "of"), label.of, known)


def _one(path: tuple[str | int, ...], name: str, known: set[str]) -> Iterator[Finding]:
    if name not in known:
        guessed = nearest(name, sorted(known))
        shown = ", ".join(sorted(known)[:20])
        yield contradiction(path, f'nothing provides a column "{name}"', f"{guessed} There is {shown}.".strip())
