"""The rows that models learn from, and what is known of the question while they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from assay.data.features import sequences

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from assay.data.dataset.dataset import Dataset
    from assay.data.dataset.manifest import FeatureInfo, Manifest
    from assay.task.sections import Existing, Metric
    from assay.task.task import Task

Kind = Literal["regression", "binary", "multiclass"]

# A float32 holds every whole number up to here.
_EXACT = 1 << 24


@dataclass(frozen=True)
class Rows:
    """Rows in the dataset's order.

    Attributes
    ----------
    X
        float32 of shape (rows, features), NaN where missing. Of a dataset with windows, each row is its window, the
        oldest row first; it may be a view in which neighbours share their numbers, so it is never written to.
    y
        float64 of shape (rows,): the target, or classes 0..K-1.
    frame
        The same rows with all columns of the dataset: kept columns, features, target.
    """

    X: NDArray[np.float32]
    y: NDArray[np.float64]
    frame: pl.DataFrame

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.y)

    def take(self, index: NDArray[np.int64]) -> Rows:
        """The rows of these numbers, in this order."""
        where = sequences.selector(index)
        return Rows(self.X[where], self.y[where], self.frame[where])

    def between(self, start: int, stop: int) -> Rows:
        """The rows from `start` up to `stop`, which is not included."""
        return self.take(np.arange(start, stop))


@dataclass(frozen=True)
class Problem:
    """What every family is told of the question.

    Attributes
    ----------
    kind
        "regression", "binary" or "multiclass".
    classes
        K; 0 for a regression.
    features
        Names of the columns of `Rows.X`; with a window, `name@-3` three rows before.
    wide
        Names of features that are proven as 64-bit integers: those beyond what a float32 holds.
    target
        Name of the column `Rows.y` is from.
    metric
        What candidates are compared by.
    loss
        The user's loss, an SQL expression, or None.
    existing
        The existing process.
    labels
        Original names of the classes, if they have any.
    timed
        Whether the rows have an order in time.
    reach
        Rows of its series after which a row's target is known: it looks that far ahead.
    ahead
        Rows ahead that a target sees; 0 if it comes with its row.
    embargo
        Rows (of several series: times) left out between training and validation, `reach` at least.
    group
        Column whose equal values stay together in a fold, or None.
    unsaid
        Whether nobody says how far ahead a ready-made target looks.
    returns
        A feature that is a one-row return, or None.
    private
        Whether rows are hidden in proofs.
    window
        Rows that are seen at once.
    entity, time
        The columns that tell series and times apart, where the rows are of several series; else None.
    """

    kind: Kind
    classes: int
    features: tuple[str, ...]
    wide: tuple[str, ...]
    target: str
    metric: Metric
    loss: str | None
    existing: Existing
    labels: tuple[str, ...] = ()
    timed: bool = False
    reach: int = 1
    ahead: int = 0
    embargo: int = 0
    group: str | None = None
    unsaid: bool = False
    returns: str | None = None
    private: bool = False
    window: int = 1
    entity: str | None = None
    time: str | None = None

    @property
    def outputs(self) -> int:
        """Margins of a boosted or linear model: one for a value or two classes, else one a class."""
        return self.classes if self.kind == "multiclass" else 1


def problem_of(task: Task, dataset: Dataset) -> Problem:
    """What the task and the dataset say together."""
    _, y = dataset.arrays("train")
    return problem_with(task, dataset.manifest, 0 if task.predict.type == "regression" else int(np.nanmax(y)) + 1)


def problem_with(task: Task, about: Manifest, classes: int) -> Problem:
    """The same by the manifest alone and the number of classes that were seen."""
    split, label = task.data.split, task.data.label
    timed = about.time is not None and split.by in {None, "time"}
    reach = max(label.reach, 1)
    several = (about.series or 1) > 1
    # In a window whole numbers are float32, see `assay.data.build`.
    wide = [] if about.window > 1 else [one.name for one in about.features if _is_wide(one)]
    return Problem(
        kind=task.predict.type,
        classes=0 if task.predict.type == "regression" else max(classes, 2),
        features=tuple(sequences.names([one.name for one in about.features], about.window)),
        wide=tuple(wide),
        target=about.target,
        metric=task.metric,
        loss=task.value.loss,
        existing=task.existing,
        labels=about.classes,
        timed=timed,
        reach=reach,
        ahead=label.reach,
        embargo=max(about.embargo, reach) if timed else 0,
        group=split.group if split.by == "group" else None,
        unsaid=label.unsaid,
        returns=_returns(task, about) if timed else None,
        private=task.protocol.inputs == "private",
        window=about.window,
        entity=about.entity if several else None,
        time=about.time if several or "times" in task.data.may_repeat else None,
    )


def rows_of(dataset: Dataset, split: str) -> Rows:
    """The rows of one split: "train", "validation" or "test"."""
    X, y = dataset.arrays(split)
    return Rows(X, np.asarray(y, dtype=np.float64), dataset.frame(split))


def joined(parts: list[Rows]) -> Rows:
    """Rows one after the other."""
    import polars as pl

    return Rows(
        np.concatenate([part.X for part in parts]),
        np.concatenate([part.y for part in parts]),
        pl.concat([part.frame for part in parts], how="vertical_relaxed"),
    )


def _is_wide(feature: FeatureInfo) -> bool:
    # An integer feature of a circuit takes no missing values; such a one is read as a float32.
    if feature.kind != "integer" or feature.missing or feature.min is None or feature.max is None:
        return False
    return max(abs(feature.min), abs(feature.max)) > _EXACT


def _returns(task: Task, about: Manifest) -> str | None:
    """A one-row return among the features, for the models of returns."""
    names = {one.name for one in about.features}
    for wanted in ("log_return", "return"):
        for feature in task.data.features:
            if feature.op == wanted and feature.periods == 1 and feature.name in names:
                return feature.name
    return None
