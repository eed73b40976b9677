"""Names in the task that nothing provides: targets, features, files, functions."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core import files
from assay.core.errors import AssayError
from assay.task import guess
from assay.task.data import CsvSource, ParquetSource
from assay.task.finding import Finding, contradiction
from assay.task.read import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from assay.task.task import Task

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
    for index, feature in enumerate(task.data.features):
        of = getattr(feature, "of", None) or feature.name
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
                ("data", "sources", index, "path"), f"there is no {project / source.path}", "Check the path."
            )
    for index, event in enumerate(task.data.events):
        if event.abi is not None and not (project / event.abi).is_file():
            yield contradiction(
                ("data", "events", index, "abi"), f"there is no file {project / event.abi}", "Check the path."
            )


def _exists(project: Path, path: str) -> bool:
    if (project / path).exists():
        return True
    try:
        return next(project.glob(path), None) is not None
    except (NotImplementedError, ValueError):  # a pattern that is absolute
        absolute = Path(path)
        return next(Path(absolute.anchor).glob(str(absolute.relative_to(absolute.anchor))), None) is not None


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
    """Columns that the rows have before features are made; None if only reading the data would tell."""
    data = task.data
    if data.joins or any(feature.op == "function" for feature in data.features):
        return None
    if data.bars is not None:
        columns = {column.name for column in data.bars.columns} | {"time", "block_number"}
        columns |= {data.entity} if data.entity else set()
    elif len(data.sources) + len(data.events) != 1 or (found := _of_source(task, project)) is None:
        return None
    else:
        columns = found
    return columns | {feature.name for feature in data.features} | {task.data.time or "time"}


def _entity(task: Task, project: Path) -> Iterator[Finding]:
    """The column that tells series apart is one of the source's, also where bars are made of it."""
    data = task.data
    if data.entity is None or len(data.sources) + len(data.events) != 1:
        return
    columns = _of_source(task, project)
    if columns is not None:
        yield from _one(("data", "entity"), data.entity, columns)


def _of_source(task: Task, project: Path) -> set[str] | None:
    source = task.data.sources[0]
    if not isinstance(source, CsvSource | ParquetSource):
        return None
    if isinstance(source, CsvSource) and source.delimiter != ",":
        return None
    try:
        columns = guess.look(str(project / source.path)).columns
    except AssayError:
        return None  # a folder, a pattern or a damaged file: building the dataset says which
    return {source.rename.get(name, name) for name in columns}


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
