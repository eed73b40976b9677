"""Functions of one variable: fused into the row of a linear call, else one row an element."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.flow import ZERO
from assay.transpile.flow.functions import NOT_NEGATIVE, RELU, Function
from assay.transpile.flow.tensor import Tensor, add, apply, readable
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

_FAR = -16.0  # whose exponential is 0 beside 1, within what outputs of 18 bits hold
_GELUS = {"none": "gelu", "tanh": "gelu_tanh"}
_ROWS = "0 after a linear call; else 1 an element"

# Exporters mask by -1e4, -1e9 or the end of float32: a number so far below others of its row has the exponential 0.
_MASK = 9000.0

# Functions whose parameters are attributes: their names and defaults.
_PLAIN: dict[str, tuple[str, dict[str, float]]] = {
    "Relu": ("relu", {}),
    "LeakyRelu": ("leaky_relu", {"alpha": 0.01}),
    "HardSigmoid": ("hard_sigmoid", {"alpha": 0.2, "beta": 0.5}),
    "HardSwish": ("hard_swish", {}),
    "Sigmoid": ("sigmoid", {}),
    "Tanh": ("tanh", {}),
    "Erf": ("erf", {}),
    "Elu": ("elu", {"alpha": 1.0}),
    "Selu": ("selu", {"alpha": 1.67326319217681884765625, "gamma": 1.05070102214813232421875}),
    "Celu": ("celu", {"alpha": 1.0}),
    "Softplus": ("softplus", {}),
    "Softsign": ("softsign", {}),
    "Mish": ("mish", {}),
    "Swish": ("swish", {"alpha": 1.0}),
    "Exp": ("exp", {}),
    "Log": ("log", {}),
    "Sqrt": ("sqrt", {}),
    "Reciprocal": ("reciprocal", {}),
    "Abs": ("abs", {}),
    "Sin": ("sin", {}),
    "Cos": ("cos", {}),
    "Asin": ("asin", {}),
    "Acos": ("acos", {}),
    "Atan": ("atan", {}),
    "Sinh": ("sinh", {}),
    "Cosh": ("cosh", {}),
    "Asinh": ("asinh", {}),
    "Acosh": ("acosh", {}),
    "Atanh": ("atanh", {}),
}


@operator(*_PLAIN, rows=_ROWS)
def plain_function(node: Node) -> Tensor:
    """A table of the function."""
    return apply(node.flow, node.tensor(0), _plain(node.operator, node.attributes))


def _plain(operator: str, attributes: Mapping[str, Any]) -> Function:
    name, parameters = _PLAIN[operator]
    return Function(name, tuple(float(attributes.get(key, default)) for key, default in parameters.items()))


def named_function(operator: str, attributes: Mapping[str, Any]) -> Function | None:
    """The function of an operator of one variable; None of an attribute that there is none for."""
    if operator in _PLAIN:
        return _plain(operator, attributes)
    if operator == "Gelu":
        name = _GELUS.get(str(attributes.get("approximate", "none")))
        return None if name is None else Function(name)
    return None


@operator("Tan", rows=_ROWS, limits="arguments within 0.07 of a pole, where the standard's second test asks")
def tan(node: Node) -> Tensor:
    """A table of one period."""
    return apply(node.flow, node.tensor(0), Function("tan"))


@operator("ThresholdedRelu", "Shrink", rows="as one function of one number; 2 to 4 an element where that is dearer")
def jumping(node: Node) -> Tensor:
    """Relus and steps; as one table (`composition`) it is 1 an element."""
    flow, tensor = node.flow, readable(node.flow, node.tensor(0))
    if node.operator == "ThresholdedRelu":
        end = float(node.attribute("alpha", 1.0))
        return _above(node, tensor, end, end)
    end, bias = float(node.attribute("lambd", 0.5)), float(node.attribute("bias", 0.0))
    below = _above(node, tensor.scaled(-1.0), end, end - bias)
    return add(flow, _above(node, tensor, end, end - bias), below.scaled(-1.0))


def _above(node: Node, tensor: Tensor, end: float, jump: float) -> Tensor:
    """``x - end + jump`` above an end, and 0 up to it."""
    over = apply(node.flow, tensor.scaled(1.0, -end), RELU)
    step = apply(node.flow, tensor.scaled(-1.0, end), NOT_NEGATIVE).scaled(-jump, jump)
    return add(node.flow, over, step)


@operator("Gelu", rows=_ROWS)
def gelu(node: Node) -> Tensor:
    """Exact or by tanh."""
    function = named_function(node.operator, node.attributes)
    if function is None:
        raise node.malformed(f"approximate is {node.attribute('approximate', '')!r:.40}")
    return apply(node.flow, node.tensor(0), function)


@operator("Clip", rows=_ROWS, limits="bounds that are not constant")
def clip(node: Node) -> Tensor:
    """Between two bounds, attributes until opset 10 and inputs since."""
    given = (float(np.asarray(node.constant(index)).reshape(())) if node.has(index) else None for index in (1, 2))
    low, high = clip_bounds(
        *(node.attribute(name, None) if end is None else end for name, end in zip(("min", "max"), given, strict=True))
    )
    return clipped(node, node.tensor(0), low, high)


def clip_bounds(low: float | None, high: float | None) -> tuple[float, float]:
    """Bounds of which either may be left out; of crossed ones the upper counts."""
    below = -math.inf if low is None else float(low)
    above = math.inf if high is None else float(high)
    return min(below, above), above


def clipped(node: Node, tensor: Tensor, low: float, high: float) -> Tensor:
    """As sums of relus where one side is open, so that arguments of any scale are exact; else one table."""
    largest = 3.0e38  # exporters write the ends of float32 for none
    if low <= -largest and high >= largest:
        return tensor
    if high >= largest:
        return apply(node.flow, tensor.scaled(1.0, -low), RELU).scaled(1.0, low)
    if low <= -largest:
        return apply(node.flow, tensor.scaled(-1.0, high), RELU).scaled(-1.0, high)
    return apply(node.flow, tensor, Function("clip", (low, high)))


@operator(
    "PRelu",
    rows="3 an element; 0 after a linear call if its slope is one number",
    limits="a slope that is not constant",
)
def prelu(node: Node) -> Tensor:
    """``relu(x) - slope relu(-x)``."""
    slope = np.asarray(node.constant(1), dtype=np.float64)
    tensor = node.tensor(0)
    if slope.size == 1:
        return apply(node.flow, tensor, Function("leaky_relu", (float(slope.reshape(())),)))
    above = apply(node.flow, tensor, RELU)
    below = apply(node.flow, tensor.scaled(-1.0), RELU)
    return add(node.flow, above, below.scaled(-slope))


@operator("Pow", rows=_ROWS, limits="an exponent and a base that both depend on the features")
def power(node: Node) -> Tensor:
    """By a constant exponent, or of a constant base."""
    left, right = node.tensor(0), node.tensor(1)
    if right.constant:
        shape = np.broadcast_shapes(left.shape, right.shape)
        return _elementwise(node, left.broadcast(shape), np.broadcast_to(right.shift, shape))
    bases = np.unique(left.shift) if left.constant else np.zeros(0)
    if bases.size != 1 or bases[0] <= 0:
        raise node.refuse("neither its exponent nor its base is one positive constant")
    wide = right.broadcast(np.broadcast_shapes(left.shape, right.shape))
    return apply(node.flow, wide, Function("base_power", (float(bases[0]),)))


def _elementwise(node: Node, tensor: Tensor, exponents: NDArray[np.float64]) -> Tensor:
    """Each element to its own constant power."""
    base, scale, shift = tensor.base.copy(), tensor.scale.copy(), tensor.shift.copy()
    for exponent in np.unique(exponents).tolist():
        chosen = exponents == exponent
        found = to_the(node, Tensor(tensor.base[chosen], tensor.scale[chosen], tensor.shift[chosen]), exponent)
        base[chosen], scale[chosen], shift[chosen] = found.base, found.scale, found.shift
    return Tensor(base, scale, shift)


def to_the(node: Node, tensor: Tensor, exponent: float) -> Tensor:
    """A power; squares and cubes by multiplication."""
    from assay.transpile.flow.tensor import multiply

    if exponent == 1:
        return tensor
    if exponent == 2:
        return multiply(node.flow, tensor, tensor)
    if exponent == 3:
        return multiply(node.flow, tensor, multiply(node.flow, tensor, tensor))
    name = {0.5: "sqrt", -0.5: "inverse_sqrt", -1.0: "reciprocal"}.get(exponent)
    if name is not None:
        return apply(node.flow, tensor, Function(name))
    whole = exponent == int(exponent)
    return apply(node.flow, tensor, Function("power" if whole and exponent > 0 else "positive_power", (exponent,)))


@operator("Softmax", "LogSoftmax", rows="about 5 an element")
def softmax(node: Node) -> Tensor:
    """Along an axis; before opset 13 over all axes from it on."""
    tensor = node.tensor(0)
    shape, rank = tensor.shape, len(tensor.shape)
    if node.version >= 13:
        axis = node.axis(int(node.attribute("axis", -1)), rank)
        rows = tensor.moved(lambda part: np.moveaxis(part, axis, -1))
        result = along_last(node, rows, log=node.operator == "LogSoftmax")
        return result.moved(lambda part: np.moveaxis(part, -1, axis))
    axis = node.axis(int(node.attribute("axis", 1)), rank)
    rows = tensor.moved(lambda part: part.reshape(int(np.prod(shape[:axis])), -1))
    return along_last(node, rows, log=node.operator == "LogSoftmax").moved(lambda part: part.reshape(shape))


def _masked(tensor: Tensor) -> NDArray[np.bool_]:
    """Where a constant of minus infinity, or what exporters write for it, leaves nothing of an exponential."""
    top = tensor.shift.max(axis=-1, keepdims=True, initial=-np.inf)
    return np.asarray(np.isneginf(tensor.shift) | (tensor.shift < top - _MASK))


def along_last(node: Node, tensor: Tensor, *, log: bool = False) -> Tensor:
    """The largest, differences, exponentials, their sum, its reciprocal, and products (or its logarithm)."""
    from assay.transpile.flow.tensor import comparable, largest, multiply, subtract, total

    flow = node.flow
    masked = _masked(tensor)
    if log and masked.any():
        raise node.refuse("it takes the logarithm of what is masked", "Use Softmax.")
    if (masked & np.isfinite(tensor.shift)).any():
        flow.notes.append(f"what a constant puts {_MASK:g} below others of its row is taken for masked in {node.shown}")
    safe = Tensor(np.where(masked, ZERO, tensor.base), tensor.scale, np.where(masked, 0.0, tensor.shift))
    finite = comparable(flow, safe)
    known = Tensor(finite.base, finite.scale, np.where(masked, -np.inf, finite.shift))
    best = largest(flow, known).moved(lambda part: part[..., np.newaxis])
    distance = subtract(flow, finite, best)
    flow.meta["softmaxes"] = True
    if node.careful and not log:  # bounds may let distances go where no table follows an exponential
        distance = apply(flow, distance, Function("clip", (_FAR, 0.0)))
    powers = apply(flow, distance, Function("exp_negative"))
    if masked.any():
        powers = Tensor(
            np.where(masked, ZERO, powers.base),
            np.where(masked, 1.0, powers.scale),
            np.where(masked, 0.0, powers.shift),
        )
    sums = total(flow, powers).moved(lambda part: part[..., np.newaxis])
    if log:
        return subtract(flow, distance, apply(flow, sums, Function("log_from_one")))
    return multiply(flow, powers, apply(flow, sums, Function("reciprocal_from_one")))
