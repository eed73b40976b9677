"""Reductions along axes, ArgMax, ArgMin, TopK and CumSum."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.flow import ZERO
from assay.transpile.flow.functions import Function
from assay.transpile.flow.tensor import (
    Tensor,
    add,
    apply,
    comparable,
    concatenate,
    constant,
    largest,
    linear,
    multiply,
    readable,
    stack,
    subtract,
    total,
)
from assay.transpile.importers.onnx.node import WHOLE
from assay.transpile.importers.onnx.operators.logic import at_least, equal
from assay.transpile.importers.onnx.operators.rounding import truncated
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.transpile.importers.onnx.node import Node

# Opset from which the axes are an input rather than an attribute.
_AXES_INPUT = {"ReduceSum": 13}
_MOST_FACTORS = 4


_CUT = {"ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"}


def _reduced(node: Node, reduce: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function of the last axis to the axes that the node names."""
    tensor = node.tensor(0)
    rank = len(tensor.shape)
    if node.version >= _AXES_INPUT.get(node.operator, 18):
        axes = node.integers(1) if node.has(1) else []
        if not axes and node.attribute("noop_with_empty_axes", 0):  # each element by itself: its square, its size
            return reduce(tensor.moved(lambda part: part[..., np.newaxis]))
    else:
        axes = list(node.attribute("axes", None) or [])
    axes = sorted({node.axis(axis, rank) for axis in axes}) if axes else list(range(rank))
    kept = [axis for axis in range(rank) if axis not in axes]
    shape = tuple(1 if axis in axes else extent for axis, extent in enumerate(tensor.shape))
    if not node.attribute("keepdims", 1):
        shape = tuple(tensor.shape[axis] for axis in kept)
    outer = [tensor.shape[axis] for axis in kept]
    count = int(np.prod([tensor.shape[axis] for axis in axes]))
    if node.whole and node.operator in _CUT:
        raise node.refuse("of whole numbers it cuts off what follows the point", "Cast them to float before it.")
    if not count:
        raise node.refuse("it reduces nothing")
    rows = tensor.moved(lambda part: np.transpose(part, (*kept, *axes)).reshape(*outer, count))
    return reduce(rows).moved(lambda part: part.reshape(shape))


def _total(node: Node) -> Callable[[Tensor], Tensor]:
    return lambda rows: total(node.flow, rows)


_MOST_COMPARISONS = 4096


@operator("ReduceSum", rows="a linear call an element")
def reduce_sum(node: Node) -> Tensor:
    """The sum."""
    return _reduced(node, _total(node))


@operator("ReduceMean", rows="a linear call an element")
def reduce_mean(node: Node) -> Tensor:
    """The mean."""
    return _reduced(node, lambda rows: total(node.flow, rows, 1 / rows.shape[-1]))


@operator("ReduceMax", rows="reduced elements - 1 an element")
def reduce_max(node: Node) -> Tensor:
    """The largest."""
    return _reduced(node, lambda rows: largest(node.flow, rows))


@operator("ReduceMin", rows="as ReduceMax; 1 more an input that is no linear call")
def reduce_min(node: Node) -> Tensor:
    """The smallest: the largest of the negatives, negated."""
    return _reduced(node, lambda rows: largest(node.flow, rows.scaled(-1.0)).scaled(-1.0))


@operator("ReduceL1", rows="1 an element and a linear call")
def reduce_l1(node: Node) -> Tensor:
    """The sum of sizes."""
    return _reduced(node, lambda rows: total(node.flow, apply(node.flow, rows, Function("abs"))))


def _squares(node: Node, rows: Tensor) -> Tensor:
    return total(node.flow, multiply(node.flow, rows, rows))


@operator("ReduceSumSquare", rows="1 an element and a linear call")
def reduce_sum_square(node: Node) -> Tensor:
    """The sum of squares."""
    return _reduced(node, lambda rows: _squares(node, rows))


@operator("ReduceL2", rows="1 an element, a linear call and 1")
def reduce_l2(node: Node) -> Tensor:
    """The Euclidean norm."""
    return _reduced(node, lambda rows: apply(node.flow, _squares(node, rows), Function("sqrt")))


@operator("ReduceLogSum", rows="a linear call and 1 an element")
def reduce_log_sum(node: Node) -> Tensor:
    """The logarithm of the sum."""
    return _reduced(node, lambda rows: apply(node.flow, total(node.flow, rows), Function("log")))


