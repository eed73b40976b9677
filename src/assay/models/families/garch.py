"""GARCH(1,1) of one-row returns; its volatility is scaled to the target by the training rows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from assay.models.families import history
from assay.models.families.family import Family, Fitted, Params

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from assay.models.rows import Kind, Problem, Rows

    Floats = NDArray[np.float64]

_NAMES = {"column", "omega", "alpha", "beta", "mean", "scale"}
_LEAST_ROWS = 100


class FittedGarch(Fitted):
    """Parameters of the variance's recursion, in units of the returns."""

    needs_history: ClassVar[bool] = True

    def __init__(self, *, column: str, omega: float, alpha: float, beta: float, mean: float, scale: float) -> None:
        self.column = column
        self.omega = omega
        self.alpha = alpha
        self.beta = beta
        self.mean = mean
        self.scale = scale

    def predict(self, rows: Rows, start: int = 0) -> Floats:
        """The next row's volatility, from the returns up to this row, in the target's units."""
        return self.scale * self.volatility(rows)[start:]

    def volatility(self, rows: Rows) -> Floats:
        """The forecast at each row, in units of the returns."""
        returns = returns_of(rows, self.column)
        variance = self.omega / max(1 - self.alpha - self.beta, 1e-6)
        found = np.empty(len(returns))
        for row, value in enumerate(returns):
            variance = self.omega + self.alpha * (value - self.mean) ** 2 + self.beta * variance
            found[row] = variance
        return np.sqrt(found)

    def save(self, folder: Path) -> str:
        """Write the parameters."""
        return history.save(folder, {name: getattr(self, name) for name in sorted(_NAMES)})


class Garch(Family):
    """A reference point for volatility; it is not proven."""

    name: ClassVar[str] = "garch"
    title: ClassVar[str] = "GARCH(1,1)"
    kinds: ClassVar[frozenset[Kind]] = frozenset({"regression"})
    provable: ClassVar[bool] = False
    searched: ClassVar[bool] = False

    def refuses(self, problem: Problem, rows: Rows) -> str | None:
        """Needs a one-row return among the features, and a target that is a size."""
        if (reason := history.refuses(problem)) is not None:
            return reason
        if (rows.y < 0).any():
            return "needs a target that is never negative"
        if problem.returns is None:
            return "needs a feature with op log_return or return over one row"
        return "has too few rows" if len(rows) < _LEAST_ROWS else None

    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> FittedGarch:
        """Maximum likelihood of the training returns, then one factor to the target."""
        from arch import arch_model

        del params, seed
        column = str(problem.returns)
        returns = returns_of(rows, column)
        # The optimiser wants returns of about one; a ratio of two brings them there and back exactly.
        unit = 2.0 ** np.floor(np.log2(max(float(np.std(returns)), 1e-300)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = arch_model(returns / unit, mean="Constant", vol="GARCH", p=1, q=1, rescale=False).fit(
                disp="off", show_warning=False
            )
        values = found.params
        fitted = FittedGarch(
            column=column,
            omega=float(values["omega"] * unit**2),
            alpha=float(values["alpha[1]"]),
            beta=float(values["beta[1]"]),
            mean=float(values["mu"] * unit),
            scale=1.0,
        )
        volatility = fitted.volatility(rows)
        fitted.scale = float(volatility @ rows.y / max(float(volatility @ volatility), 1e-300))
        return fitted

    def load(self, path: Path, problem: Problem) -> FittedGarch:
        """Read the parameters."""
        del problem
        return FittedGarch(**history.load(path, _NAMES))


def returns_of(rows: Rows, column: str) -> Floats:
    """The returns, zero where missing."""
    return np.asarray(np.nan_to_num(rows.frame[column].to_numpy().astype(np.float64), nan=0.0))
