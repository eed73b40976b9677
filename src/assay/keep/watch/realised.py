"""The loss of single rows, in the terms that the task's metric is the mean of, and what the decision promised of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.models.metrics import OF_PROBABILITIES, classes_of, least_of_qlike
from assay.models.terms import terms

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from assay.models.rows import Problem
    from assay.task.task import Task
    from assay.transpile.circuit.answers import Answers

    Floats = NDArray[np.float64]

_Z = 1.645
WORDS = {
    "rmse": "squared error",
    "mae": "absolute error",
    "qlike": "QLIKE",
    "log_loss": "log loss",
    "brier": "Brier score",
    "accuracy": "share of wrong answers",
}


@dataclass(frozen=True)
class Promise:
    """What the decision said the loss would be: its value on the test rows, and where it lies; in a row's terms."""

    loss: float
    low: float
    high: float


def measure(task: Task) -> str:
    """What each row's loss is: the task's metric, or the log loss where no row has a share in that (F1, AUC)."""
    return task.metric if task.metric in {"value", *WORDS} else "log_loss"


def unit(task: Task) -> str:
    """The same in words."""
    return (task.value.unit or "loss") if measure(task) == "value" else WORDS[measure(task)]


def losses(
    task: Task, problem: Problem, answers: Answers, *, margins: Floats, y: Floats, frame: pl.DataFrame
) -> Floats:
    """(rows,): the loss of a model's answers, NaN where a row has none; raises `LossFailed`.

    Parameters
    ----------
    margins
        (rows, outputs): what proofs show.
    frame
        The rows' columns, for the user's own loss.
    """
    return rows_of(task, problem, stated(problem, answers, margins), y, frame)


def rows_of(task: Task, problem: Problem, said: Floats, y: Floats, frame: pl.DataFrame) -> Floats:
    """The same of predictions: values, probabilities of class 1, or (rows, classes)."""
    if not len(y):
        return np.zeros(0)
    metric = measure(task)
    if metric == "qlike":
        floor = least_of_qlike(y)
        ratio = (np.maximum(y, floor) / np.maximum(said, floor)) ** 2
        return np.asarray(ratio - np.log(ratio) - 1)
    found = terms(metric, y, said, frame, probability=said, loss=problem.loss).rows
    if metric == "value":
        return np.where(found[:, 1] > 0, found[:, 0], np.nan)
    return 1.0 - found[:, 0] if metric == "accuracy" else np.asarray(found[:, 0])


def stated(problem: Problem, answers: Answers, margins: Floats) -> Floats:
    """What the model answers, in the target's units: (rows,), or (rows, classes)."""
    if problem.kind == "regression":
        return np.asarray(answers.values(margins)[:, 0])
    shares = answers.probabilities(margins)
    if shares is None:
        shares = np.eye(problem.classes)[answers.numbers(margins)]
    return np.asarray(shares[:, 1]) if problem.kind == "binary" else shares


def left_over(problem: Problem, said: Floats, y: Floats) -> Floats:
    """(rows, classes - 1 or more): what happened less its probability; of two classes, of the second."""
    if said.ndim == 1:
        return np.asarray((y - said)[:, np.newaxis])
    return np.asarray(np.eye(problem.classes)[y.astype(np.int64)] - said)


def judges_probabilities(task: Task) -> bool:
    """Whether the loss asks for probabilities, which a process that only says a class has none of."""
    return measure(task) in OF_PROBABILITIES


def hits(said: Floats, y: Floats) -> float:
    """The share of right classes."""
    return float((classes_of(said) == y).mean()) if len(y) else math.nan


def promise(task: Task, decision: dict[str, Any], test: Floats, inflation: float) -> Promise | None:
    """What the decision promised of the mean loss; None if neither it nor the test rows say.

    Parameters
    ----------
    test
        (test rows,): losses by the private part, empty where that is absent; for metrics whose interval the decision
        does not have.
    inflation
        Test rows that tell as much as one.
    """
    row: dict[str, Any] = next((one for one in decision["rows"] if one["id"] == decision["chosen"]), {})
    metric, name = task.metric, measure(task)
    said = row.get("test", {}).get(name)
    found = ((row.get("evidence") or {}).get("metrics") or {}).get(name) if name == metric else None
    if said is not None and found is not None:
        ends = sorted(_term(name, value) for value in (found["low"], found["high"]))
        return Promise(_term(name, said), *ends)
    known = test[~np.isnan(test)]
    if len(known) < 2:
        return None
    mean, half = float(known.mean()), _Z * float(known.std(ddof=1)) * math.sqrt(inflation / len(known))
    return Promise(mean, mean - half, mean + half)


def _term(metric: str, value: float) -> float:
    """A metric as the mean of its rows' terms."""
    return value**2 if metric == "rmse" else 1.0 - value if metric == "accuracy" else value
