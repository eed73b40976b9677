"""HAR: the target regressed on its own last value and its means over 5 and 22 rows (Corsi, 2009)."""

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

WINDOWS = (1, 5, 22)


class FittedHar(Fitted):
    """An intercept and one weight a window."""

    needs_history: ClassVar[bool] = True

    def __init__(self, weights: list[float], level: float, reach: int) -> None:
        self.weights = weights
        self.level = level
        self._reach = reach

    def predict(self, rows: Rows, start: int = 0) -> Floats:
        """The weighted means, known at each row."""
        return np.asarray(_design(rows.y, self._reach, self.level)[start:] @ np.array(self.weights))

    def save(self, folder: Path) -> str:
        """Write the weights."""
        return history.save(folder, {"weights": self.weights, "level": self.level})


class Har(Family):
    """A reference point for volatility; it is not proven."""

    name: ClassVar[str] = "har"
    title: ClassVar[str] = "HAR"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression"})
    provable: ClassVar[bool] = False
    searched: ClassVar[bool] = False

    def refuses(self, problem: Problem, rows: Rows) -> str | None:
        """Needs a target in time, and rows for its longest window."""
        short = len(rows) < 4 * (WINDOWS[-1] + problem.reach)
        return history.refuses(problem) or ("has too few rows for its windows" if short else None)

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedHar:
        """Least squares on the rows whose windows are full, or on all if those are few."""
        del params, seed
        level = float(np.mean(rows.y))
        design = _design(rows.y, problem.reach, level)
        first = min(WINDOWS[-1] + problem.reach, len(rows) // 2)
        weights, *_ = np.linalg.lstsq(design[first:], rows.y[first:], rcond=None)
        return FittedHar([float(weight) for weight in weights], level, problem.reach)

    def load(self, path: Path, problem: Problem) -> FittedHar:
        """Read the weights."""
        return FittedHar(**history.load(path, {"weights", "level"}), reach=problem.reach)


def _design(y: Floats, reach: int, level: float) -> Floats:
    """One column of ones and one a window, float64[rows, 4]."""
    past = history.known(y, reach, level)
    padded = np.concatenate([np.full(WINDOWS[-1] - 1, level), past])
    sums = np.concatenate([[0.0], np.cumsum(padded)])
    ends = np.arange(len(y)) + WINDOWS[-1]
    return np.stack([np.ones(len(y)), *((sums[ends] - sums[ends - width]) / width for width in WINDOWS)], axis=1)
