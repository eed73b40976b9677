"""Add, Sub, Mul, Div, Neg, Sum, Mean, and scaling by constants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import RECIPROCAL
from assay.transpile.flow.tensor import Tensor, add, apply, multiply, subtract
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
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
    return multiply(node.flow, node.tensor(0), node.tensor(1))


@operator("Div", rows="0 by a constant; else 2 an element", limits="a divisor that can be 0; whole numbers")
def div(node: Node) -> Tensor:
    """The quotient."""
    _check(node)
    right = node.tensor(1)
    if node.whole:
        raise node.refuse("it divides whole numbers, whose quotient is cut off", "Divide floats, or use Floor.")
    if right.constant:
        if (right.shift == 0).any():
            raise node.refuse("it divides by zero")
        return node.tensor(0).scaled(1 / right.shift)
    return multiply(node.flow, node.tensor(0), apply(node.flow, right, RECIPROCAL))


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
