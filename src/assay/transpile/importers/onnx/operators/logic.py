"""Comparisons and logic: truth values are the numbers 0 and 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import NOT_NEGATIVE
from assay.transpile.flow.tensor import Tensor, add, apply, constant, multiply, readable, subtract
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.flow.flow import Flow
    from assay.transpile.importers.onnx.node import Node, Operand

_ROWS = "1 an element, as far as rounding lets two numbers be told apart"


def at_least(flow: Flow, left: Tensor, right: Tensor) -> Tensor:
    """1 where ``left >= right``; against infinity that is constant, since every number of a circuit is finite."""
    if np.isfinite(left.shift).all() and np.isfinite(right.shift).all():
        return apply(flow, subtract(flow, left, right), NOT_NEGATIVE)
    if np.isnan(left.shift).any() or np.isnan(right.shift).any():
        raise ValueError("it compares with what is no number")
    one, two = (tensor.broadcast(np.broadcast_shapes(left.shape, right.shape)) for tensor in (left, right))
    endless = ~(np.isfinite(one.shift) & np.isfinite(two.shift))
    rest = [_where(endless, constant(np.zeros(endless.shape)), part) for part in (one, two)]
    return _where(
        endless, constant(one.shift >= two.shift), apply(flow, subtract(flow, rest[0], rest[1]), NOT_NEGATIVE)
    )


def _where(chosen: NDArray[np.bool_], yes: Tensor, no: Tensor) -> Tensor:
    """One of two by a constant."""
    return Tensor(*(np.where(chosen, getattr(yes, name), getattr(no, name)) for name in ("base", "scale", "shift")))


def equal(node: Node, left: Tensor, right: Tensor) -> Tensor:
    """1 where both are the same."""
    flow = node.flow
    left, right = readable(flow, left), readable(flow, right)
    both = add(flow, at_least(flow, left, right), at_least(flow, right, left))
    return both.scaled(1.0, -1.0)


@operator("Less", "Greater", "LessOrEqual", "GreaterOrEqual", rows=_ROWS)
def compare(node: Node) -> Tensor:
    """An order."""
    left, right = node.tensor(0), node.tensor(1)
    if node.operator in {"LessOrEqual", "Greater"}:
        left, right = right, left
    found = at_least(node.flow, left, right)
    return found.scaled(-1.0, 1.0) if node.operator in {"Less", "Greater"} else found


@operator("Equal", rows="2 an element, as far as rounding lets two numbers be told apart")
def equal_(node: Node) -> Tensor:
    """Equality."""
    return equal(node, node.tensor(0), node.tensor(1))


@operator("Not", rows="0")
def not_(node: Node) -> Tensor:
    """Negation."""
    return node.tensor(0).scaled(-1.0, 1.0)


@operator("And", "Or", "Xor", rows="1 or 2 an element")
def logic(node: Node) -> Tensor:
    """``ab``, ``a + b - ab``, ``a + b - 2ab``."""
    flow, left, right = node.flow, node.tensor(0), node.tensor(1)
    both = multiply(flow, left, right)
    if node.operator == "And":
        return both
    return add(flow, add(flow, left, right), both.scaled(-1.0 if node.operator == "Or" else -2.0))


@operator("Where", rows="0 by a constant condition; else 1 an element")
def where(node: Node) -> Tensor:
    """One of two by a condition."""
    flow, condition, yes, no = node.flow, node.tensor(0), node.tensor(1), node.tensor(2)
    shape = np.broadcast_shapes(condition.shape, yes.shape, no.shape)
    if condition.constant:
        chosen = np.broadcast_to(condition.shift != 0, shape)
        one, two = yes.broadcast(shape), no.broadcast(shape)
        return _where(chosen, one, two)
    if not (np.isfinite(yes.shift).all() and np.isfinite(no.shift).all()):
        raise node.refuse("it chooses infinity by a condition that depends on the features")
    return add(flow, multiply(flow, condition, yes), multiply(flow, condition.scaled(-1.0, 1.0), no))


@operator("IsNaN", "IsInf", rows="0", limits="rows with NaN or infinity, which the standard's tests ask for")
def is_not_finite(node: Node) -> Operand:
    """Nowhere: every number of a circuit is finite."""
    return np.zeros(node.tensor(0).shape, dtype=np.bool_)
