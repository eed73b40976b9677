"""Norms that exporters write out: numbers divided by the root of their own mean square."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.flow import ZERO, Pending, Value
from assay.transpile.flow.functions import IDENTITY
from assay.transpile.flow.tensor import Tensor, of_bases, operands
from assay.transpile.importers.onnx.operators.normalization import in_two_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.flow.flow import Flow
    from assay.transpile.importers.onnx.node import Node

    Integers = NDArray[np.int64]


def normed(node: Node, rows: Tensor, root: Tensor, *, inverse: bool) -> Tensor | None:
    """Rows over the root of ``factor * (sum of their squares) + epsilon`` in two steps; None if this is no such norm.

    Parameters
    ----------
    rows
        [..., n].
    root
        [..., 1]: the root, or with `inverse` its reciprocal.
    """
    if not rows.shape or root.shape != (*rows.shape[:-1], 1) or rows.constant or root.constant:
        return None
    values = operands(node.flow, rows)
    if (root.scale != 1).any() or root.shift.any() or (values.base == ZERO).any() or np.unique(values.scale).size > 1:
        return None
    found = {
        _sum_of_squares(node.flow, one, of, inverse=inverse)
        for one, of in zip(root.base.ravel().tolist(), values.base.reshape(-1, rows.shape[-1]), strict=True)
    }
    known = found.pop()
    if known is None or found:
        return None
    node.flow.meta["norms"] = True
    if not node.careful:
        return None
    factor, epsilon = known[0] * rows.shape[-1], known[1]
    result = in_two_steps(node.flow, of_bases(values.base), epsilon / factor)
    return result.scaled(float(values.scale.flat[0]) / math.sqrt(factor))


def _sum_of_squares(flow: Flow, root: int, of: Integers, *, inverse: bool) -> tuple[float, float] | None:
    """Factor and epsilon of a root over squares of these values."""
    found = flow.bases[root]
    if inverse and isinstance(found, Value) and found.function.name == "reciprocal":
        read = _only_read(flow, found)
        found = None if read is None else flow.bases[read]
        wanted = "sqrt"
    else:
        wanted = "inverse_sqrt" if inverse else "sqrt"
    if not isinstance(found, Value) or found.function.name != wanted:
        return None
    pending = flow.bases[found.pending]
    if not isinstance(pending, Pending) or pending.call < 0 or pending.pairs:
        return None
    call = flow.calls[pending.call]
    weights = call.matrix.weights[:, pending.column]
    squared = [_squared(flow, read) for read in call.reads.tolist()]
    if sorted(value for value in squared if value) != sorted(of.tolist()) or np.unique(weights).size > 1:
        return None
    factor = found.scale * pending.scale * float(weights[0])
    bias = pending.scale * float(call.matrix.bias[pending.column]) + pending.shift
    epsilon = found.scale * bias + found.shift
    return (factor, epsilon) if factor > 0 and epsilon >= 0 else None


def _only_read(flow: Flow, value: Value) -> int | None:
    """What a value is a function of, if that is one value as it is."""
    pending = flow.bases[value.pending]
    if (value.scale, value.shift) != (1.0, 0.0) or not isinstance(pending, Pending) or pending.call < 0:
        return None
    call = flow.calls[pending.call]
    plain = len(call.reads) == 1 and call.matrix.weights[0, pending.column] == 1 and not call.matrix.bias.any()
    return int(call.reads[0]) if plain and pending.scale == 1 and not pending.shift else None


def _squared(flow: Flow, read: int) -> int:
    """The value whose square is read; 0 if it is none."""
    found = flow.bases[read]
    if not isinstance(found, Value) or found.function != IDENTITY or (found.scale, found.shift) != (1.0, 0.0):
        return 0
    pending = flow.bases[found.pending]
    if not isinstance(pending, Pending) or pending.call >= 0 or len(pending.pairs) != 1 or pending.coefficient != 1:
        return 0
    first, second = pending.pairs[0]
    return first if first == second else 0
