"""What proven outputs are worth on rows whose labels are known: the decision's own metrics and intervals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from assay.bench.evidence import alone, evidence, judge
from assay.keep.certify.certificate import Claim
from assay.keep.errors import NothingToCertify
from assay.models.errors import ExistingFailed
from assay.models.existing import FittedExisting, decide
from assay.models.metrics import OF_PROBABILITIES, improvement, require_measurable, require_suitable
from assay.models.rows import Rows, problem_with

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from assay.bench.evidence import Judged
    from assay.data.dataset.manifest import Manifest
    from assay.models.rows import Problem
    from assay.task.task import Task
    from assay.transpile.circuit.answers import Answers

    Floats = NDArray[np.float64]


def claim(task: Task, about: Manifest, frame: pl.DataFrame, outputs: Floats, answers: Answers) -> Claim:
    """Judge proven outputs, compared with today's process where a stranger can run it.

    Parameters
    ----------
    frame
        The test rows with their labels, in the dataset's order.
    outputs
        (rows, K): as the proofs show them, times 2^-scale_bits.
    answers
        What they mean.

    Raises
    ------
    NothingToCertify
        The labels, or the metric, do not fit the outputs.
    LossFailed, MetricUnsuitable
        The task's metric cannot be computed on these rows.
    """
    import polars as pl

    problem = problem_with(task, about, max(outputs.shape[1], 2))
    require_suitable(problem)
    y = frame[about.target].cast(pl.Float64).to_numpy()
    if not np.isfinite(y).all():
        raise NothingToCertify("a row has no label", "Build the dataset again: each of its rows has one.")
    rows = Rows(np.zeros((len(y), 0), dtype=np.float32), y, frame)
    require_measurable(problem, y)
    said = _predictions(problem, outputs, answers)
    own = judge(task, problem, rows, said, said)
    found = Claim(rows=len(y), metric=task.metric, value=own.metrics[task.metric], sure=alone(task, problem, rows, own))
    return _compared(found, task, problem, rows, own)


def told(one: Claim) -> str:
    """The claim in a sentence."""
    sure = one.sure.interval
    within = f" ({sure.low:.6g} to {sure.high:.6g} with {one.sure.confidence:.0%} confidence)" if sure else ""
    text = f"{one.metric} is {one.value:.6g}{within} on {one.rows:,} rows"
    if one.existing is None:
        return f"{text}; not compared: {one.without}" if one.without else text
    gain = "" if one.improvement is None else f", {abs(one.improvement):.1%} {_way(one.improvement)}"
    span = f" ({one.interval.low:.1%} to {one.interval.high:.1%})" if one.interval else ""
    return f"{text}; today's process has {one.existing:.6g}{gain}{span}"


def _way(gain: float) -> str:
    return "better" if gain >= 0 else "worse"


def _predictions(problem: Problem, outputs: Floats, answers: Answers) -> Floats:
    """As the families predict: values, probabilities of class 1, or of all classes; of mere margins, the class."""
    if problem.kind == "regression":
        return answers.values(outputs)[:, 0]
    shares = answers.probabilities(outputs)
    if shares is None:
        shares = np.eye(max(outputs.shape[1], 2))[answers.numbers(outputs)]
    return shares[:, 1] if problem.kind == "binary" else shares


def _compared(found: Claim, task: Task, problem: Problem, rows: Rows, own: Judged) -> Claim:
    if problem.existing.kind == "function":
        return found.model_copy(update={"without": "today's process is the project's own code, which is not in here"})
    process = FittedExisting(problem, Path(), None)
    try:
        answers = decide(problem, rows.frame, Path())
    except ExistingFailed as error:
        return found.model_copy(update={"without": f"today's process cannot be run on what is shown: {error.what}"})
    if task.metric in OF_PROBABILITIES and np.isin(answers, (0.0, 1.0)).all():
        without = "today's process says yes or no, and what that is worth in probabilities the training rows alone say"
        return found.model_copy(update={"without": without})
    said = process.predict(rows)
    today = judge(task, problem, rows, said, said)
    sure = evidence(task, problem, rows, own, today)
    gain = improvement(task.metric, found.value, today.metrics[task.metric])
    return found.model_copy(
        update={
            "existing": today.metrics[task.metric],
            "improvement": gain if np.isfinite(gain) else None,
            "interval": sure.improvement,
        }
    )
