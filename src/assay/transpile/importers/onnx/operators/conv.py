"""Conv and ConvTranspose: a linear call for each position and group, with the zero cell outside the image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.tensor import Tensor, concatenate, linear, stack
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node


@operator(
    "Conv",
    rows="tiles of positions as linear calls: max(reads, outputs) rows a tile",
    limits="weights that are not constant",
)
def conv(node: Node) -> Tensor:
    """Any number of dimensions, stride, padding, dilation, groups."""
    kernel = np.asarray(node.constant(1), dtype=np.float64)
    return convolved(node, node.tensor(0), kernel, node.optional(2, np.zeros(kernel.shape[0])))


def convolved(node: Node, image: Tensor, kernel: NDArray[np.float64], bias: NDArray[Any]) -> Tensor:
    """A convolution by the node's strides, pads, dilations and groups; padding is 0."""
    outputs, groups = kernel.shape[0], int(node.attribute("group", 1))
    if len(image.shape) != kernel.ndim or image.shape[1] != kernel.shape[1] * groups or outputs % groups:
        raise node.malformed(f"an image of {list(image.shape)} and a kernel of {list(kernel.shape)} do not match")
    window = Window(node, image.shape[2:], kernel.shape[2:])
    weights = [part.reshape(len(part), -1).T for part in np.split(kernel, groups)]
    return _calls(node, image, window.index(), weights, bias=np.asarray(bias, dtype=np.float64), size=window.size)


def _calls(
    node: Node,
    image: Tensor,
    index: NDArray[np.int64],
    weights: list[NDArray[np.float64]],
    *,
    bias: NDArray[np.float64],
    size: tuple[int, ...],
) -> Tensor:
    """A call for each item, group and position; ``index`` [positions, taps] says where its taps are in the image."""
    groups, per = len(weights), weights[0].shape[1]
    channels = image.shape[1] // groups
    node.fits((image.shape[0], groups * per, *size))
    node.fits((image.shape[1], *index.shape))
    items = []
    for item in range(image.shape[0]):
        flat = padded(image.moved(_picked(item)).moved(lambda part: part.reshape(image.shape[1], -1)))
        parts = []
        for group, own in enumerate(weights):
            taps = flat.moved(_between(group * channels, (group + 1) * channels)).moved(lambda part: part[:, index])
            reads = taps.moved(lambda part: np.moveaxis(part, 1, 0).reshape(len(index), -1))
            places = [(item, group, *place) for place in np.ndindex(*size)]
            offset = bias[group * per : (group + 1) * per]
            parts.append(linear(node.flow, reads, np.ascontiguousarray(own), offset, places))
        items.append(concatenate(parts, 1).moved(lambda part: part.T.reshape(groups * per, *size)))
    return stack(items)


