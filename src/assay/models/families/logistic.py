"""Logistic regression with a ridge penalty, on standardised features; multinomial for more than two classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families import estimators
from assay.models.families.family import Family, Params, Suggest
from assay.models.families.linear import as_doubles, refuses_rows

if TYPE_CHECKING:
    from pathlib import Path

    from assay.models.cost.shape import Size
    from assay.models.families.estimators import FittedEstimator
    from assay.models.rows import Kind, Problem, Rows

_MOST_STEPS = 2000


class Logistic(Family):
    """A weighted sum of the features as the log odds of a class."""

    name: ClassVar[str] = "logistic"
    title: ClassVar[str] = "logistic regression"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"binary", "multiclass"})

    def refuses(self, problem: Problem, rows: Rows) -> str | None:
        """Refuses missing values and hidden rows."""
        return super().refuses(problem, rows) or refuses_rows(problem, rows)

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """The inverse of the penalty."""
        del problem
        return {"C": suggest.number("C", 1e-4, 1e2, log=True)}

    def defaults(self, problem: Problem) -> Params:
        """scikit-learn's own."""
        del problem
        return {"C": 1.0}

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size:
        """One weight a feature and class, whatever the data."""
        del params, rows, seed
        return estimators.linear_size(None, problem)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedEstimator:
        """Standardise and fit."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = make_pipeline(
            StandardScaler(), LogisticRegression(C=params["C"], max_iter=_MOST_STEPS, random_state=seed)
        )
        fitted = estimators.fit(model, as_doubles(rows), classes=True)
        return estimators.FittedEstimator(fitted, problem, estimators.linear_size)

    def load(self, path: Path, problem: Problem) -> FittedEstimator:
        """Read the pipeline."""
        return estimators.FittedEstimator(estimators.load(path), problem, estimators.linear_size)
