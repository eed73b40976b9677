"""Batch, layer and instance normalisation, and the norms of vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import Function
from assay.transpile.flow.tensor import Tensor, add, apply, multiply, readable, subtract, total
from assay.transpile.importers.onnx.operators.pool import norm
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from assay.transpile.importers.onnx.node import Node

INVERSE_SQRT = Function("inverse_sqrt")


@operator(
    "BatchNormalization",
    rows="0 after a linear call or before one",
    limits="training mode, parameters that are not constant",
)
def batch_normalization(node: Node) -> Tensor:
    """A scale and a shift for each channel."""
    if node.attribute("training_mode", 0):
        raise node.refuse("it is in training mode", "Export the model for inference.")
    tensor = node.tensor(0)
    scale, bias, mean, variance = (np.asarray(node.constant(index), dtype=np.float64) for index in range(1, 5))
    factor = scale / np.sqrt(variance + float(node.attribute("epsilon", 1e-5)))
    shape = (1, -1) + (1,) * (len(tensor.shape) - 2)
    return tensor.scaled(factor.reshape(shape), (bias - mean * factor).reshape(shape))


def _standard(node: Node, rows: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
    """Rows with mean 0 and variance 1 along the last axis, the mean, and the inverse of the deviation."""
    flow, count = node.flow, rows.shape[-1]
    rows = readable(flow, rows)
    mean = total(flow, rows, 1 / count).moved(lambda part: part[..., np.newaxis])
    distance = readable(flow, subtract(flow, rows, mean))
    variance = total(flow, multiply(flow, distance, distance), 1 / count)
    inverse = apply(flow, variance.scaled(1.0, epsilon), INVERSE_SQRT)
    inverse = inverse.moved(lambda part: part[..., np.newaxis])
    return multiply(flow, distance, inverse), mean, inverse


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
    found, mean, inverse = _standard(node, rows, float(node.attribute("epsilon", 1e-5)))
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
    found, _, _ = _standard(node, rows, float(node.attribute("epsilon", 1e-5)))
    result = found.moved(lambda part: part.reshape(tensor.shape))
    if scale.size == groups != c:  # of opset 18: a number a group
        scale, bias = (np.repeat(part, c // groups) for part in (scale, bias))
    shape = (1, -1) + (1,) * (len(tensor.shape) - 2)
    return result.scaled(scale.reshape(shape), bias.reshape(shape))


@operator("LpNormalization", rows="about 3 an element", limits="p other than 1 and 2")
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
