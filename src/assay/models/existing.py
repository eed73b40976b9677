"""The existing process as a candidate: a constant, a column, an SQL rule or the project's own function.

For metrics that judge probabilities, a process that only answers yes or no (or a class) is read as the share
of each class that followed its answer in the training rows: the best forecast that its answer carries.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from assay.core import files
from assay.data.errors import DataError, FunctionFailed
from assay.data.expressions import evaluated, wide
from assay.data.features import functions
from assay.data.features.series import named
from assay.models.errors import ExistingFailed
from assay.models.families import history
from assay.models.families.family import Family, Fitted, Params

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from assay.models.rows import Kind, Problem, Rows
    from assay.task.sections import Existing

    Floats = NDArray[np.float64]

FILE = "existing.json"
_SMOOTHING = 1.0
_ANSWER = "\x00answer"


class FittedExisting(Fitted):
    """The existing process with what its answers were worth in the training rows."""

    def __init__(self, problem: Problem, project: Path, shares: list[list[float]] | None) -> None:
        self._problem = problem
        self._project = project
        self.shares = shares

    def predict(self, rows: Rows, start: int = 0) -> Floats:
        """What it decides."""
        answers = decide(self._problem, rows.frame[start:], self._project)
        return (
            np.eye(self._problem.classes)[answers.astype(np.int64)] if self._problem.kind == "multiclass" else answers
        )

    def probability(self, rows: Rows, start: int = 0) -> Floats:
        """The shares of the classes that followed such answers."""
        answers = decide(self._problem, rows.frame[start:], self._project)
        if self.shares is None or not _hard(self._problem, answers):
            return self.predict(rows, start)
        found = np.array(self.shares)[answers.astype(np.int64)]
        return found[:, 1] if self._problem.kind == "binary" else found

    def save(self, folder: Path) -> str:
        """Write what the answers were worth; the process itself is in the task."""
        files.write(folder / FILE, json.dumps({"shares": self.shares}) + "\n")
        return FILE


class ExistingProcess(Family):
    """What decides today."""

    name: ClassVar[str] = "existing"
    title: ClassVar[str] = "existing process"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression", "binary", "multiclass"})
    provable: ClassVar[bool] = False
    searched: ClassVar[bool] = False

    def __init__(self, project: Path = Path()) -> None:
        self._project = project

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedExisting:
        """Run it on the training rows."""
        del params, seed
        answers = decide(problem, rows.frame, self._project)
        shares = None
        if problem.kind != "regression" and _hard(problem, answers):
            shares = _shares(answers.astype(np.int64), rows.y.astype(np.int64), problem.classes)
        return FittedExisting(problem, self._project, shares)

    def load(self, path: Path, problem: Problem) -> FittedExisting:
        """Read what the answers were worth."""
        return FittedExisting(problem, self._project, history.load(path, {"shares"})["shares"])


def decide(problem: Problem, frame: pl.DataFrame, project: Path) -> Floats:
    """Run the existing process: one number a row, in the target's units; a class as 0..K-1.

    Raises
    ------
    ExistingFailed
        It does not run, or does not give one finite number (or one known class) for each row.
    """
    process = problem.existing
    answers = _one_a_row(process, _answers(process, frame, project, problem.entity), frame.height)
    numbers = _numbers(problem, answers)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        raise _failed(
            process, f"row {wrong[0]} has no finite answer ({len(wrong)} rows)", "Let it answer for each row."
        )
    _require_range(problem, numbers)
    return numbers


def _one_a_row(process: Existing, answers: Any, rows: int, of: str = "") -> Any:
    found = np.asarray(answers)
    if found.shape != (rows,):
        raise _failed(process, f"it gave {found.shape or 'one value'} for {rows} rows{of}", "Return one a row.")
    return found


def _answers(process: Existing, frame: pl.DataFrame, project: Path, entity: str | None) -> Any:
    if process.kind == "constant":
        return np.full(frame.height, process.value)
    if process.kind == "column":
        if process.column not in frame.columns:
            raise _failed(process, f"there is no column {process.column}", _near(str(process.column), frame.columns))
        return wide.plain(frame[process.column])
    if process.kind == "rule":
        return _rule(process, frame)
    return _called(process, frame, project, entity)


def _rule(process: Existing, frame: pl.DataFrame) -> Any:
    try:
        found = evaluated(frame, {_ANSWER: str(process.rule)}, "[existing] rule")[_ANSWER]
    except DataError as error:
        raise _failed(process, error.what, error.todo or "Correct [existing] rule in task.toml.") from None
    return wide.plain(found)


def _called(process: Existing, frame: pl.DataFrame, project: Path, entity: str | None) -> Any:
    try:
        function = functions.load(str(process.function), project, "[existing] function")
    except FunctionFailed as error:
        raise _failed(process, error.what, error.todo) from error
    places = _places(process, frame, entity)
    try:
        answers = [function(frame if own is None else frame[own]) for own in places]
    except (Exception, SystemExit) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise _failed(process, f"{what:.200}", f"Repair {process.function}.") from error
    if entity is None:
        return answers[0]
    found = [
        _one_a_row(process, answer, len(own), f" of {named(entity, frame[entity][int(own[0])])}")
        for answer, own in zip(answers, places, strict=True)
    ]
    return np.concatenate(found)[np.argsort(np.concatenate(places))]


def _places(process: Existing, frame: pl.DataFrame, entity: str | None) -> list[Any]:
    """The numbers of each series' rows: what a function takes from the row before is then of one series."""
    if entity is None:
        return [None]
    if entity not in frame.columns:
        raise _failed(process, f"there is no column {entity}", _near(entity, frame.columns))
    numbered = frame.select(entity).with_row_index("\x00row").partition_by(entity, maintain_order=True)
    return [part["\x00row"].to_numpy() for part in numbered]


