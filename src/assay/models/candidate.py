"""`Candidate`: one trained model with what is known of it, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from assay.core import documents
from assay.models.cost.cost import Cost
from assay.models.cost.shape import Size
from assay.models.errors import CandidateDamaged
from assay.models.families.registry import EXISTING, family
from assay.models.rows import Problem, Rows
from assay.task.sections import Existing

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from assay.models.families.family import Fitted

FILE = "candidate.json"


class _Model(BaseModel):
    # Losses of a broken candidate may be infinite, for which JSON has no number.
    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class Score(_Model):
    """The metric over the folds of the cross-validation."""

    mean: float
    std: float
    folds: tuple[float, ...]


class Summary(_Model):
    """What is known of a candidate without its model.

    Attributes
    ----------
    id
        The family and a digest of all that the model follows from; the name of its folder.
    family, title
        The family's name, and the same for people.
    params
        What the search chose.
    provable
        Whether it can be transpiled and proven.
    metric
        Name of the metric of the task.
    cv
        Its value over the folds of the training rows.
    sample_cv
        The same as it was while the folds' models had learned from a sample, if they learn from all rows since.
    validation
        All metrics on the validation rows, after training on the training rows.
    size
        What its cost depends on, counted after training; None if it is not proven.
    predicted
        What one proof will cost, by the size after training.
    predicted_before
        The same before training; it decides what is not trained at all.
    fit_seconds
        Of the last training, on one thread.
    sample
        The most rows that a fold's model has learned from, where losses are those of a sample; 0 for all.
    whole
        Whether the model has learned from all training rows; what is not on the front may have not.
    front
        Whether no other candidate is better in one of accuracy, time and gas, and as good in the others.
    """

    id: str
    family: str
    title: str
    params: dict[str, Any]
    provable: bool
    metric: str
    cv: Score
    sample_cv: Score | None = None
    validation: dict[str, float]
    size: Size | None
    predicted: Cost
    predicted_before: Cost
    fit_seconds: float
    sample: int = 0
    whole: bool = True
    front: bool = False


class Facts(_Model):
    """The question in the form that predicting needs; see `assay.models.rows.Problem`."""

    kind: Literal["regression", "binary", "multiclass"]
    classes: int
    features: tuple[str, ...]
    wide: tuple[str, ...]
    target: str
    metric: str
    loss: str | None
    existing: Existing
    labels: tuple[str, ...]
    timed: bool
    reach: int
    embargo: int
    group: str | None
    returns: str | None
    private: bool
    window: int = 1
    entity: str | None = None
    time: str | None = None


class Record(_Model):
    """The content of `candidate.json`."""

    schema_: Literal["assay-candidate/1"] = Field("assay-candidate/1", alias="schema")
    summary: Summary
    problem: Facts
    dataset: str
    seed: int
    file: str
    file_sha256: str


class Candidate:
    """A trained model in its folder.

    Attributes
    ----------
    folder
        Where it is.
    record
        The content of its `candidate.json`.
    """

    def __init__(self, folder: Path, record: Record, fitted: Fitted) -> None:
        self.folder = folder
        self.record = record
        self.fitted = fitted

    @property
    def id(self) -> str:
        """The name of its folder."""
        return self.record.summary.id

    @property
    def summary(self) -> Summary:
        """What is known of it."""
        return self.record.summary

    @property
    def model_path(self) -> Path:
        """The model's file, which `assay transpile` reads if the candidate is provable."""
        return self.folder / self.record.file

    @property
    def problem(self) -> Problem:
        """The question it answers."""
        return problem_from(self.record.problem)

    @classmethod
    def load(cls, folder: str | Path, project: Path | None = None) -> Candidate:
        """Read a candidate.

        Parameters
        ----------
        folder
            `candidates/ID` of a project.
        project
            The project's folder, where the existing process may have its function; by default the one
            above `candidates`.

        Raises
        ------
        StorageError
            There is no such folder.
        CandidateDamaged
            It holds no candidate, or only part of one.
        ArtefactVersion
            It was written by another release.
        """
        place = Path(folder)
        record = read_record(place)
        problem = problem_from(record.problem)
        if record.summary.family == EXISTING:
            from assay.models.existing import ExistingProcess

            kind: Any = ExistingProcess(project or place.absolute().parent.parent)
        else:
            kind = family(record.summary.family)
        return cls(place, record, kind.load(place / record.file, problem))

    def predict(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Predictions for rows of the dataset, or of a table with the same columns.

        Parameters
        ----------
        frame
            One row a prediction, with every feature by name; in the dataset's order, with the target, for
            the reference models that look at its past.

        Returns
        -------
        numpy.ndarray
            float64 in the task's units: (rows,) values or probabilities of class 1, or (rows, K).

        Raises
        ------
        CandidateDamaged
            The table lacks a feature.
        """
        return self.fitted.predict(rows_from(frame, self.problem))


def read_record(folder: Path) -> Record:
    """Read `candidate.json`; raises as `Candidate.load` does."""
    return documents.read(folder / FILE, Record, damaged=CandidateDamaged, todo="Run `assay explore` again.")


def facts_from(problem: Problem) -> Facts:
    """The question as JSON can hold it."""
    return Facts.model_validate({name: getattr(problem, name) for name in Facts.model_fields})


def problem_from(facts: Facts) -> Problem:
    """The question from its JSON form."""
    return Problem(**{name: getattr(facts, name) for name in Facts.model_fields})


def rows_from(frame: pl.DataFrame, problem: Problem) -> Rows:
    """Rows of a table; the target is missing where the table has none."""
    absent = [name for name in problem.features if name not in frame.columns]
    if absent:
        raise CandidateDamaged(
            f"the rows lack the feature {absent[0]} ({len(absent)} of {len(problem.features)} are missing)",
            f"Give rows with their windows of {problem.window} rows: Dataset.windows makes them."
            if problem.window > 1
            else "Give rows of the dataset that the candidate was trained on.",
        )
    X = np.stack([frame[name].cast(_float()).fill_null(np.nan).to_numpy() for name in problem.features], axis=1)
    y = frame[problem.target].cast(_float()).to_numpy() if problem.target in frame.columns else np.full(len(X), np.nan)
    return Rows(np.ascontiguousarray(X, dtype=np.float32), y.astype(np.float64), frame)


def _float() -> Any:
    import polars as pl

    return pl.Float64