def _picked(item: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    return lambda part: part[item]


def _between(start: int, end: int) -> Callable[[NDArray[Any]], NDArray[Any]]:
    return lambda part: part[start:end]


@operator("ConvTranspose", rows="as Conv", limits="weights that are not constant")
def conv_transpose(node: Node) -> Tensor:
    """A convolution of the image with zeros between its elements."""
    image, kernel = node.tensor(0), np.asarray(node.constant(1), dtype=np.float64)
    spatial, groups = kernel.ndim - 2, int(node.attribute("group", 1))
    strides = list(node.attribute("strides", [1] * spatial))
    dilations = list(node.attribute("dilations", [1] * spatial))
    extra = list(node.attribute("output_padding", [0] * spatial))
    reach = [(extent - 1) * step + 1 for extent, step in zip(kernel.shape[2:], dilations, strict=True)]
    pads = _transposed_pads(node, image.shape[2:], strides, reach, extra)
    outputs = kernel.shape[1] * groups
    size = tuple(
        stride * (extent - 1) + more + span - before - after
        for stride, extent, more, span, before, after in zip(
            strides, image.shape[2:], extra, reach, pads[:spatial], pads[spatial:], strict=True
        )
    )
    node.fits((*size, *kernel.shape[2:]))
    bias = np.asarray(node.optional(2, np.zeros(outputs)), dtype=np.float64)
    weights = [
        np.moveaxis(own.reshape(*own.shape[:2], -1), 1, 2).reshape(-1, own.shape[1]) for own in np.split(kernel, groups)
    ]
    index = _transposed_index(image.shape[2:], kernel.shape[2:], size, pads[:spatial], (strides, dilations))
    return _calls(node, image, index, weights, bias=bias, size=size)


def _transposed_index(
    extents: tuple[int, ...],
    kernel: tuple[int, ...],
    size: tuple[int, ...],
    before: list[int],
    steps: tuple[list[int], list[int]],
) -> NDArray[np.int64]:
    """Which element of the image meets which tap of the kernel at each output position; past the last for none."""
    flat = np.zeros((*size, *kernel), dtype=np.int64)
    inside = np.ones(flat.shape, dtype=np.bool_)
    for axis, (stride, dilation, extent) in enumerate(zip(*steps, extents, strict=True)):
        source = np.arange(size[axis])[:, np.newaxis] + before[axis] - np.arange(kernel[axis]) * dilation
        shape = [1] * flat.ndim
        shape[axis], shape[len(size) + axis] = source.shape
        wide = source.reshape(shape)
        inside &= (wide % stride == 0) & (wide >= 0) & (wide < extent * stride)
        flat = flat * extent + wide // stride
    return np.where(inside, flat, math.prod(extents)).reshape(math.prod(size), -1)


def _transposed_pads(
    node: Node, extents: tuple[int, ...], strides: list[int], reach: list[int], extra: list[int]
) -> list[int]:
    spatial = len(extents)
    automatic = str(node.attribute("auto_pad", "NOTSET"))
    wanted = node.attribute("output_shape", None)
    if wanted is None and automatic in {"NOTSET", "VALID"}:
        return list(node.attribute("pads", [0] * 2 * spatial)) if automatic == "NOTSET" else [0] * 2 * spatial
    sizes = list(wanted)[-spatial:] if wanted is not None else [e * s for e, s in zip(extents, strides, strict=True)]
    before, after = [], []
    for extent, stride, span, more, size in zip(extents, strides, reach, extra, sizes, strict=True):
        # Where there is less to cut than nothing, onnxruntime lets a size that is asked for grow at its end.
        cut = stride * (extent - 1) + more + span - size
        half = max(cut, 0) // 2 if automatic == "SAME_UPPER" else -(-max(cut, 0) // 2)
        before.append(half)
        after.append((cut if wanted is not None else max(cut, 0)) - half)
    return before + after


def padded(image: Tensor) -> Tensor:
    """[C, positions] with one more position: padding."""
    zero = np.zeros((image.shape[0], 1))
    return Tensor(
        np.concatenate([image.base, zero.astype(np.int64)], 1),
        np.concatenate([image.scale, zero + 1], 1),
        np.concatenate([image.shift, zero], 1),
    )


class Window:
    """Where a sliding window's elements are: shared by convolutions and pools."""

    def __init__(self, node: Node, extents: tuple[int, ...], kernel: tuple[int, ...], *, pool: bool = False) -> None:
        spatial = len(extents)
        self.extents, self.kernel = extents, kernel
        self.strides = self._numbers(node, "strides", spatial)
        self.dilations = self._numbers(node, "dilations", spatial)
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, self.dilations, strict=True)]
        automatic = str(node.attribute("auto_pad", "NOTSET"))
        pads = [int(pad) for pad in node.attribute("pads", [0] * 2 * spatial)]
        if len(pads) != 2 * spatial or any(pad < 0 for pad in pads):
            raise node.malformed(f"pads {pads!s:.60}")
        if automatic in {"SAME_UPPER", "SAME_LOWER"}:
            pads = self._same(reach, upper=automatic == "SAME_UPPER", pool=pool)
        elif automatic == "VALID":
            pads = [0] * 2 * spatial
        self.before, self.after = pads[:spatial], pads[spatial:]
        up = bool(node.attribute("ceil_mode", 0))
        self.size = tuple(self._extent(axis, reach[axis], up=up) for axis in range(spatial))
        if any(extent < 1 for extent in self.size):
            raise node.malformed(f"a window of {list(kernel)} does not fit an image of {list(extents)}")
        node.fits((*self.size, *kernel))

    @staticmethod
    def _numbers(node: Node, name: str, spatial: int) -> list[int]:
        numbers = [int(value) for value in node.attribute(name, [1] * spatial)]
        if len(numbers) != spatial or any(number < 1 for number in numbers):
            raise node.malformed(f"{name} {numbers!s:.60}")
        return numbers

    def _same(self, reach: list[int], *, upper: bool, pool: bool) -> list[int]:
        """Pads for so many windows as there are strides; where windows leave gaps, onnxruntime's pools start later."""
        before, after = [], []
        for extent, stride, span in zip(self.extents, self.strides, reach, strict=True):
            total = (-(-extent // stride) - 1) * stride + span - extent
            total = total if pool else max(total, 0)
            before.append(int((total if upper else total + 1) / 2))
            after.append(total - before[-1])
        return before + after

    def _extent(self, axis: int, reach: int, *, up: bool) -> int:
        room = self.extents[axis] + self.before[axis] + self.after[axis] - reach
        count = (-(-room // self.strides[axis]) if up else room // self.strides[axis]) + 1
        # A window that would start in the padding after the image is none.
        if up and (count - 1) * self.strides[axis] >= self.extents[axis] + self.before[axis]:
            count -= 1
        return count

    def index(self) -> NDArray[np.int64]:
        """Flat positions [windows, taps]; one past the last for padding."""
        outside = math.prod(self.extents)
        axes = []
        for axis, (count, taps) in enumerate(zip(self.size, self.kernel, strict=True)):
            start = np.arange(count)[:, np.newaxis] * self.strides[axis] - self.before[axis]
            axes.append(start + np.arange(taps) * self.dilations[axis])
        flat = np.zeros((*self.size, *self.kernel), dtype=np.int64)
        inside = np.ones(flat.shape, dtype=np.bool_)
        spatial = len(self.size)
        for axis, places in enumerate(axes):
            shape = [1] * 2 * spatial
            shape[axis], shape[spatial + axis] = places.shape
            wide = places.reshape(shape)
            inside &= (wide >= 0) & (wide < self.extents[axis])
            flat = flat * self.extents[axis] + wide
        return np.where(inside, flat, outside).reshape(math.prod(self.size), -1)

    def counted(self) -> NDArray[np.float64]:
        """How many taps of each window lie in the image or its padding: [windows]."""
        counts = np.ones(self.size)
        for axis, (count, taps) in enumerate(zip(self.size, self.kernel, strict=True)):
            start = np.arange(count)[:, np.newaxis] * self.strides[axis] - self.before[axis]
            places = start + np.arange(taps) * self.dilations[axis]
            shape = [1] * len(self.size)
            shape[axis] = count
            counts = counts * (places < self.extents[axis] + self.after[axis]).sum(axis=1).reshape(shape)
        return counts.reshape(-1)
