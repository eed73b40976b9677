"""The metric of a model's answers and of a circuit's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.circuit.answers import Answers


def metric(
    answers: Answers, before: Any, after: Any, targets: NDArray[Any] | None
) -> tuple[str | None, float | None, float | None]:
    """Name and values of the metric; all None without targets or for rankings.

    Parameters
    ----------
    answers
        What the outputs mean.
    before, after
        What the model's own predict and the circuit answer: labels, or float64[B, K].
    targets
        What was true.
    """
    if targets is None or answers.task == "ranking":
        return None, None, None
    if answers.task in {"classification", "multilabel"}:
        wanted = [_plain(value) for value in targets.tolist()]
        scores = [float(np.mean([a == b for a, b in zip(own, wanted, strict=True)])) for own in (before, after)]
        return "accuracy", scores[0], scores[1]
    true = targets.astype(np.float64).reshape(len(targets), -1)
    errors = [float(np.sqrt(((values.reshape(true.shape) - true) ** 2).mean())) for values in (before, after)]
    return "rmse", errors[0], errors[1]


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str | list) else str(value)
