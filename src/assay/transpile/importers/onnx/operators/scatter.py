"""ScatterElements and ScatterND: elements replaced, or joined with updates, at constant places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.tensor import Tensor, add, largest, multiply, readable, stack
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

    Integers = NDArray[np.int64]

_ROWS = "0; with a reduction that of Add, Mul or Max for each update"
_LIMITS = "indices that are not constant"


@operator("ScatterElements", "Scatter", rows=_ROWS, limits=_LIMITS)
def scatter_elements(node: Node) -> Tensor:
    """A copy with elements changed at constant indices along an axis."""
    data, updates = node.tensor(0), node.tensor(2)
    indices = np.asarray(node.constant(1)).astype(np.int64)
    axis = node.axis(int(node.attribute("axis", 0)), len(data.shape))
    if indices.shape != updates.shape or len(indices.shape) != len(data.shape):
        raise node.malformed(f"indices of {list(indices.shape)} for updates of {list(updates.shape)}")
    where: list[Integers] = [np.asarray(part, dtype=np.int64) for part in np.indices(indices.shape)]
    where[axis] = _from_front(node, indices, data.shape[axis])
    places = np.ravel_multi_index(tuple(where), data.shape)
    return _scattered(node, data, places.reshape(-1), updates)


@operator("ScatterND", rows=_ROWS, limits=_LIMITS)
def scatter_nd(node: Node) -> Tensor:
    """A copy with slices changed at constant indices."""
    data, updates = node.tensor(0), node.tensor(2)
    indices = np.asarray(node.constant(1)).astype(np.int64)
    count = indices.shape[-1]
    if updates.shape != indices.shape[:-1] + data.shape[count:]:
        raise node.malformed(f"indices of {list(indices.shape)} for updates of {list(updates.shape)}")
    where = tuple(_from_front(node, indices[..., axis], data.shape[axis]) for axis in range(count))
    every = np.arange(data.base.size, dtype=np.int64).reshape(data.shape)
    return _scattered(node, data, every[where].reshape(-1), updates)


def _from_front(node: Node, indices: Integers, extent: int) -> Integers:
    found = np.where(indices < 0, indices + extent, indices)
    if ((found < 0) | (found >= extent)).any():
        raise node.malformed(f"an index beyond {extent} elements")
    return found


def _scattered(node: Node, data: Tensor, places: Integers, updates: Tensor) -> Tensor:
    """Flat places changed by updates one after another: the first of each place, then the second, and so on."""
    how = str(node.attribute("reduction", "none"))
    if how not in {"none", "add", "mul", "max", "min"}:
        raise node.malformed(f"reduction {how!r:.40}")
    result = data.moved(lambda part: part.ravel().copy())
    flat = updates.moved(np.ravel)
    for chosen in [np.arange(len(places))] if how == "none" else _turns(places):
        new = flat.moved(lambda part, chosen=chosen: part[chosen])  # type: ignore[misc]
        if how != "none":
            old = result.moved(lambda part, chosen=chosen: part[places[chosen]])  # type: ignore[misc]
            new = _joined(node, how, old, new)
        for name in ("base", "scale", "shift"):
            getattr(result, name)[places[chosen]] = getattr(new, name)
    return result.moved(lambda part: part.reshape(data.shape))


def _turns(places: Integers) -> list[Integers]:
    """Numbers of updates in turns of which none has a place twice, each place's in their order."""
    order = np.argsort(places, kind="stable")
    _, first, counts = np.unique(places[order], return_index=True, return_counts=True)
    turn = np.zeros(len(places), dtype=np.int64)
    turn[order] = np.arange(len(places)) - np.repeat(first, counts)
    return [np.flatnonzero(turn == number) for number in range(int(counts.max(initial=0)))]


def _joined(node: Node, how: str, old: Tensor, new: Tensor) -> Tensor:
    flow = node.flow
    if how == "add":
        return add(flow, old, new)
    if how == "mul":
        return multiply(flow, old, new)
    sign = 1.0 if how == "max" else -1.0
    return readable(flow, largest(flow, stack([old.scaled(sign), new.scaled(sign)], -1)).scaled(sign))
