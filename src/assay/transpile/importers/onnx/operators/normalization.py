"""Batch, layer and instance normalisation, and the norms of vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import Function
from assay.transpile.flow.tensor import (
    Tensor,
    add,
    apply,
    constant,
    largest,
    linear,
    multiply,
    readable,
    subtract,
    total,
)
from assay.transpile.importers.onnx.operators.pool import norm
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.flow.flow import Flow
    from assay.transpile.importers.onnx.node import Node

    Floats = NDArray[np.float64]

INVERSE_SQRT = Function("inverse_sqrt")


@operator(
    "BatchNormalization",
    rows="0 after a linear call or before one; about 5 an element in training mode",
    limits="parameters that are not constant",
)
def batch_normalization(node: Node) -> Tensor | list[Tensor]:
    """A scale and a shift for each channel."""
    tensor = node.tensor(0)
    scale, bias, mean, variance = (np.asarray(node.constant(index), dtype=np.float64) for index in range(1, 5))
    epsilon = float(node.attribute("epsilon", 1e-5))
    if node.attribute("training_mode", 0):
        return _of_the_row(node, (scale, bias), (mean, variance), epsilon)
    factor = scale / np.sqrt(variance + epsilon)
    shape = (1, -1) + (1,) * (len(tensor.shape) - 2)
    return tensor.scaled(factor.reshape(shape), (bias - mean * factor).reshape(shape))


def _of_the_row(
    node: Node, given: tuple[Floats, Floats], running: tuple[Floats, Floats], epsilon: float
) -> list[Tensor]:
    """Training mode: by the mean and variance of what it is given, and the running ones moved towards them."""
    node.flow.notes.append(f"{node.shown} is in training mode: it counts means and variances over a row alone")
    tensor, flow = node.tensor(0), node.flow
    channels = tensor.shape[1]
    turned = tensor.moved(lambda part: np.moveaxis(part, 1, 0))
    rows = turned.moved(lambda part: part.reshape(channels, -1))
    found, mean, variance, _ = _standard(node, rows, epsilon)
    result = found.moved(lambda part: np.moveaxis(part.reshape(turned.shape), 0, 1))
    shape = (1, -1) + (1,) * (len(tensor.shape) - 2)
    kept = float(node.attribute("momentum", 0.9))
    moved = [
        add(flow, part.moved(np.ravel).scaled(1 - kept), constant(old * kept))
        for part, old in zip((mean, variance), running, strict=True)
    ]
    return [result.scaled(given[0].reshape(shape), given[1].reshape(shape)), *moved]


def _standard(node: Node, rows: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows with mean 0 and variance 1 along the last axis, the mean, the variance, and the inverse of the deviation."""
    flow, count = node.flow, rows.shape[-1]
    flow.meta["norms"] = True
    rows = readable(flow, rows)
    mean = total(flow, rows, 1 / count).moved(lambda part: part[..., np.newaxis])
    distance = readable(flow, subtract(flow, rows, mean))
    if node.careful:
        return in_two_steps(flow, distance, epsilon), mean, *_measured(flow, distance, epsilon)
    variance, inverse = _measured(flow, distance, epsilon)
    # None of n numbers of variance 1 is beyond the root of n, which bounds row by row do not know: the table says it,
    # at no cost, and whatever follows keeps finer steps.
    bound = math.sqrt(count)
    found = apply(flow, multiply(flow, distance, inverse), Function("clip", (-bound, bound)))
    return found, mean, variance, inverse


def _measured(flow: Flow, distance: Tensor, epsilon: float) -> tuple[Tensor, Tensor]:
    """The mean square along the last axis and the inverse of its root, the latter with an axis of its own."""
    variance = total(flow, multiply(flow, distance, distance), 1 / distance.shape[-1])
    inverse = apply(flow, variance.scaled(1.0, epsilon), INVERSE_SQRT)
    return variance, inverse.moved(lambda part: part[..., np.newaxis])


def in_two_steps(flow: Flow, rows: Tensor, epsilon: float) -> Tensor:
    """Rows divided by the root of their mean square: first by their largest, roughly, then by what is left.

    Squares of numbers between -1 and 1 keep their digits, however small the rows are beside what bounds allow.
    """
    count = rows.shape[-1]
    size = largest(flow, apply(flow, rows, Function("abs")))
    factor = readable(flow, apply(flow, size, Function("rough_inverse")))
    rough = multiply(flow, rows, factor.moved(lambda part: part[..., np.newaxis]))
    rough = apply(flow, rough, Function("clip", (-1.0, 1.0)))
    left = add(
        flow,
        total(flow, readable(flow, multiply(flow, rough, rough)), 1 / count),
        readable(flow, multiply(flow, factor, factor)).scaled(epsilon),
    )
    inverse = apply(flow, left, INVERSE_SQRT).moved(lambda part: part[..., np.newaxis])
    bound = math.sqrt(count)
    return apply(flow, multiply(flow, rough, inverse), Function("clip", (-bound, bound)))


