"""Gemm and MatMul."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.tensor import Tensor, add, linear, multiply, stack, total
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from assay.transpile.importers.onnx.node import Node


@operator("Gemm", rows="one linear call a row of A", limits="one of A and B is constant or both are small")
def gemm(node: Node) -> Tensor:
    """``alpha A' B' + beta C``."""
    left, right = node.tensor(0), node.tensor(1)
    if node.attribute("transA", 0):
        left = left.moved(np.transpose)
    if node.attribute("transB", 0):
        right = right.moved(np.transpose)
    product = matrix_product(node, left, right).scaled(node.attribute("alpha", 1.0))
    if not node.has(2):
        return product
    return add(node.flow, product, node.tensor(2).scaled(node.attribute("beta", 1.0)))


@operator("MatMul", rows="one linear call a row; of two activations n/2 rows and a call an element")
def matmul(node: Node) -> Tensor:
    """The product of NumPy's ``matmul``."""
    return matmul_of(node, node.tensor(0), node.tensor(1))


def matmul_of(node: Node, left: Tensor, right: Tensor) -> Tensor:
    """The product of two tensors of any number of dimensions."""
    one, two = len(left.shape) == 1, len(right.shape) == 1
    left = left.moved(lambda part: part[np.newaxis]) if one else left
    right = right.moved(lambda part: part[:, np.newaxis]) if two else right
    result = matrix_product(node, left, right)
    if one:
        result = result.moved(lambda part: part[..., 0, :])
    return result.moved(lambda part: part[..., 0]) if two else result


def matrix_product(node: Node, left: Tensor, right: Tensor) -> Tensor:
    """Products of the last two axes, with the others broadcast."""
    if len(left.shape) < 2 or len(right.shape) < 2 or left.shape[-1] != right.shape[-2]:
        raise node.malformed(f"shapes {list(left.shape)} and {list(right.shape)} do not match")
    batch = np.broadcast_shapes(left.shape[:-2], right.shape[:-2])
    shape = node.fits((*batch, left.shape[-2], right.shape[-1]))
    if right.constant and len(right.shape) == 2:
        rows = left.moved(lambda part: part.reshape(-1, part.shape[-1]))
        return linear(node.flow, rows, right.shift).moved(lambda part: part.reshape(shape))
    if not (left.constant or right.constant):
        node.fits((*shape, left.shape[-1]))  # every product of two
    ones = left.broadcast((*batch, *left.shape[-2:])).moved(lambda part: part.reshape(-1, *part.shape[-2:]))
    twos = right.broadcast((*batch, *right.shape[-2:])).moved(lambda part: part.reshape(-1, *part.shape[-2:]))
    products = [_one(node, _item(ones, index), _item(twos, index)) for index in range(ones.shape[0])]
    return stack(products).moved(lambda part: part.reshape(shape))


def _item(tensor: Tensor, index: int) -> Tensor:
    return tensor.moved(lambda part: part[index])


def _one(node: Node, left: Tensor, right: Tensor) -> Tensor:
    if right.constant:
        return linear(node.flow, left, right.shift)
    if left.constant:
        swapped = linear(node.flow, right.moved(np.transpose), left.shift.T)
        return swapped.moved(np.transpose)
    pairs = multiply(
        node.flow, left.moved(lambda part: part[:, np.newaxis, :]), right.moved(lambda part: part.T[np.newaxis])
    )
    return total(node.flow, two_a_row(node, pairs))


def two_a_row(node: Node, pairs: Tensor) -> Tensor:
    """Products joined by two along the last axis, as one row holds them."""
    even = pairs.shape[-1] // 2 * 2
    joined = add(
        node.flow, pairs.moved(lambda part: part[..., 0:even:2]), pairs.moved(lambda part: part[..., 1:even:2])
    )
    if even == pairs.shape[-1]:
        return joined
    rest = pairs.moved(lambda part: part[..., even:])
    return Tensor(
        *(np.concatenate([getattr(joined, name), getattr(rest, name)], -1) for name in ("base", "scale", "shift"))
    )
