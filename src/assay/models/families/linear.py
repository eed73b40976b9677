"""Linear regression with a ridge penalty, on standardised features."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from assay.models.families import estimators
from assay.models.families.family import Family, Params, Suggest

if TYPE_CHECKING:
    from pathlib import Path

    from assay.models.cost.shape import Size
    from assay.models.families.estimators import FittedEstimator
    from assay.models.rows import Kind, Problem, Rows


LARGEST = 2.0**58
"""A value has 62 bits, with room for 16 times the largest that was seen: as `assay transpile` chooses ranges."""


class Linear(Family):
    """A weighted sum of the features."""

    name: ClassVar[str] = "linear"
    title: ClassVar[str] = "linear regression"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression"})

    def refuses(self, problem: Problem, rows: Rows) -> str | None:
        """Refuses missing values and hidden rows."""
        return super().refuses(problem, rows) or refuses_rows(problem, rows)

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """The penalty."""
        del problem
        return {"alpha": suggest.number("alpha", 1e-3, 1e4, log=True)}

    def defaults(self, problem: Problem) -> Params:
        """A light penalty."""
        del problem
        return {"alpha": 1.0}

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size:
        """One weight a feature, whatever the data."""
        del params, rows, seed
        return estimators.linear_size(None, problem)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedEstimator:
        """Standardise and fit."""
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        del seed
        model = make_pipeline(StandardScaler(), Ridge(alpha=params["alpha"]))
        fitted = estimators.fit(model, as_doubles(rows), classes=False)
        return estimators.FittedEstimator(fitted, problem, estimators.linear_size)

    def load(self, path: Path, problem: Problem) -> FittedEstimator:
        """Read the pipeline."""
        return estimators.FittedEstimator(estimators.load(path), problem, estimators.linear_size)


def refuses_rows(problem: Problem, rows: Rows) -> str | None:
    """What linear models of both kinds refuse."""
    if problem.private:
        return "is proven with public inputs only"
    if estimators.missing(rows):
        return "takes no missing values"
    return _too_large(problem, rows)


def _too_large(problem: Problem, rows: Rows) -> str | None:
    """Values that a linear model's fixed point does not hold; those of wide features are whole numbers of their own."""
    import numpy as np

    largest = np.abs(rows.X).max(axis=0, initial=0.0)
    for name, value in zip(problem.features, largest.tolist(), strict=True):
        if name not in problem.wide and value >= LARGEST:
            return f"takes no values of 2^58 and above, and {name} reaches {value:.3g}: give it a `scale`, or divide it"
    return None


def as_doubles(rows: Rows) -> Rows:
    """The same rows in double precision: sums of squares of float32 lose digits."""
    from dataclasses import replace

    return replace(rows, X=rows.X.astype("float64"))
