"""`build`: from a task to a `Dataset`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files
from assay.core.errors import AssayError
from assay.core.hashing import digest
from assay.data import columns as columns_of
from assay.data import rows as rows_of
from assay.data.dataset.dataset import Dataset
from assay.data.dataset.manifest import LeftOut
from assay.data.errors import SettingsUnfit, TooFewRows
from assay.data.expressions import require
from assay.data.features import features, functions, leakage, onchain, sequences, series
from assay.data.opened import open_tables
from assay.data.tables import contracts, quality, repeats
from assay.data.targets import labels, splits
from assay.data.write import SPLIT, Finished, write
from assay.task.check import Check, check_series, check_windows
from assay.task.data import FunctionFeature
from assay.task.errors import TaskContradiction
from assay.task.read import written
from assay.task.task import TASK_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

    from assay.task.data import Feature
    from assay.task.task import Task


@dataclass(frozen=True)
class Place:
    """The project's folder and the dataset's."""

    project: Path
    out: Path


def build(
    task: Task,
    project: str | Path,
    out: str | Path,
    progress: Callable[[str], None] | None = None,
    *,
    ray: str | None = None,
) -> Dataset:
    """Build the dataset of a task.

    The same inputs give the same files, byte for byte; if `out` holds them already, nothing is done.

    Parameters
    ----------
    task
        The task.
    project
        Its folder: relative paths and functions are found there.
    out
        Folder to write; a dataset that is there stays until the new one is whole beside it.
    progress
        Is told what happens next.
    ray
        Address of a Ray cluster that collects what chains have, decodes it and gathers it into bars, by ranges of
        blocks; the dataset is the same.

    Raises
    ------
    DataError
        If the data cannot be had or used; the message says what and where.
    TaskContradiction
        If the task says of series what cannot be.
    StorageError
        If a file cannot be read or written.
    """
    step = progress or (lambda _: None)
    place, folder = Path(project), Path(out)
    _refuse_contradictions(task, place)
    with files.scratch() as work:
        tables = open_tables(task, place, work, step, ray=ray)
        inputs = inputs_hash(task, place, {name: table.digest for name, table in tables.items()})
        kept = _kept(folder, inputs)
        if kept is not None:
            step("Nothing has changed")
            return kept
        rows = rows_of.make(task, place, work, tables, step, ray=ray)
        return _finish(task, Place(place, folder), rows, inputs, step)


def _refuse_contradictions(task: Task, project: Path) -> None:
    """Say before anything is read what the task says of series and windows and cannot be; with the line, if any."""
    findings = [*check_series(task), *check_windows(task)]
    if findings and (project / TASK_FILE).is_file():
        Check(project / TASK_FILE, task, findings).require()
    for found in findings:
        raise TaskContradiction(f"{written(found.path)}: {found.what}", found.todo)


def _kept(folder: Path, inputs: str) -> Dataset | None:
    try:
        found = Dataset.load(folder)
        found.profile()
    except (AssayError, ValueError):
        return None
    return found if found.manifest.inputs_hash == inputs else None


def _finish(task: Task, home: Place, rows: rows_of.Rows, inputs: str, step: Callable[[str], None]) -> Dataset:
    data, target = task.data, task.predict.target
    specs = columns_of.specs(task, rows)
    columns_of.refuse_times(task, rows)
    rows.notes += [*columns_of.fills(task, rows), *columns_of.names(task, rows, specs)]
    quality.refuse_split(_named(task, rows, specs))
    step("Making features")
    made = features.make(rows.frame, specs, time=rows.time, project=home.project, entity=rows.entity)
    if rows.time is not None and any(isinstance(spec, FunctionFeature) for spec in specs):
        step("Checking that no feature sees the future")
        leakage.refuse(
            leakage.future(rows.frame, made, specs, time=rows.time, project=home.project, entity=rows.entity)
        )
    onchain.hold(made.frame, data, rows.time)
    made = replace(made, names=[name for name in made.names if name not in data.drop])
    if specs and not made.names:
        raise SettingsUnfit("[data] drop leaves no feature", "Take one out of the list.")
    frame = _labelled(task, rows, made)
    exact = frame
    rows.left_out += [
        LeftOut(what=f"digits of the feature {name}", count=many, reason=quality.TOO_WIDE)
        for name, many in quality.too_wide(frame, made.names).items()
    ]
    frame = quality.typed(frame, made.names)
    if data.window > 1:
        frame = _in_windows(frame, made.names, data.window, rows)
    frame, classes = quality.coded(frame, target, task.predict.type)
    names = _varied(frame, made.names, rows, {spec.name for spec in data.features}, exact)
    step("Splitting")
    frame = _split(frame, task, rows, classes=bool(classes))
    if classes:
        quality.refuse_one_class(frame, target, classes)
    step("Looking for leaks")
    _look_for_copies(frame.filter(frame[SPLIT].is_not_null()), [*names, target], task, rows)
    train = frame.filter(frame[SPLIT] == "train")
    leakage.refuse(leakage.target(train, names, target, classes=len(classes), trusted=data.trusted))
    keep = _keep(task, frame, names, rows)
    columns = list(dict.fromkeys([*([rows.time] if rows.time else []), *keep, *names, target, SPLIT]))
    step("Writing the dataset")
    finished = Finished(frame.select(columns), names, keep, classes, made.units)
    return write(finished, task, rows, home.out, inputs=inputs, code=code_hash(task, home.project))


def _named(task: Task, rows: rows_of.Rows, specs: Sequence[Feature]) -> list[str | None]:
    """The columns that the dataset is to have, but for those that expressions name."""
    data = task.data
    others = [task.predict.target, rows.time, data.split.group, task.existing.column]
    return [*others, *data.keep, *(spec.name for spec in specs)]


def _labelled(task: Task, rows: rows_of.Rows, made: features.Made) -> pl.DataFrame:
    """The rows that have full windows and a label, and keep the contracts of the label."""
    data, entity = task.data, rows.entity
    frame = labels.make(series.together(made.frame, entity), data.label, task.predict.target, entity)
    if entity is not None and rows.time is not None:
        frame = frame.with_columns(series.known(rows.time, entity, data.label.reach, data.window))
    if data.window > 1:
        frame = frame.with_columns(sequences.place(entity))
    frame = series.in_time(_trimmed(frame, made.lookback, task, rows), rows.time, entity)
    late = [check for check in data.checks if check.table is None and check.column not in rows.frame.columns]
    frame = contracts.apply(frame, late, table="the rows", quarantine=rows.quarantine, entity=entity)
    if not frame.height:
        raise TooFewRows("no row has both features and a label", "Collect more, or shorten windows and horizon.")
    return frame


def _varied(
    frame: pl.DataFrame, names: list[str], rows: rows_of.Rows, listed: set[str], exact: pl.DataFrame
) -> list[str]:
    """The features that are not constant: those that the task lists must not be, others are left out.

    A listed one that `exact` has several values of, and float32 only one, is kept and said to be of no use.
    """
    quality.refuse_constants(exact, [name for name in names if name in listed])
    for name in quality.constants(frame, [name for name in names if name in listed]):
        count = exact[name].n_unique()
        reason = f"float32 does not tell its values apart: of {count} one is left; subtract what they share"
        rows.left_out.append(LeftOut(what=f"values of {name}", count=count - 1, reason=reason))
    constant = [name for name in quality.constants(frame, names) if name not in listed]
    rows.left_out += [LeftOut(what=f"column {name}", count=1, reason="it has one value only") for name in constant]
    names = [name for name in names if name not in constant]
    if not names:
        left = ", ".join(f"{one.what} ({one.reason})" for one in rows.left_out[:6])
        raise SettingsUnfit(
            f"there are no features{f'; left out: {left}' if left else ''}",
            "List [[data.features]], or give the data columns of numbers.",
        )
    return names


def _trimmed(frame: pl.DataFrame, lookback: int, task: Task, rows: rows_of.Rows) -> pl.DataFrame:
    """Without each series' first rows, whose windows are not full, and its last, whose labels see beyond the end.

    Of a ready-made label, those of the last rows that are there are left as they are.
    """
    import polars as pl

    label = task.data.label
    full = frame.filter(series.before(rows.entity) >= lookback)
    known = series.after(rows.entity) >= label.reach
    if label.op == "column":
        known |= pl.col(task.predict.target).is_not_null()
    labelled = full.filter(known)
    if before := frame.height - full.height:
        rows.left_out.append(LeftOut(what="rows", count=before, reason="the features' windows are not full yet"))
    if after := full.height - labelled.height:
        rows.left_out.append(LeftOut(what="rows", count=after, reason="their label sees beyond the last row"))
    return labelled


def _split(frame: pl.DataFrame, task: Task, rows: rows_of.Rows, *, classes: bool) -> pl.DataFrame:
    import polars as pl

    data = task.data
    timed, reach = rows.time is not None, data.label.reach
    # Bars of one moment, and logs of one block, have an order of their own.
    whole = rows.entity is not None or "times" in data.may_repeat
    if data.split.stratify and not classes:
        raise SettingsUnfit("[data.split] stratify: a regression has no classes to stratify by", "Remove it.")
    full = sequences.whole(frame, data.window, rows.entity)
    _say_windows(frame, full, task, rows)
    own = frame.filter(full)
    parts = splits.split(
        own,
        data.split,
        timed=timed,
        target=task.predict.target,
        classes=classes,
        reach=reach,
        time=rows.time if whole else None,
        entity=rows.entity,
        window=data.window,
    )
    if count := parts.null_count():
        rows.left_out.append(LeftOut(what="rows", count=count, reason="embargo between the parts"))
    if data.window == 1:
        return frame.with_columns(parts.alias(SPLIT)).filter(pl.col(SPLIT).is_not_null())
    # Rows of no part stay where windows hold them.
    every = np.full(frame.height, None, dtype=object)
    every[full] = parts.to_list()
    split = pl.Series(SPLIT, every.tolist(), dtype=pl.String)
    there = split.is_not_null().to_numpy()
    held = sequences.seen(frame, there, data.window, rows.entity)
    if rows.time is not None:
        many, step = sequences.gaps(frame, there, data.window, rows.time, rows.entity)
        if many:
            rows.notes.append(f"{many} of {int(there.sum())} windows span a gap: rows are usually {step} apart")
    return frame.with_columns(split).filter(held)


def _in_windows(frame: pl.DataFrame, names: list[str], window: int, rows: rows_of.Rows) -> pl.DataFrame:
    """Refuse windows of too many numbers; whole numbers that float32 does not hold are rounded to it, and named."""
    if len(names) * window > sequences.MOST_NUMBERS:
        raise SettingsUnfit(
            f"[data] window: {window} rows of {len(names)} features are {window * len(names)} numbers, and a proof "
            f"reads {sequences.MOST_NUMBERS}",
            "Shorten the window, or list fewer features.",
        )
    frame, rounded = quality.rounded(frame, names)
    rows.left_out += [
        LeftOut(what=f"digits of the feature {name}", count=many, reason=quality.IN_WINDOWS)
        for name, many in rounded.items()
    ]
    return frame


def _say_windows(frame: pl.DataFrame, whole: np.ndarray[Any, Any], task: Task, rows: rows_of.Rows) -> None:
    """Name the rows that have no whole window, and refuse to go on without any that has."""
    window = task.data.window
    if whole.all():
        return
    if not whole.any():
        raise TooFewRows(
            f"no row has a window of {window} rows before it ([data] window)", "Collect more, or shorten the window."
        )
    first = frame.select(series.before(rows.entity) < window - 1).to_series().to_numpy()
    for these, reason in (
        (first & ~whole, f"the window of {window} rows is not full yet"),
        (~first & ~whole, f"the window of {window} rows holds one that was set aside"),
    ):
        if count := int(these.sum()):
            rows.left_out.append(LeftOut(what="rows", count=count, reason=reason))


def _look_for_copies(frame: pl.DataFrame, columns: list[str], task: Task, rows: rows_of.Rows) -> None:
    """Refuse copies of training rows among those that validate and test, unless the task says that there may be."""
    copies, judged, by_chance = repeats.copied(frame, columns, split=SPLIT)
    if not copies:
        return
    what = f"{copies} of {judged} rows that validate and test are training rows as well, label included"
    what += ", as chance alone makes rows of so few values" * by_chance
    if by_chance or "rows" in task.data.may_repeat:
        rows.notes.append(what)
    else:
        leakage.refuse([leakage.Leak("", "copies", what)])


def _keep(task: Task, frame: pl.DataFrame, names: list[str], rows: rows_of.Rows) -> list[str]:
    """Columns beside the features: those listed, those that tell rows apart, and those that the task names."""
    data, target = task.data, task.predict.target
    for name in data.keep:
        require(name, frame.columns, "[data] keep")
    spoken = " ".join(filter(None, (task.existing.column, task.existing.rule, task.value.loss)))
    named = [name for name in frame.columns if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", spoken)]
    chain = ["block_number"] if "block_number" in frame.columns and "block_number" not in names else []
    apart = [name for name in (rows.entity, data.split.group) if name]
    wanted = dict.fromkeys([*chain, *apart, *data.keep, *named])
    return [name for name in wanted if name not in {*names, target, rows.time}]


def inputs_hash(task: Task, project: Path, sources: dict[str, str]) -> str:
    """SHA-256 of all that determines a dataset's content."""
    said = {
        "data": task.data.model_dump(
            mode="json", exclude={"sources": {"__all__": {"rpc", "url", "headers", "requests_per_second"}}}
        ),
        "predict": task.predict.model_dump(mode="json"),
        "name": task.name,
        "named": [task.existing.column, task.existing.rule, task.value.loss],
        "sources": sources,
        "code": code_hash(task, project),
    }
    return digest(json.dumps(said, sort_keys=True).encode())


def code_hash(task: Task, project: Path) -> str:
    """SHA-256 of this room's files and, where features are functions, of the project's own: each may import others."""
    here = Path(__file__).parent
    own = sorted(here.rglob("*.py"))
    hashes = [f"{path.relative_to(here).as_posix()} {digest(path.read_bytes())}" for path in own]
    called = {spec.function.rpartition(":")[0] for spec in task.data.features if isinstance(spec, FunctionFeature)}
    if called:
        called |= {path.relative_to(project).as_posix() for path in functions.code_files(project)}
    hashes += [f"{name} {digest(files.read(project / name))}" for name in sorted(called)]
    hashes += [f"{event.abi} {digest(files.read(project / event.abi))}" for event in task.data.events if event.abi]
    return digest("\n".join(hashes).encode())
