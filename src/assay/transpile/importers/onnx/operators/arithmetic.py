"""Add, Sub, Mul, Div, Neg, Sum, Mean, and scaling by constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import FLOOR, RECIPROCAL, RELU, Function
from assay.transpile.flow.tensor import Tensor, add, apply, constant, multiply, readable, subtract
from assay.transpile.importers.onnx.operators.roots import normed
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node


@operator("Add", rows="0 by a constant or to a linear call; else 2 an element")
def add_(node: Node) -> Tensor:
    """The sum."""
    _check(node)
    return add(node.flow, node.tensor(0), node.tensor(1))


@operator("Sub", rows="as Add")
def sub(node: Node) -> Tensor:
    """The difference."""
    _check(node)
    return subtract(node.flow, node.tensor(0), node.tensor(1))


@operator("Mul", rows="0 by a constant; else 1 an element")
def mul(node: Node) -> Tensor:
    """The product."""
    _check(node)
    left, right = node.tensor(0), node.tensor(1)
    found = normed(node, left, right, inverse=True) or normed(node, right, left, inverse=True)
    return multiply(node.flow, left, right) if found is None else found


@operator("Div", rows="0 by a constant; else 2 an element; of whole numbers 4 more", limits="a divisor that can be 0")
def div(node: Node) -> Tensor:
    """The quotient; of whole numbers without what follows the point."""
    _check(node)
    left, right = node.tensor(0), node.tensor(1)
    if node.whole:
        return _cut(node, left, right)
    found = normed(node, left, right, inverse=False)
    return multiply(node.flow, left, _inverse(node, right)) if found is None else found


def _inverse(node: Node, tensor: Tensor) -> Tensor:
    if not tensor.constant:
        return apply(node.flow, tensor, RECIPROCAL)
    if (tensor.shift == 0).any():
        raise node.refuse("it divides by zero")
    return constant(1 / tensor.shift)


def _cut(node: Node, left: Tensor, right: Tensor) -> Tensor:
    """Towards zero: half a unit more than the quotient of whole numbers, so that rounding moves none over a jump."""
    flow = node.flow
    inverse = _inverse(node, right)
    half = apply(flow, inverse, Function("abs")).scaled(0.5)
    quotient = readable(flow, multiply(flow, left, inverse))
    above = apply(flow, add(flow, apply(flow, quotient, RELU), half), FLOOR)
    if node.types[0].startswith("u"):
        return above
    below = apply(flow, add(flow, apply(flow, quotient.scaled(-1.0), RELU), half), FLOOR)
    return subtract(flow, above, below)


@operator("Mod", rows="2 an element", limits="a divisor that is not constant, or 0")
def mod(node: Node) -> Tensor:
    """What is left of a division: of the divisor's sign, or with `fmod` of the number's."""
    _check(node)
    flow, left, divisor = node.flow, node.tensor(0), np.asarray(node.constant(1), dtype=np.float64)
    if (divisor == 0).any():
        raise node.refuse("it divides by zero")
    left = readable(flow, left)
    if node.attribute("fmod", 0):
        size = np.abs(divisor)
        quotient = subtract(
            flow,
            *(
                apply(flow, apply(flow, left.scaled(sign), RELU).scaled(1 / size, _nudge(node, size)), FLOOR)
                for sign in (1.0, -1.0)
            ),
        )
        return subtract(flow, left, quotient.scaled(size))
    quotient = apply(flow, left.scaled(1 / divisor, _nudge(node, divisor)), FLOOR)
    return subtract(flow, left, quotient.scaled(divisor))


def _nudge(node: Node, divisor: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of whole numbers half a unit, which moves none over a jump and keeps rounding from it."""
    return 0.5 / np.abs(divisor) if node.whole else np.zeros_like(divisor)


@operator("Neg", rows="0")
def neg(node: Node) -> Tensor:
    """The negation."""
    return node.tensor(0).scaled(-1.0)


@operator("Sum", rows="as Add")
def sum_(node: Node) -> Tensor:
    """The sum of any number of tensors."""
    result = node.tensor(0)
    for index in range(1, len(node.inputs)):
        result = add(node.flow, result, node.tensor(index))
    return result


@operator("Mean", rows="as Add")
def mean(node: Node) -> Tensor:
    """The mean of any number of tensors."""
    total: Tensor = sum_(node)
    return total.scaled(1 / len(node.inputs))


def _check(node: Node) -> None:
    """Broadcasting of before opset 7 is another; shapes that do not broadcast are NumPy's error."""
    np.broadcast_shapes(*(node.tensor(index).shape for index in (0, 1)))
