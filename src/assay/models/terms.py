"""What each row contributes to a metric, so that the metric of a part of the rows is known without predicting again.

A metric is a function of means over the rows: of squared errors for RMSE, of three counts for F1. The AUC is no such
function; it is taken as its first-order expansion, whose terms are DeLong's (Comparing the Areas under Two or More
Correlated ROC Curves, 1988).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.models.metrics import OF_PROBABILITIES, classes_of, least_of_qlike, matrix, values

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST = 1e-15


@dataclass(frozen=True)
class Terms:
    """The terms of one metric.

    Attributes
    ----------
    rows
        (rows, terms).
    metric
        From means (..., terms) to the metric (...).
    """

    rows: Floats
    metric: Callable[[Floats], Floats]


def terms(
    metric: str, y: Floats, prediction: Floats, frame: pl.DataFrame, *, probability: Floats, loss: str | None
) -> Terms:
    """The terms of a metric; the arguments are those of `assay.models.metrics.score`, and the user's own loss."""
    stated = probability if metric in OF_PROBABILITIES else prediction
    if metric == "value":
        found = values(loss or "0", y, stated, frame)
        there = ~np.isnan(found)
        # Rows without a loss do not count, in a part of the rows either.
        return Terms(np.stack([np.where(there, found, 0.0), there.astype(np.float64)], axis=1), _ratio)
    return _TERMS[metric](y, stated)


def _mean(values: Floats) -> Terms:
    return Terms(values[:, np.newaxis], lambda means: means[..., 0])


def _ratio(means: Floats) -> Floats:
    return np.asarray(means[..., 0] / means[..., 1])


def _rmse(y: Floats, prediction: Floats) -> Terms:
    return Terms(((y - prediction) ** 2)[:, np.newaxis], lambda means: np.sqrt(np.maximum(means[..., 0], 0.0)))


def _qlike(y: Floats, prediction: Floats) -> Terms:
    floor = least_of_qlike(y)
    ratio = (np.maximum(y, floor) / np.maximum(prediction, floor)) ** 2
    return _mean(ratio - np.log(ratio) - 1)


def _log_loss(y: Floats, prediction: Floats) -> Terms:
    happened = matrix(prediction)[np.arange(len(y)), y.astype(np.int64)]
    return _mean(-np.log(np.clip(happened, _LEAST, 1.0)))


def _brier(y: Floats, prediction: Floats) -> Terms:
    if prediction.ndim == 1:
        return _mean((y - prediction) ** 2)
    truth = np.eye(prediction.shape[1])[y.astype(np.int64)]
    return _mean(((prediction - truth) ** 2).sum(axis=1))


def _f1(y: Floats, prediction: Floats) -> Terms:
    """Of each class that counts: how often it was said, happened, and both."""
    said = classes_of(prediction)
    counted = [1] if prediction.ndim == 1 else sorted({*y.astype(np.int64).tolist(), *said.tolist()})
    columns = [part for k in counted for part in ((said == k) & (y == k), (said == k).astype(float) + (y == k))]

    def metric(means: Floats) -> Floats:
        both, either = means[..., 0::2], means[..., 1::2]
        return np.asarray((2 * both / np.where(either > 0, either, 1.0)).mean(axis=-1))

    return Terms(np.stack(columns, axis=1).astype(np.float64), metric)


def _auc(y: Floats, prediction: Floats) -> Terms:
    if prediction.ndim == 1:
        area, rows = _placements(y == 1, prediction)
    else:
        present = [k for k in range(prediction.shape[1]) if 0 < (y == k).sum() < len(y)]
        parts = [_placements(y == k, prediction[:, k]) for k in present]
        area = float(np.mean([part for part, _ in parts]))
        rows = np.mean([part for _, part in parts], axis=0)
    return Terms(rows[:, np.newaxis], lambda means: area + means[..., 0])


def _placements(happened: NDArray[np.bool_], scores: Floats) -> tuple[float, Floats]:
    """The area, and each row's influence on it: the share of the other class that it is ranked rightly against."""
    yes, no = np.sort(scores[happened]), np.sort(scores[~happened])
    above = (np.searchsorted(no, scores, "left") + np.searchsorted(no, scores, "right")) / (2 * len(no))
    below = 1 - (np.searchsorted(yes, scores, "left") + np.searchsorted(yes, scores, "right")) / (2 * len(yes))
    area = float(above[happened].mean())
    share = len(yes) / len(scores)
    return area, np.where(happened, (above - area) / share, (below - area) / (1 - share))


_TERMS: dict[str, Callable[[Floats, Floats], Terms]] = {
    "rmse": _rmse,
    "mae": lambda y, prediction: _mean(np.abs(y - prediction)),
    "qlike": _qlike,
    "log_loss": _log_loss,
    "brier": _brier,
    "accuracy": lambda y, prediction: _mean((classes_of(prediction) == y).astype(np.float64)),
    "f1": _f1,
    "auc": _auc,
}
