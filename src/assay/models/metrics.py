"""How good predictions are: one function a metric, and one direction, for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.data.errors import DataError
from assay.data.expressions import evaluated
from assay.models.errors import LossFailed, MetricUnsuitable

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl
    from numpy.typing import NDArray

    from assay.models.rows import Kind, Problem

    Floats = NDArray[np.float64]

BY_KIND: dict[str, tuple[str, ...]] = {
    "regression": ("rmse", "mae", "qlike"),
    "binary": ("log_loss", "brier", "accuracy", "f1", "auc"),
    "multiclass": ("log_loss", "brier", "accuracy", "f1", "auc"),
}
"""The metrics of each type of target, and "value" for all that have a loss."""

HIGHER_IS_BETTER = frozenset({"accuracy", "f1", "auc"})

OF_PROBABILITIES = frozenset({"log_loss", "brier"})
"""These judge probabilities: a process that only says yes or no has none, see `assay.models.existing`."""

# A probability of exactly 0 for what happened would be infinitely wrong.
_LEAST = 1e-15
_LOSS = "\x00loss"
# QLIKE of a forecast or an outcome of zero would be infinite; below this share of the mean they count as this.
_FLOOR = 1e-3


def score(
    problem: Problem, y: Floats, prediction: Floats, frame: pl.DataFrame, probability: Floats | None = None
) -> dict[str, float]:
    """All metrics of the problem's type, and "value" if there is a loss.

    Parameters
    ----------
    problem
        The question.
    y
        (rows,): what happened.
    prediction
        (rows,), or (rows, K) probabilities for more than two classes.
    frame
        The rows' columns, for the user's loss.
    probability
        In place of `prediction` for the metrics that judge probabilities.

    Raises
    ------
    LossFailed
        The user's loss cannot be computed on these rows.
    """
    stated = prediction if probability is None else probability
    found = {
        name: float(_METRICS[name](y, stated if name in OF_PROBABILITIES else prediction))
        for name in BY_KIND[problem.kind]
        if (name != "auc" or len(np.unique(y)) > 1) and (name != "qlike" or bool((y >= 0).all()))
    }
    if problem.loss is not None:
        found["value"] = value(problem.loss, y, prediction, frame)
    return found


def require_suitable(problem: Problem) -> None:
    """Refuse a metric that does not fit the type of the target."""
    allowed = (*BY_KIND[problem.kind], *(["value"] if problem.loss is not None else []))
    if problem.metric not in allowed:
        raise MetricUnsuitable(
            f"the metric {problem.metric} does not fit a {problem.kind} target",
            f"Choose one of {', '.join(allowed)} in [limits] metric.",
        )


def require_measurable(problem: Problem, y: Floats) -> None:
    """Refuse QLIKE where an outcome is below 0, since it compares volatilities."""
    below = int((y < 0).sum()) if problem.metric == "qlike" else 0
    if below:
        raise MetricUnsuitable(
            f"the metric qlike is of volatilities, and the target is below 0 in {below} of {len(y)} rows",
            "Choose rmse or mae in [limits] metric.",
        )


def loss_of(metric: str, number: float) -> float:
    """The metric as a loss: less is better."""
    return 1.0 - number if metric in HIGHER_IS_BETTER else number


def improvement(metric: str, number: float, baseline: float) -> float:
    """How much of the baseline's loss is gone: 0.05 is 5 % better, negative is worse.

    The user's own loss can be negative (a gain): the change is then relative to its size.
    """
    loss, base = loss_of(metric, number), loss_of(metric, baseline)
    if base == 0.0:
        return 0.0 if loss == 0.0 else -float("inf") if loss > 0 else float("inf")
    return (base - loss) / abs(base)


def value(expression: str, y: Floats, prediction: Floats, frame: pl.DataFrame) -> float:
    """The mean of the user's loss over the rows; rows without a loss do not count."""
    found = values(expression, y, prediction, frame)
    there = found[~np.isnan(found)]
    with np.errstate(over="ignore"):
        mean = float(there.mean()) if len(there) else np.nan
    if not len(there):
        raise LossFailed("[value] loss is missing in every row", "Say what a decision costs: give CASE an ELSE.")
    if not np.isfinite(mean):
        raise LossFailed("the mean of [value] loss is beyond a double's range", "Count it in a larger unit.")
    return mean


def values(expression: str, y: Floats, prediction: Floats, frame: pl.DataFrame) -> Floats:
    """The user's loss of each row, NaN where it has none; for more than two classes `prediction` is the likeliest."""
    import polars as pl

    answer = prediction if prediction.ndim == 1 else prediction.argmax(axis=1)
    columns = frame.drop([name for name in ("y", "prediction") if name in frame.columns])
    given = (pl.Series("y", y), pl.Series("prediction", answer))
    table = columns.with_columns(*given)
    try:
        found = evaluated(table, {_LOSS: f"CAST(({expression}) AS double)"}, "[value] loss")[_LOSS]
    except DataError as error:
        raise LossFailed(
            f"[value] loss cannot be computed: {error.what}", error.todo or "Correct the expression in task.toml."
        ) from None
    stated = found.fill_null(float("nan")).to_numpy()
    absent = found.is_null().to_numpy()
    bad = np.flatnonzero(~absent & ~np.isfinite(stated))
    if bad.size:
        raise LossFailed(
            f"[value] loss is not a finite number in {bad.size} of {len(y)} rows: it is {stated[bad[0]]} where y is "
            f"{y[bad[0]]:g} and prediction {answer[bad[0]]:g}",
            "Correct the expression in task.toml.",
        )
    if absent.any():
        _require_the_same_rows(expression, columns, y, absent)
    return np.asarray(stated, dtype=np.float64)


