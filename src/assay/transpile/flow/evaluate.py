"""A flow in floating point: what its rows would hold without any rounding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.flow import ZERO, Flow, Input, Largest, Pending, Value

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def evaluate(flow: Flow, features: Floats, centres: Floats) -> Floats:
    """Every base for some rows: float64[bases, B], with what each feature is counted from taken off the inputs."""
    found = np.zeros((len(flow.bases), len(features)))
    calls: dict[int, Floats] = {}
    for number, base in enumerate(flow.bases):
        if isinstance(base, Input):
            found[number] = features[:, base.index] - centres[base.index]
        elif isinstance(base, Largest):
            found[number] = np.maximum(found[base.first], found[base.second])
        elif isinstance(base, Value):
            found[number] = base.function(base.scale * found[base.pending] + base.shift)
        elif isinstance(base, Pending):
            found[number] = _pending(flow, base, found, calls)
    return found


def _pending(flow: Flow, base: Pending, found: Floats, calls: dict[int, Floats]) -> Floats:
    total = np.full(found.shape[1], base.shift)
    if base.call >= 0:
        if base.call not in calls:
            call = flow.calls[base.call]
            calls[base.call] = call.matrix.weights.T @ found[call.reads] + call.matrix.bias[:, np.newaxis]
        total = total + base.scale * calls[base.call][base.column]
    for a, b in base.pairs:
        total = total + base.coefficient * found[a] * found[b]
    return np.asarray(total)


def results(flow: Flow, values: Floats) -> Floats:
    """The outputs of `evaluate`'s values: float64[B, K]."""
    bases, scales, shifts = (np.array(part) for part in zip(*flow.results, strict=True))
    return np.asarray(np.where(bases == ZERO, 0.0, values[bases].T * scales) + shifts)
