"""Elements by their places: constant ones cost nothing, and a feature may choose among the entries of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.flow import Input
from assay.transpile.flow.functions import NOT_NEGATIVE
from assay.transpile.flow.tensor import Tensor, apply, linear
from assay.transpile.importers.onnx.node import WHOLE
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node, Operand


@operator(
    "Gather",
    rows="0; of a constant table by a feature (an embedding) 1 an entry but one, and a linear call",
    limits="indices that are computed from the features",
)
def gather(node: Node) -> Operand:
    """Elements by constant indices, or of a constant table by features."""
    axis = node.axis(int(node.attribute("axis", 0)), len(node.tensor(0).shape))
    if not node.tensor(1).constant:
        return _looked_up(node, np.moveaxis(np.asarray(node.constant(0), dtype=np.float64), axis, 0), axis)
    shape, indices = node.tensor(0).shape, np.asarray(node.constant(1)).astype(np.int64)
    node.fits(shape[:axis] + indices.shape + shape[axis + 1 :])
    return node.moved(0, lambda part: np.take(part, indices, axis))


def _looked_up(node: Node, table: NDArray[np.float64], axis: int) -> Tensor:
    """Entries along the first axis: the first one, and the step to each that the index has reached."""
    index, count, inner = node.tensor(1), table.shape[0], table.shape[1:]
    _hold(node, index, count)
    node.fits((index.base.size, max(count, *inner, 1)))
    flat = table.reshape(count, -1)
    wide = index.moved(lambda part: part.reshape(-1, 1)).broadcast((index.base.size, count - 1))
    reached = apply(node.flow, wide.scaled(1.0, -np.arange(1.0, count)), NOT_NEGATIVE)
    found = linear(node.flow, reached, np.diff(flat, axis=0), flat[0])
    found = found.moved(lambda part: part.reshape(*index.shape, *inner))
    places = list(range(len(index.shape)))
    before = [len(index.shape) + place for place in range(axis)]
    after = [len(index.shape) + place for place in range(axis, len(inner))]
    return found.moved(lambda part: np.transpose(part, before + places + after))


def _hold(node: Node, index: Tensor, count: int) -> None:
    """Indices must be whole features as they are, since these are then held to the table's places."""
    held = node.flow.meta.setdefault("indices", {})
    for base, scale in zip(index.base.ravel().tolist(), index.scale.ravel().tolist(), strict=True):
        found = node.flow.bases[base]
        if not isinstance(found, Input) or scale != 1.0 or index.kind not in WHOLE:
            raise node.refuse(
                "its indices are computed from the features, and have to be constant or inputs of whole numbers",
                "Make the index an input of its own, or give the model one-hot columns.",
            )
        held[found.index] = min(held.get(found.index, count), count)


@operator("GatherElements", rows="0", limits="indices that are not constant")
def gather_elements(node: Node) -> Operand:
    """Elements by constant indices along one axis."""
    shape, indices = node.tensor(0).shape, np.asarray(node.constant(1)).astype(np.int64)
    axis = node.axis(int(node.attribute("axis", 0)), len(shape))
    indices = np.where(indices < 0, indices + shape[axis], indices)
    if indices.ndim != len(shape):
        raise node.malformed(f"indices of {list(indices.shape)} for {list(shape)}")
    # Along the other axes as far as there are indices.
    own = tuple(slice(None) if place == axis else slice(extent) for place, extent in enumerate(indices.shape))
    return node.moved(0, lambda part: np.take_along_axis(part[own], indices, axis))


@operator("GatherND", rows="0", limits="indices that are not constant")
def gather_nd(node: Node) -> Operand:
    """Slices by tuples of constant indices."""
    indices, batch = np.asarray(node.constant(1)).astype(np.int64), int(node.attribute("batch_dims", 0))
    return node.moved(0, lambda part: _gather_nd(part, indices, batch))


def _gather_nd(part: NDArray[Any], indices: NDArray[np.int64], batch: int) -> NDArray[Any]:
    if not batch:
        return np.asarray(part[tuple(np.moveaxis(indices, -1, 0))])
    return np.stack([_gather_nd(part[item], indices[item], batch - 1) for item in range(len(part))])


@operator("Compress", rows="0", limits="a condition that is not constant")
def compress(node: Node) -> Operand:
    """The elements, or slices along an axis, whose place in a constant list is true."""
    shape, chosen = node.tensor(0).shape, np.flatnonzero(np.asarray(node.constant(1)).astype(np.bool_))
    axis = node.attribute("axis", None)
    if axis is None:
        return node.moved(0, lambda part: part.reshape(-1)[chosen])
    place = node.axis(int(axis), len(shape))
    return node.moved(0, lambda part: np.take(part, chosen, place))


@operator("ReverseSequence", rows="0", limits="lengths that are not constant")
def reverse_sequence(node: Node) -> Operand:
    """The first so many steps of each sequence, the last one first."""
    shape, lengths = node.tensor(0).shape, node.integers(1)
    time, batch = (
        node.axis(int(node.attribute(f"{name}_axis", default)), len(shape))
        for name, default in (("time", 0), ("batch", 1))
    )
    steps = np.arange(shape[time])
    order = np.stack([np.where(steps < length, length - 1 - steps, steps) for length in lengths])
    if {time, batch} != {0, 1} or len(lengths) != shape[batch] or max(lengths) > len(steps) or min(lengths) < 0:
        raise node.malformed(f"lengths {lengths!s:.60} of {list(shape)}")
    places = order.T if time == 0 else order
    places = places.reshape(*places.shape, *[1] * (len(shape) - 2))
    return node.moved(0, lambda part: np.take_along_axis(part, places, time))