@operator(
    "LayerNormalization",
    rows="about 5 an element",
    limits="parameters that are not constant",
)
def layer_normalization(node: Node) -> list[Tensor]:
    """Over the axes from one on, with a scale and a bias; the mean and the inverse of the deviation besides."""
    tensor = node.tensor(0)
    axis = node.axis(int(node.attribute("axis", -1)), len(tensor.shape))
    rows = tensor.moved(lambda part: part.reshape(*part.shape[:axis], -1))
    found, mean, _, inverse = _standard(node, rows, float(node.attribute("epsilon", 1e-5)))
    result = found.moved(lambda part: part.reshape(tensor.shape)).scaled(np.asarray(node.constant(1), dtype=np.float64))
    result = add(node.flow, result, node.tensor(2)) if node.has(2) else result
    shape = tensor.shape[:axis] + (1,) * (len(tensor.shape) - axis)
    others = [part.moved(lambda part: part.reshape(shape)) for part in (mean, inverse)]
    return [result, *others][: node.outputs]


@operator(
    "InstanceNormalization", "GroupNormalization", rows="about 5 an element", limits="parameters that are not constant"
)
def instance_normalization(node: Node) -> Tensor:
    """Over the positions of each channel, or of each group of channels."""
    tensor = node.tensor(0)
    scale, bias = (np.asarray(node.constant(index), dtype=np.float64) for index in (1, 2))
    n, c = tensor.shape[:2]
    groups = int(node.attribute("num_groups", c)) if node.operator == "GroupNormalization" else c
    rows = tensor.moved(lambda part: part.reshape(n, groups, -1))
    found, *_ = _standard(node, rows, float(node.attribute("epsilon", 1e-5)))
    result = found.moved(lambda part: part.reshape(tensor.shape))
    if scale.size == groups != c:  # of opset 18: a number a group
        scale, bias = (np.repeat(part, c // groups) for part in (scale, bias))
    shape = (1, -1) + (1,) * (len(tensor.shape) - 2)
    return result.scaled(scale.reshape(shape), bias.reshape(shape))


@operator("MeanVarianceNormalization", rows="about 5 an element")
def mean_variance_normalization(node: Node) -> Tensor:
    """Over some axes, without a scale or a bias."""
    tensor = node.tensor(0)
    rank = len(tensor.shape)
    axes = sorted({node.axis(axis, rank) for axis in node.attribute("axes", [0, 2, 3])})
    order = [axis for axis in range(rank) if axis not in axes] + axes
    turned = tensor.moved(lambda part: np.transpose(part, order))
    rows = turned.moved(lambda part: part.reshape(*part.shape[: rank - len(axes)], -1))
    found, *_ = _standard(node, rows, 0.0)
    return found.moved(lambda part: np.transpose(part.reshape(turned.shape), np.argsort(order)))


@operator("RMSNormalization", rows="about 3 an element", limits="a scale that is not constant")
def rms_normalization(node: Node) -> Tensor:
    """Divided by the root of the mean square over the axes from one on."""
    tensor, flow = node.tensor(0), node.flow
    axis = node.axis(int(node.attribute("axis", -1)), len(tensor.shape))
    rows = readable(flow, tensor.moved(lambda part: part.reshape(*part.shape[:axis], -1)))
    flow.meta["norms"] = True
    epsilon, bound = float(node.attribute("epsilon", 1e-5)), math.sqrt(rows.shape[-1])
    if node.careful:
        found = in_two_steps(flow, rows, epsilon)
    else:
        _, inverse = _measured(flow, rows, epsilon)
        found = apply(flow, multiply(flow, rows, inverse), Function("clip", (-bound, bound)))
    return found.moved(lambda part: part.reshape(tensor.shape)).scaled(np.asarray(node.constant(1), dtype=np.float64))


@operator("LpNormalization", rows="about 3 an element", limits="as LpPool")
def lp_normalization(node: Node) -> Tensor:
    """Divided by the norm along an axis."""
    tensor = node.tensor(0)
    axis = node.axis(int(node.attribute("axis", -1)), len(tensor.shape))
    rows = readable(node.flow, tensor.moved(lambda part: np.moveaxis(part, axis, -1)))
    if int(node.attribute("p", 2)) == 2:
        inverse = apply(node.flow, total(node.flow, multiply(node.flow, rows, rows)), INVERSE_SQRT)
    else:
        inverse = apply(node.flow, norm(node, rows, int(node.attribute("p", 2))), Function("reciprocal"))
    inverse = inverse.moved(lambda part: part[..., np.newaxis])
    return multiply(node.flow, rows, inverse).moved(lambda part: np.moveaxis(part, -1, axis))


@operator("LRN", rows="2 an element and a linear call, and 2 more")
def local_response(node: Node) -> Tensor:
    """Each number divided by a power of the sum of squares of its neighbours in the channels around it."""
    tensor, flow, size = readable(node.flow, node.tensor(0)), node.flow, int(node.attribute("size", 1))
    alpha, beta, bias = (
        float(node.attribute(name, default)) for name, default in (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0))
    )
    count = tensor.shape[1]
    node.fits((count, count))
    distance = np.subtract.outer(
        np.arange(count), np.arange(count)
    )  # of the channel that is summed from that it is for
    near = (distance >= -((size - 1) // 2)) & (distance <= size // 2)
    squares = multiply(flow, tensor, tensor).moved(lambda part: np.moveaxis(part, 1, -1))
    sums = linear(
        flow,
        squares.moved(lambda part: part.reshape(-1, count)),
        near.astype(np.float64) * (alpha / size),
        np.full(count, bias),
    )
    factor = apply(flow, sums, Function("positive_power", (-beta,)))
    factor = factor.moved(lambda part: np.moveaxis(part.reshape(squares.shape), -1, 1))
    return multiply(flow, tensor, factor)