@operator("ReduceLogSumExp", rows="about 3 an element")
def reduce_log_sum_exp(node: Node) -> Tensor:
    """The logarithm of the sum of exponentials, from the largest on."""

    def reduce(rows: Tensor) -> Tensor:
        rows = comparable(node.flow, rows)
        best = largest(node.flow, rows)
        distance = subtract(node.flow, rows, best.moved(lambda part: part[..., np.newaxis]))
        sums = total(node.flow, apply(node.flow, distance, Function("exp_negative")))
        return add(node.flow, apply(node.flow, sums, Function("log_from_one")), best)

    return _reduced(node, reduce)


@operator("ReduceProd", rows="1 an element", limits="more than 4 elements at once")
def reduce_prod(node: Node) -> Tensor:
    """The product."""

    def reduce(rows: Tensor) -> Tensor:
        if rows.shape[-1] > _MOST_FACTORS:
            raise node.refuse(f"it multiplies {rows.shape[-1]} numbers, whose product no fixed point holds")
        result = rows.moved(lambda part: part[..., 0])
        for index in range(1, rows.shape[-1]):
            result = multiply(node.flow, result, rows.moved(lambda part, index=index: part[..., index]))  # type: ignore[misc]
        return result

    return _reduced(node, reduce)


@operator("Max", "Min", rows="1 an element and input")
def max_and_min(node: Node) -> Tensor:
    """The largest or smallest of several tensors, broadcast."""
    sign = 1.0 if node.operator == "Max" else -1.0
    tensors = [node.tensor(index) for index in range(len(node.inputs))]
    shape = np.broadcast_shapes(*(tensor.shape for tensor in tensors))
    wide = [tensor.broadcast(shape).scaled(sign).moved(lambda part: part[..., np.newaxis]) for tensor in tensors]
    return largest(node.flow, concatenate(wide, -1)).scaled(sign)


def best(node: Node, rows: Tensor, *, smallest: bool, last: bool) -> tuple[Tensor, Tensor]:
    """The best along the last axis and its index; of equals the first, or the last."""
    flow = node.flow
    rows = readable(flow, rows.scaled(-1.0) if smallest else rows)
    best, index = rows.moved(lambda part: part[..., 0]), None
    for place in range(1, rows.shape[-1]):
        here = rows.moved(lambda part, place=place: part[..., place])  # type: ignore[misc]
        better = at_least(flow, here, best) if last else at_least(flow, best, here).scaled(-1.0, 1.0)
        if index is None:
            index = better.scaled(float(place))
        else:
            index = add(flow, index, multiply(flow, better, index.scaled(-1.0, float(place))))
        pair = concatenate(
            [best.moved(lambda part: part[..., np.newaxis]), here.moved(lambda part: part[..., np.newaxis])], -1
        )
        best = largest(flow, pair)
    if index is None:
        index = Tensor(np.full(best.shape, ZERO), np.ones(best.shape), np.zeros(best.shape))
    return best.scaled(-1.0) if smallest else best, index


@operator("ArgMax", "ArgMin", rows="4 an element")
def arg_max(node: Node) -> Tensor:
    """The index of the best."""
    tensor = node.tensor(0)
    axis = node.axis(int(node.attribute("axis", 0)), len(tensor.shape))
    rows = tensor.moved(lambda part: np.moveaxis(part, axis, -1))
    last = bool(node.attribute("select_last_index", 0))
    _, index = best(node, rows, smallest=node.operator == "ArgMin", last=last)
    return index.moved(lambda part: np.expand_dims(part, axis)) if node.attribute("keepdims", 1) else index


@operator("Hardmax", rows="about 6 an element")
def hardmax(node: Node) -> Tensor:
    """1 where the largest along an axis is first, else 0; before opset 13 over all axes from it on."""
    tensor = node.tensor(0)
    shape, rank = tensor.shape, len(tensor.shape)
    axis = node.axis(int(node.attribute("axis", -1 if node.version >= 13 else 1)), rank)
    rows = tensor.moved(lambda part: np.moveaxis(part, axis, -1))
    if node.version < 13:
        rows = tensor.moved(lambda part: part.reshape(int(np.prod(shape[:axis])), -1))
    _, index = best(node, rows, smallest=False, last=False)
    index = index.moved(lambda part: part[..., np.newaxis])
    found = equal(node, index, constant(np.arange(rows.shape[-1], dtype=np.float64)))
    if node.version < 13:
        return found.moved(lambda part: part.reshape(shape))
    return found.moved(lambda part: np.moveaxis(part, -1, axis))


