"""Floor, Ceil, Round, Sign and whole parts: exact but for numbers that rounding moves over a whole one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.transpile.flow.functions import FLOOR, RELU
from assay.transpile.flow.tensor import Tensor, add, apply, constant, readable, subtract
from assay.transpile.importers.onnx.operators.logic import at_least
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from assay.transpile.importers.onnx.node import Node

_ROWS = "1 an element; 2 for Round and Sign"


@operator("Floor", rows=_ROWS)
def floor(node: Node) -> Tensor:
    """The whole number below."""
    return apply(node.flow, node.tensor(0), FLOOR)


@operator("Ceil", rows=_ROWS)
def ceil(node: Node) -> Tensor:
    """The whole number above."""
    return _ceil(node, node.tensor(0))


def _ceil(node: Node, tensor: Tensor) -> Tensor:
    return apply(node.flow, tensor.scaled(-1.0), FLOOR).scaled(-1.0)


@operator("Round", rows=_ROWS)
def round_(node: Node) -> Tensor:
    """To the nearest, halves to even."""
    return rounded(node, node.tensor(0))


def rounded(node: Node, tensor: Tensor) -> Tensor:
    """Jumps below odd halves come before them, those above even ones after."""
    half = readable(node.flow, tensor).scaled(0.5)
    return add(node.flow, apply(node.flow, half.scaled(1.0, 0.25), FLOOR), _ceil(node, half.scaled(1.0, -0.25)))


@operator("Sign", rows=_ROWS)
def sign(node: Node) -> Tensor:
    """-1, 0 or 1."""
    tensor, zero = readable(node.flow, node.tensor(0)), constant(0.0)  # type: ignore[arg-type]
    return subtract(node.flow, at_least(node.flow, tensor, zero), at_least(node.flow, zero, tensor))


def truncated(node: Node, tensor: Tensor) -> Tensor:
    """The part before the point; constants and whole numbers stay."""
    if tensor.constant:
        return tensor
    flow = node.flow
    tensor = readable(flow, tensor)
    above = apply(flow, apply(flow, tensor, RELU), FLOOR)
    below = apply(flow, apply(flow, tensor.scaled(-1.0), RELU), FLOOR)
    return subtract(flow, above, below)
