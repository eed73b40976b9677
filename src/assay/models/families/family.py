"""What a family of models is: the seam that plug-ins fill.

A plug-in package declares, in its own pyproject.toml::

    [project.entry-points."assay.families"]
    mine = "my_package.mine:Mine"

where `Mine` is a `Family`. Its models must be files that `assay transpile` reads, unless `provable` is false.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from assay.models.cost.shape import Size
    from assay.models.rows import Kind, Problem, Rows

Params = dict[str, Any]

PILOT_TREES = 8
"""Trees (boosting: rounds) that are grown to see how large all of a model will be."""


class Suggest(Protocol):
    """Where the values of a search space come from."""

    def integer(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """A whole number, both bounds included."""
        ...

    def number(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """A number."""
        ...

    def choice(self, name: str, options: Sequence[Any]) -> Any:
        """One of the options."""
        ...


class Fitted(ABC):
    """A trained model."""

    needs_history: ClassVar[bool] = False
    """Whether predictions use the targets of earlier rows, as far as they are known by then.

    The row before is then one of the same series: a family of such models refuses rows of several series.
    """

    @abstractmethod
    def predict(self, rows: Rows, start: int = 0) -> NDArray[np.float64]:
        """Predictions for the rows from `start` on; the ones before are their past.

        Returns
        -------
        numpy.ndarray
            float64 in the target's units: (rows,) values, or probabilities of class 1; (rows, K)
            probabilities for more classes.
        """

    def probability(self, rows: Rows, start: int = 0) -> NDArray[np.float64]:
        """Predictions for metrics that judge probabilities."""
        return self.predict(rows, start)

    @abstractmethod
    def save(self, folder: Path) -> str:
        """Write the model into `folder` and return the file's name."""

    def size(self) -> Size | None:
        """What its proof's cost depends on; None if it is not provable."""
        return None


WINDOWLESS = "reads rows in sequence: [data] window says how many"
"""Why a family of sequences does not learn from single rows."""


class Family(ABC):
    """Models of one kind: their search space, their size before training, and their training."""

    name: ClassVar[str]
    title: ClassVar[str]
    kinds: ClassVar[frozenset[Kind]]
    provable: ClassVar[bool] = True
    searched: ClassVar[bool] = True
    """Whether there are parameters to search; if not, it is fitted once."""

    consecutive: ClassVar[bool] = False
    """Whether it learns from rows one after the other, so that none between them may be left out."""

    asked: ClassVar[bool] = False
    """Whether it is tried only where the task names it."""

    def meant(self, kind: Kind, refused: str) -> bool:
        """Whether it was to be tried with a target of this kind, had its `refuses` not said this."""
        return self.provable and not self.asked and kind in self.kinds and refused != WINDOWLESS

    def refuses(self, problem: Problem, rows: Rows) -> str | None:
        """Why this family cannot learn from these rows, in a few words; None if it can."""
        del rows
        return None if problem.kind in self.kinds else f"is not for a {problem.kind} target"

    def space(self, suggest: Suggest, problem: Problem) -> Params:
        """Parameters, each asked from `suggest`."""
        del suggest, problem
        return {}

    def defaults(self, problem: Problem) -> Params:
        """Parameters to try first; inside the search space."""
        del problem
        return {}

    def expected_size(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Size | None:
        """The size that a model of these parameters will have when it is trained on these rows.

        It decides whether the model is trained at all, so it should take a small part of the time of `fit`:
        families of many trees grow `PILOT_TREES` and count. None for a family that is not provable.
        """
        del params, problem, rows, seed
        return None

    @abstractmethod
    def fit(self, params: Params, problem: Problem, rows: Rows, seed: int) -> Fitted:
        """Train on one thread; equal arguments give equal models."""

    @abstractmethod
    def load(self, path: Path, problem: Problem) -> Fitted:
        """Read a model that `Fitted.save` wrote."""