@operator("OneHot", rows="2 to 4 an element and class", limits="a number of classes or values that are not constant")
def one_hot(node: Node) -> Tensor:
    """One value at the place that an index names, counted from the end where it is below zero; another elsewhere."""
    tensor, depth = node.tensor(0), node.integers(1)[0]
    if tensor.kind not in WHOLE:  # the standard casts indices
        tensor = truncated(node, tensor)
    off, on = np.asarray(node.constant(2), dtype=np.float64).reshape(2)
    axis = node.axis(int(node.attribute("axis", -1)), len(tensor.shape) + 1)
    node.fits((*tensor.shape, depth))
    places = np.arange(depth, dtype=np.float64)
    wide = readable(node.flow, tensor.moved(lambda part: part[..., np.newaxis]))
    found = equal(node, wide, constant(places))
    if not tensor.kind.startswith("u"):
        found = add(node.flow, found, equal(node, wide, constant(places - depth)))
    return found.scaled(on - off, off).moved(lambda part: np.moveaxis(part, -1, axis))


@operator("TopK", rows="4 an element; of k > 1 about 5 k an element", limits="more than 4,096 comparisons a row")
def top_k(node: Node) -> list[Tensor]:
    """The best along an axis in order, and their indices."""
    tensor = node.tensor(0)
    count = node.integers(1)[0] if node.has(1) else int(node.attribute("k", 1))
    axis = node.axis(int(node.attribute("axis", -1)), len(tensor.shape))
    rows = tensor.moved(lambda part: np.moveaxis(part, axis, -1))
    size = rows.shape[-1]
    if not 0 < count <= size:
        raise node.malformed(f"k is {count}, of {size}")
    smallest = not node.attribute("largest", 1)
    if count == 1:
        found = best(node, rows, smallest=smallest, last=False)
        return [part.moved(lambda part: np.expand_dims(part, axis)) for part in found]
    if size * count > _MOST_COMPARISONS:
        raise node.refuse(f"it compares {size * count} pairs a row, more than {_MOST_COMPARISONS}", "Use a smaller k.")
    return [
        part.moved(lambda part: np.moveaxis(part, -1, axis)) for part in _sorted(node, rows, count, smallest=smallest)
    ]


def _sorted(node: Node, rows: Tensor, count: int, *, smallest: bool) -> tuple[Tensor, Tensor]:
    """The first of a stable bubble sort from the end, so that of equals the first comes first."""
    flow = node.flow
    rows = readable(flow, rows.scaled(-1.0) if smallest else rows)
    size = rows.shape[-1]
    values = [rows.moved(lambda part, place=place: part[..., place]) for place in range(size)]  # type: ignore[misc]
    indices = [constant(np.full(values[0].shape, float(place))) for place in range(size)]
    for turn in range(count):
        for place in reversed(range(turn, size - 1)):
            one, two = values[place], values[place + 1]
            swap = at_least(flow, one, two).scaled(-1.0, 1.0)
            pair = stack([one, two], -1)
            values[place] = readable(flow, largest(flow, pair))
            values[place + 1] = readable(flow, largest(flow, pair.scaled(-1.0)).scaled(-1.0))
            first, second = indices[place], indices[place + 1]
            moved = readable(flow, multiply(flow, swap, subtract(flow, second, first)))
            indices[place] = readable(flow, add(flow, first, moved))
            indices[place + 1] = readable(flow, subtract(flow, second, moved))
    chosen = stack(values[:count], -1)
    return chosen.scaled(-1.0) if smallest else chosen, stack(indices[:count], -1)


@operator("CumSum", rows="a linear call a row")
def cum_sum(node: Node) -> Tensor:
    """Sums from the start (or the end), with the element itself or without."""
    tensor = node.tensor(0)
    axis = node.axis(node.integers(1)[0], len(tensor.shape))
    count = tensor.shape[axis]
    weights = np.triu(np.ones(node.fits((count, count))), 1 if node.attribute("exclusive", 0) else 0)
    weights = weights.T if node.attribute("reverse", 0) else weights
    rows = tensor.moved(lambda part: np.moveaxis(part, axis, -1))
    result = linear(node.flow, rows.moved(lambda part: part.reshape(-1, count)), np.ascontiguousarray(weights))
    return result.moved(lambda part: np.moveaxis(part.reshape(rows.shape), -1, axis))
