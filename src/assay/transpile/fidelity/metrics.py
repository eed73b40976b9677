"""Classes and metrics from raw margins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.circuit import Circuit

    Floats = NDArray[np.float64]


def classes_of(circuit: Circuit, margins: Floats) -> NDArray[np.int64]:
    """Class numbers int64[B]: the largest margin, or the sign of a single one."""
    if margins.shape[1] > 1 or circuit.meta.get("link") == "probability":
        return np.asarray(margins.argmax(axis=1))
    return (margins[:, 0] > 0).astype(np.int64)


def predictions(circuit: Circuit, margins: Floats) -> Floats:
    """What a regression model's `predict` makes of its margins."""
    link = circuit.meta.get("link")
    with np.errstate(over="ignore"):
        if link == "log":
            return np.exp(margins)
        if link == "logit":
            return np.asarray(1 / (1 + np.exp(-margins)))
    return margins


def metric(
    circuit: Circuit, before: Floats, after: Floats, targets: NDArray[Any] | None
) -> tuple[str | None, float | None, float | None]:
    """Name and values of the metric; all None without targets or for rankings."""
    task = circuit.meta.get("task")
    if targets is None or task == "ranking":
        return None, None, None
    if task == "classification":
        labels = np.asarray(circuit.meta.get("classes", range(max(2, len(circuit.outputs)))))
        scores = [float((labels[classes_of(circuit, margins)] == targets).mean()) for margins in (before, after)]
        return "accuracy", scores[0], scores[1]
    wanted = targets.astype(np.float64).reshape(len(before), -1)
    errors = [float(np.sqrt(((predictions(circuit, margins) - wanted) ** 2).mean())) for margins in (before, after)]
    return "rmse", errors[0], errors[1]
