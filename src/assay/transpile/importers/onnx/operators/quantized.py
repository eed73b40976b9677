"""Products of quantised numbers: what they stand for is multiplied, and rounded where the operator rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.importers.onnx.operators.conv import convolved
from assay.transpile.importers.onnx.operators.gemm import matmul_of
from assay.transpile.importers.onnx.operators.quantization import quantised
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.flow.tensor import Tensor
    from assay.transpile.importers.onnx.node import Node

    Floats = NDArray[np.float64]

_LIMITS = "scales and zero points that are not constant"


def _number(node: Node, index: int, default: float = 0.0) -> Floats:
    return np.asarray(node.optional(index, np.full((), default)), dtype=np.float64)


def _along(values: Floats, rank: int, axis: int) -> Floats:
    """One for all, or one for each place along an axis."""
    return (
        values.reshape([-1 if place == axis else 1 for place in range(rank)]) if values.size > 1 else values.reshape(())
    )


def _rounded(node: Node, tensor: Tensor, scale: int, zero: int) -> Tensor:
    kind = node.constant(zero).dtype.name
    return quantised(node, tensor, _number(node, scale).reshape(()), _number(node, zero).reshape(()), kind)


@operator("MatMulInteger", rows="as MatMul", limits=_LIMITS)
def matmul_integer(node: Node) -> Tensor:
    """Whole numbers less their zero points; those of A are one a row, those of B one a column."""
    left, right = node.tensor(0), node.tensor(1)
    left = left.scaled(1.0, -_along(_number(node, 2), len(left.shape), len(left.shape) - 2))
    right = right.scaled(1.0, -_along(_number(node, 3), len(right.shape), len(right.shape) - 1))
    return matmul_of(node, left, right)


@operator("QLinearMatMul", rows="as MatMul, and 3 an element", limits=_LIMITS)
def q_linear_matmul(node: Node) -> Tensor:
    """The nearest whole number of steps of the product."""
    sides = []
    for index, axis in ((0, -2), (3, -1)):
        tensor = node.tensor(index)
        rank = len(tensor.shape)
        scale, zero = (_along(_number(node, index + more), rank, rank + axis) for more in (1, 2))
        sides.append(tensor.scaled(scale, -zero * scale))
    return _rounded(node, matmul_of(node, *sides), 6, 7)


@operator("ConvInteger", rows="as Conv", limits=f"{_LIMITS}, weights that are not")
def conv_integer(node: Node) -> Tensor:
    """Whole numbers less their zero points; padding is a zero point."""
    kernel = np.asarray(node.constant(1), dtype=np.float64)
    kernel = kernel - _along(_number(node, 3), kernel.ndim, 0)
    return convolved(node, node.tensor(0).scaled(1.0, -_number(node, 2)), kernel, np.zeros(len(kernel)))


@operator("QLinearConv", rows="as Conv, and 3 an element", limits=f"{_LIMITS}, weights that are not")
def q_linear_conv(node: Node) -> Tensor:
    """The nearest whole number of steps of the convolution; the bias has the steps of a product."""
    step, kernel = _number(node, 1).reshape(()), np.asarray(node.constant(3), dtype=np.float64)
    scale, zero = (_along(_number(node, index), kernel.ndim, 0) for index in (4, 5))
    bias = _number(node, 8) * step * _number(node, 4).reshape(-1)
    image = node.tensor(0).scaled(step, -_number(node, 2).reshape(()) * step)
    return _rounded(node, convolved(node, image, (kernel - zero) * scale, np.broadcast_to(bias, len(kernel))), 6, 7)
