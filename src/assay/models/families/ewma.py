"""EWMA: the exponentially weighted mean of past squared targets, as RiskMetrics forecasts volatility."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from assay.models.families import history
from assay.models.families.family import Family, Fitted, Params

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.rows import Kind, Problem, Rows

    Floats = NDArray[np.float64]

DECAYS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.92, 0.94, 0.96, 0.97, 0.98, 0.99, 0.995)
"""Tried in turn; RiskMetrics uses 0.94 for days and 0.97 for months."""


class FittedEwma(Fitted):
    """A decay and where to start."""

    needs_history: ClassVar[bool] = True

    def __init__(self, decay: float, level: float, reach: int) -> None:
        self.decay = decay
        self.level = level
        self._reach = reach

    def predict(self, rows: Rows, start: int = 0) -> Floats:
        """The root of the mean, known at each row."""
        past = history.known(rows.y, self._reach, self.level) ** 2
        means, mean = np.empty(len(past)), self.level**2
        for row, value in enumerate(past):
            mean = self.decay * mean + (1 - self.decay) * value
            means[row] = mean
        return np.sqrt(means[start:])

    def save(self, folder: Path) -> str:
        """Write the two numbers."""
        return history.save(folder, {"decay": self.decay, "level": self.level})


class Ewma(Family):
    """A reference point for volatility; it is not proven."""

    name: ClassVar[str] = "ewma"
    title: ClassVar[str] = "EWMA"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression"})
    provable: ClassVar[bool] = False
    searched: ClassVar[bool] = False

    def refuses(self, problem: Problem, rows: Rows) -> str | None:
        """Needs a target that is a size, in time."""
        return history.refuses(problem) or ("needs a target that is never negative" if (rows.y < 0).any() else None)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedEwma:
        """Take the decay with the least squared error in the training rows; start from their mean."""
        del params, seed
        level = float(np.sqrt(np.mean(rows.y**2)))
        errors = {decay: _error(FittedEwma(decay, level, problem.reach), rows) for decay in DECAYS}
        return FittedEwma(min(errors, key=errors.__getitem__), level, problem.reach)

    def load(self, path: Path, problem: Problem) -> FittedEwma:
        """Read the two numbers."""
        return FittedEwma(**history.load(path, {"decay", "level"}), reach=problem.reach)


def _error(fitted: FittedEwma, rows: Rows) -> float:
    return float(np.mean((fitted.predict(rows) - rows.y) ** 2))
