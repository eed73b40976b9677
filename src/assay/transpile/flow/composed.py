"""Several steps on one number as one function: a known one, or a table of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import IDENTITY, RELU, Function, Placed
from assay.transpile.flow.tensor import Tensor, apply

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.flow.expressions import Expression, Jump
    from assay.transpile.flow.flow import Flow

    Floats = NDArray[np.float64]

_LOOK = np.linspace(-24.0, 24.0, 3073)
_EQUAL = 2e-6  # float32 constants that exporters write, on values of a few
_MOST_JUMPS = 9
_GRID = 1e-6  # of the distance of two jumps: how far a third may be from where a segment begins
# Of the distance of two jumps: an argument before its end is rounded to a cell before it, for cells of 2^-12 and finer.
BAND = 0.75 * 2.0**-12
_KNOWN = (
    *(Function(name) for name in ("sigmoid", "tanh", "gelu", "gelu_tanh", "softplus", "log_sigmoid", "mish")),
    *(Function(name) for name in ("hard_swish", "softsign")),
    *(Function("swish", (alpha,)) for alpha in (1.0, 1.702)),
    Function("elu", (1.0,)),
    Function("selu", (1.67326319217681884765625, 1.05070102214813232421875)),
)


def composed(flow: Flow, tensor: Tensor, expression: Expression) -> Tensor | None:
    """The expression of each element; None if no table holds it."""
    found = _known(expression)
    if found is not None:
        inner = tensor.scaled(found.sign) if found.sign < 0 else tensor
        return (inner if found.function == IDENTITY else apply(flow, inner, found.function)).scaled(found.factor)
    placed = _placed(expression.jumps) if expression.jumps else None
    if expression.jumps and placed is None:
        return None
    if placed is None:
        return apply(flow, tensor, Function("composed", expression=expression))
    argument = tensor.scaled(placed.scale, -placed.scale * placed.centre)
    return apply(flow, argument, Function("composed", expression=expression, placed=placed))


@dataclass(frozen=True)
class _Known:
    """``factor * function(sign * x)``."""

    function: Function
    factor: float = 1.0
    sign: float = 1.0


@lru_cache(maxsize=256)
def _known(expression: Expression) -> _Known | None:
    """A function that has a name."""
    values = expression(_LOOK)
    found = _straight(values) or _clipped(values)
    if found is not None:
        return found
    for function in _KNOWN:
        for sign in (1.0, -1.0):
            own = function(sign * _LOOK)
            factor = float(values @ own / (own @ own))
            if np.abs(factor * own - values).max() <= _EQUAL * max(abs(factor), 1.0):
                return _Known(function, 1.0 if abs(factor - 1) <= _EQUAL else factor, sign)
    return None


def _straight(values: Floats) -> _Known | None:
    """One that is straight on both sides of 0, which tables hold exactly."""
    above, below = (float(values[place] / _LOOK[place]) for place in (-1, 0))
    wanted = np.where(_LOOK > 0, above, below) * _LOOK
    if np.abs(wanted - values).max() > _EQUAL * max(abs(above), abs(below)) or not (above or below):
        return None
    if not above or not below:
        return _Known(RELU, above or -below, 1.0 if above else -1.0)
    if above in {below, -below}:
        return _Known(IDENTITY if above == below else Function("abs"), above)
    return _Known(Function("leaky_relu", (below / above,)), above)


def _clipped(values: Floats) -> _Known | None:
    """One that rises or falls as its argument does, between two ends."""
    first, last = float(values[0]), float(values[-1])
    ends, sign = (min(first, last), max(first, last)), 1.0 if first < last else -1.0
    if not np.isfinite(ends).all() or np.abs(np.clip(sign * _LOOK, *ends) - values).max() > _EQUAL:
        return None
    return _Known(Function("clip", ends), 1.0, sign)


def _placed(jumps: tuple[Jump, ...]) -> Placed | None:
    """Arguments by which jumps stand at whole numbers; None where they are not evenly apart, or too many."""
    if len(jumps) > _MOST_JUMPS:
        return None
    places = np.array([jump.at for jump in jumps])
    lefts = [jump.left for jump in jumps]
    if len(jumps) == 1:
        return Placed(-1.0 if lefts[0] else 1.0, float(places[0]), (0.0,))
    step = float(np.diff(places).min())
    numbers = (places - places[0]) / step
    if np.abs(numbers - np.rint(numbers)).max() > _GRID:
        return None
    whole = tuple(float(number) for number in np.rint(numbers))
    if not any(lefts):
        return Placed(1 / step, float(places[0]), whole)
    if all(lefts):  # seen from the other side each value is that of the right one
        return Placed(-1 / step, float(places[-1]), tuple(sorted(whole[-1] - number for number in whole)))
    if len(jumps) > 2:
        return None
    if lefts[1]:
        return Placed((1 - BAND) / step, float(places[0]), whole, (1 - BAND, 1.0))
    scale = (1 + BAND) / step
    return Placed(scale, float(places[0]) + BAND / scale, whole, (-BAND, 0.0))