def _require_the_same_rows(expression: str, columns: pl.DataFrame, y: Floats, absent: NDArray[np.bool_]) -> None:
    """Refuse a loss that is missing for some predictions of a row: each model would be judged on rows of its own."""
    import polars as pl

    table = columns.with_columns(pl.Series("y", y), pl.Series("prediction", y))
    try:
        other = evaluated(table, {_LOSS: f"CAST(({expression}) AS double)"}, "[value] loss")[_LOSS]
    except DataError:
        return  # it cannot be computed of such predictions, and says nothing of which rows count
    if bool((other.is_null().to_numpy() != absent).any()):
        raise LossFailed(
            "[value] loss is missing for some predictions and not for others, so that each model would be judged on "
            "rows of its own",
            "Say what those cost: give CASE an ELSE.",
        )


def classes_of(prediction: Floats) -> NDArray[np.int64]:
    """Classes from probabilities: of class 1 (rows,) at one half, or the likeliest of (rows, K)."""
    if prediction.ndim == 1:
        return (prediction >= 0.5).astype(np.int64)
    return np.asarray(prediction.argmax(axis=1), dtype=np.int64)


def shape_fits(kind: Kind, classes: int, rows: int, prediction: NDArray[Any]) -> bool:
    """Whether predictions have the shape that their kind asks for, and are finite."""
    wanted = (rows, classes) if kind == "multiclass" else (rows,)
    return prediction.shape == wanted and bool(np.isfinite(prediction).all())


def _rmse(y: Floats, prediction: Floats) -> float:
    return float(np.sqrt(np.mean((y - prediction) ** 2)))


def _mae(y: Floats, prediction: Floats) -> float:
    return float(np.mean(np.abs(y - prediction)))


def _qlike(y: Floats, prediction: Floats) -> float:
    """Patton's QLIKE of volatilities: the mean of r - log(r) - 1 with r = (outcome / forecast)^2."""
    floor = least_of_qlike(y)
    ratio = (np.maximum(y, floor) / np.maximum(prediction, floor)) ** 2
    return float(np.mean(ratio - np.log(ratio) - 1))


def least_of_qlike(y: Floats) -> float:
    """What smaller outcomes and forecasts count as in QLIKE."""
    return max(_FLOOR * float(np.mean(np.abs(y))), float(np.finfo(np.float64).tiny))


def matrix(prediction: Floats) -> Floats:
    """Probabilities of every class; those of class 1 alone become two columns."""
    return np.stack([1 - prediction, prediction], axis=1) if prediction.ndim == 1 else prediction


def _log_loss(y: Floats, prediction: Floats) -> float:
    happened = matrix(prediction)[np.arange(len(y)), y.astype(np.int64)]
    return float(-np.mean(np.log(np.clip(happened, _LEAST, 1.0))))


def _brier(y: Floats, prediction: Floats) -> float:
    """Of class 1 for two classes; the sum over all classes for more."""
    if prediction.ndim == 1:
        return float(np.mean((y - prediction) ** 2))
    truth = np.eye(prediction.shape[1])[y.astype(np.int64)]
    return float(np.mean(((prediction - truth) ** 2).sum(axis=1)))


def _accuracy(y: Floats, prediction: Floats) -> float:
    return float(np.mean(classes_of(prediction) == y))


def _f1(y: Floats, prediction: Floats) -> float:
    """Of class 1 for two classes; the mean over the classes for more."""
    from sklearn.metrics import f1_score

    average = "binary" if prediction.ndim == 1 else "macro"
    return float(f1_score(y.astype(np.int64), classes_of(prediction), average=average, zero_division=0.0))


def _auc(y: Floats, prediction: Floats) -> float:
    """Area under the ROC curve; for more than two classes the mean of each present class against the rest."""
    from sklearn.metrics import roc_auc_score

    if prediction.ndim == 1:
        return float(roc_auc_score(y, prediction))
    present = [k for k in range(prediction.shape[1]) if 0 < (y == k).sum() < len(y)]
    return float(np.mean([roc_auc_score(y == k, prediction[:, k]) for k in present]))


_METRICS: dict[str, Callable[[Floats, Floats], float]] = {
    "rmse": _rmse,
    "mae": _mae,
    "qlike": _qlike,
    "log_loss": _log_loss,
    "brier": _brier,
    "accuracy": _accuracy,
    "f1": _f1,
    "auc": _auc,
}
