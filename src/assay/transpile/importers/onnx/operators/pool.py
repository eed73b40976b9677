"""MaxPool, AveragePool, LpPool and their global forms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import Function
from assay.transpile.flow.tensor import Tensor, apply, largest, multiply, total
from assay.transpile.importers.onnx.operators.conv import Window, padded
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from assay.transpile.importers.onnx.node import Node


def _windows(node: Node) -> tuple[Tensor, Window]:
    """[N, C, windows, taps] and their shape."""
    image = node.tensor(0)
    kernel = tuple(int(extent) for extent in node.attribute("kernel_shape", ()))
    if len(image.shape) != len(kernel) + 2 or any(extent < 1 for extent in kernel):
        raise node.malformed(f"a kernel of {list(kernel)} for an image of {list(image.shape)}")
    window = Window(node, image.shape[2:], kernel, pool=True)
    if str(node.attribute("auto_pad", "NOTSET")).startswith("SAME") and any(step > 1 for step in window.dilations):
        raise node.refuse(
            "it pads for a size and has dilations, which runtimes read in different ways", "Say its pads."
        )
    flat = padded(image.moved(lambda part: part.reshape(image.shape[0] * image.shape[1], -1)))
    index = window.index()
    return flat.moved(lambda part: part[:, index].reshape(*image.shape[:2], *index.shape)), window


def _shaped(node: Node, result: Tensor, window: Window) -> Tensor:
    shape = node.tensor(0).shape[:2] + window.size
    return result.moved(lambda part: part.reshape(shape))


@operator("MaxPool", rows="taps - 1 an element, and 1 for each group of them", limits="the indices as an output")
def max_pool(node: Node) -> Tensor:
    """The largest of each window."""
    if node.outputs > 1:
        raise node.refuse("it gives the indices of the largest, too")
    windows, window = _windows(node)
    outside = np.broadcast_to(window.index() == np.prod(window.extents), windows.shape)
    shift = np.where(outside, -np.inf, windows.shift)
    return _shaped(node, largest(node.flow, Tensor(windows.base, windows.scale, shift)), window)


@operator("AveragePool", rows="a linear call a window")
def average_pool(node: Node) -> Tensor:
    """The mean of each window, over what lies in the image or with the padding."""
    windows, window = _windows(node)
    if node.attribute("count_include_pad", 0):
        counts = window.counted()
    else:
        counts = (window.index() != np.prod(window.extents)).sum(axis=1).astype(np.float64)
    return _shaped(node, total(node.flow, windows).scaled(1 / counts), window)


@operator(
    "LpPool",
    rows="squares, and a linear call and 1 a window",
    limits="p other than 1 and 2, since no table holds higher roots near 0",
)
def lp_pool(node: Node) -> Tensor:
    """The norm of each window."""
    windows, window = _windows(node)
    return _shaped(node, norm(node, windows, int(node.attribute("p", 2))), window)


def norm(node: Node, tensor: Tensor, order: int) -> Tensor:
    """The norm over the last axis."""
    if order == 1:
        return total(node.flow, apply(node.flow, tensor, Function("abs")))
    if order == 2:
        return apply(node.flow, total(node.flow, multiply(node.flow, tensor, tensor)), Function("sqrt"))
    raise node.refuse(f"p is {order}", "Use 1 or 2.")


def _global(node: Node) -> tuple[Tensor, tuple[int, ...]]:
    image = node.tensor(0)
    if len(image.shape) < 3:
        raise node.malformed(f"an image of {list(image.shape)}")
    shape = image.shape[:2] + (1,) * (len(image.shape) - 2)
    return image.moved(lambda part: part.reshape(*image.shape[:2], -1)), shape


@operator("GlobalMaxPool", rows="positions - 1 a channel")
def global_max_pool(node: Node) -> Tensor:
    """The largest of each channel."""
    flat, shape = _global(node)
    return largest(node.flow, flat).moved(lambda part: part.reshape(shape))


@operator("GlobalAveragePool", rows="a linear call a channel")
def global_average_pool(node: Node) -> Tensor:
    """The mean of each channel."""
    flat, shape = _global(node)
    return total(node.flow, flat, 1 / flat.shape[-1]).moved(lambda part: part.reshape(shape))


@operator("GlobalLpPool", rows="as LpPool", limits="as LpPool")
def global_lp_pool(node: Node) -> Tensor:
    """The norm of each channel."""
    flat, shape = _global(node)
    return norm(node, flat, int(node.attribute("p", 2))).moved(lambda part: part.reshape(shape))