def _numbers(problem: Problem, answers: Any) -> Floats:
    """Answers as doubles; classes, by the values or names that the target has, as their numbers."""
    if answers.dtype.kind == "b":
        return np.asarray(answers, dtype=np.float64)
    if answers.dtype.kind in "iuf":
        return _codes(problem, np.asarray(answers, dtype=np.float64))
    places = {label: float(index) for index, label in enumerate(problem.labels)}
    found = []
    for row, answer in enumerate(answers.tolist()):
        try:
            found.append(places[str(answer)] if str(answer) in places else float(answer))
        except (TypeError, ValueError):
            what = f"row {row} has the answer {str(answer)[:40]!r}, which is no number"
            raise _failed(problem.existing, what, "Let it give a number for each row.") from None
    return np.array(found, dtype=np.float64)


def _codes(problem: Problem, answers: Floats) -> Floats:
    """Answers in the target's own values, such as classes 1 and 2, as the numbers of the classes, 0 and 1."""
    try:
        values = [float(label) for label in problem.labels]
    except ValueError:
        return answers  # the classes have names, and so the answers are their numbers
    if values == list(range(len(values))):
        return answers
    given, places = np.unique(answers, return_inverse=True)
    codes = {value: float(number) for number, value in enumerate(values)}
    strange = [float(value) for value in given if value not in codes and not _probability(problem, value)]
    if strange:
        listed = ", ".join(problem.labels)
        raise _failed(problem.existing, f"it answered {strange[0]:g}", f"Let it give one of the classes: {listed}.")
    return np.array([codes.get(value, value) for value in given.tolist()], dtype=np.float64)[places]


def _probability(problem: Problem, value: float) -> bool:
    return problem.kind == "binary" and bool(np.isnan(value) or 0 <= value <= 1)


def _require_range(problem: Problem, numbers: Floats) -> None:
    if problem.kind == "regression":
        return
    top = 1.0 if problem.kind == "binary" else problem.classes - 1.0
    whole = problem.kind == "multiclass"
    odd = (numbers < 0) | (numbers > top) | (whole & (numbers != np.rint(numbers)))
    if odd.any():
        what = f"a class, 0 to {top:.0f}" if whole else "a probability or a class, 0 to 1"
        raise _failed(problem.existing, f"it answered {numbers[odd][0]:g}", f"Let it give {what}.")


def _hard(problem: Problem, answers: Floats) -> bool:
    return problem.kind == "multiclass" or bool(np.isin(answers, (0.0, 1.0)).all())


def _shares(answers: NDArray[np.int64], y: NDArray[np.int64], classes: int) -> list[list[float]]:
    """For each answer the share of each class among the rows it was given on; unseen ones are smoothed."""
    counts = np.zeros((classes, classes))
    np.add.at(counts, (answers, y), 1.0)
    prior = np.bincount(y, minlength=classes) / len(y)
    shares = (counts + _SMOOTHING * prior) / (counts.sum(axis=1, keepdims=True) + _SMOOTHING)
    return [[float(share) for share in row] for row in shares]


def _near(name: str, columns: list[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, columns, n=1)
    listed = ", ".join(columns[:20])
    return f'Did you mean "{found[0]}"?' if found else f"There are {listed}; others are kept with [data] keep."


def _failed(process: Existing, what: str, todo: str) -> ExistingFailed:
    return ExistingFailed(f"the existing process ({process.kind}) cannot be executed: {what}", todo)
