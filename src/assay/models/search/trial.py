"""One trial: train a model of given parameters on each fold, then on all training rows."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import files
from assay.core.errors import AssayError
from assay.models.candidate import Score
from assay.models.errors import ExistingFailed
from assay.models.families.registry import EXISTING, family
from assay.models.metrics import score, shape_fits
from assay.models.rows import Problem, Rows, joined
from assay.models.search.folds import Fold, folds
from assay.models.search.sample import drawn, learns_from_sample

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.cost.shape import Size
    from assay.models.families.family import Family, Fitted, Params


@dataclass(frozen=True)
class Study:
    """What all trials of an exploration share; sent once to each worker.

    Attributes
    ----------
    problem
        The question.
    train, validation
        Rows; no other split is in here.
    folds, seed
        As in [explore].
    project
        The project's folder.
    sample
        The most rows that models learn from at first; 0 for all.
    """

    problem: Problem
    train: Rows
    validation: Rows
    folds: int
    seed: int
    project: Path
    sample: int = 0


@dataclass(frozen=True)
class Job:
    """One model to try; where all learn from a sample first, a `whole` one learns from all rows.

    With the losses `cv` it is not judged again.
    """

    number: int
    family: str
    params: Params
    whole: bool = False
    cv: Score | None = None


@dataclass(frozen=True)
class Outcome:
    """What a trial found.

    Attributes
    ----------
    cv
        The metric on each fold; None if the trial failed.
    validation
        All metrics on the validation rows.
    size
        Of the model trained on all training rows; None if it is not proven.
    content
        The model's files by name.
    file
        Which of them is the model.
    seconds
        Of the last training.
    failed
        What went wrong, in one line.
    sample
        The most rows that the models of the folds have learned from; 0 for all.
    whole
        Whether the model has learned from all training rows.
    """

    number: int
    cv: Score | None = None
    validation: dict[str, float] = field(default_factory=dict)
    size: Size | None = None
    content: dict[str, bytes] = field(default_factory=dict)
    file: str = ""
    seconds: float = 0.0
    failed: str = ""
    sample: int = 0
    whole: bool = True


def run(study: Study, job: Job) -> Outcome:
    """Try one model. What a library refuses is an outcome; what Assay refuses is raised, since it is the user's.

    Raises
    ------
    AssayError
        The loss or the existing process cannot be computed, or the folds are too small.
    """
    kind = _family(job.family, study.project)
    try:
        return _run(study, job, kind)
    except (AssayError, MemoryError):
        raise
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        if job.family == EXISTING:
            raise ExistingFailed(f"the existing process cannot be judged ({what})", "Correct [existing].") from error
        # A library's own, for parameters that it cannot use.
        return Outcome(job.number, failed=what)


def _run(study: Study, job: Job, kind: Family) -> Outcome:
    first = study.sample if learns_from_sample(kind, study.sample) else 0
    sample = first if job.cv or not job.whole else 0
    cv = job.cv or _judged(study, kind, job.params, sample)
    every = np.arange(len(study.train))
    own = drawn(study.problem, study.train, every, 0 if job.whole else first, study.seed)
    start = time.perf_counter()
    fitted = kind.fit(job.params, study.problem, study.train.take(own), study.seed)
    seconds = time.perf_counter() - start
    with files.scratch() as place:
        name = fitted.save(place)
        content = {path.name: path.read_bytes() for path in sorted(place.iterdir())}
    return Outcome(
        number=job.number,
        cv=cv,
        validation=judge(study.problem, fitted, study.validation, past=study.train),
        size=fitted.size(),
        content=content,
        file=name,
        seconds=seconds,
        sample=sample,
        whole=len(own) == len(every),
    )


def _judged(study: Study, kind: Family, params: Params, sample: int) -> Score:
    parts = folds(study.problem, study.train, study.folds, study.seed)
    values = [_on_fold(study, kind, params, fold, sample) for fold in parts]
    return Score(mean=float(np.mean(values)), std=float(np.std(values)), folds=tuple(values))


def judge(problem: Problem, fitted: Fitted, rows: Rows, past: Rows | None = None) -> dict[str, float]:
    """All metrics of a trained model on rows, whose past is given for the models that look at it."""
    prediction, probability = predictions(problem, fitted, rows, past)
    return score(problem, rows.y, prediction, rows.frame, probability)


def predictions(
    problem: Problem, fitted: Fitted, rows: Rows, past: Rows | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What a trained model answers, and the same for metrics that judge probabilities."""
    if fitted.needs_history and problem.entity is not None:
        raise ValueError("it looks at the rows before, which are of other series")
    start = 0
    seen = rows
    if fitted.needs_history and past is not None:
        start, seen = len(past), joined([past, rows])
    prediction, probability = fitted.predict(seen, start), fitted.probability(seen, start)
    _require_shape(problem, len(rows), prediction)
    return prediction, probability


def _on_fold(study: Study, kind: Family, params: Params, fold: Fold, sample: int) -> float:
    problem, rows = study.problem, study.train
    learned = rows.take(drawn(problem, rows, fold.train, sample, study.seed))
    fitted = kind.fit(params, problem, learned, study.seed)
    past = rows.between(0, int(fold.test[0])) if fitted.needs_history else None
    return judge(problem, fitted, rows.take(fold.test), past)[problem.metric]


def _require_shape(problem: Problem, rows: int, prediction: NDArray[Any]) -> None:
    if not shape_fits(problem.kind, problem.classes, rows, prediction):
        raise ValueError(f"predictions of the shape {prediction.shape}, or not finite, for {rows} rows")


def _family(name: str, project: Path) -> Family:
    if name == EXISTING:
        from assay.models.existing import ExistingProcess

        return ExistingProcess(project)
    return family(name)
