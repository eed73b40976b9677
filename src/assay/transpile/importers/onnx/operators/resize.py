"""Resize and Upsample, nearest: addresses only."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.transpile.importers.onnx.node import Node, Operand

_ROUND: dict[str, Callable[[float], int]] = {
    "round_prefer_floor": lambda x: math.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: math.floor(x + 0.5),
    "floor": math.floor,
    "ceil": math.ceil,
}


@operator("Resize", "Upsample", rows="0", limits="modes other than nearest")
def resize(node: Node) -> Operand:
    """Repeats or leaves out elements along each axis."""
    if str(node.attribute("mode", "nearest")) != "nearest":
        raise node.refuse(f"its mode is {node.attribute('mode', '')!r:.40}", "Use nearest.")
    old = node.tensor(0).shape
    axes = [node.axis(axis, len(old)) for axis in node.attribute("axes", range(len(old)))]
    scales, sizes = _scales(node, old, axes)
    node.fits(tuple(sizes))
    picks = [_picks(node, old[axis], sizes[axis], scales[axis]) for axis in range(len(old))]
    return node.moved(0, lambda part: part[np.ix_(*picks)])


def _scales(node: Node, old: tuple[int, ...], axes: list[int]) -> tuple[list[float], list[int]]:
    """Scale and size of each axis, from whichever of them is given."""
    scales, sizes = [1.0] * len(old), list(old)
    place = 1 if node.version < 11 else 2
    given = node.attribute("scales", None)
    if given is None and node.has(place) and np.asarray(node.constant(place)).size:
        given = np.asarray(node.constant(place), dtype=np.float64).tolist()
    if given is not None:
        for axis, scale in zip(axes, given, strict=True):
            scales[axis], sizes[axis] = float(scale), math.floor(old[axis] * float(scale))
        return scales, sizes
    wanted = node.integers(3)
    ratios = [size / old[axis] for axis, size in zip(axes, wanted, strict=True)]
    policy = str(node.attribute("keep_aspect_ratio_policy", "stretch"))
    if policy != "stretch":
        ratio = min(ratios) if policy == "not_larger" else max(ratios)
        ratios = [ratio] * len(axes)
        wanted = [math.floor(old[axis] * ratio + 0.5) for axis in axes]
    for axis, size, ratio in zip(axes, wanted, ratios, strict=True):
        scales[axis], sizes[axis] = ratio, size
    return scales, sizes


def _picks(node: Node, old: int, size: int, scale: float) -> list[int]:
    """Which element of an axis each new one is."""
    if size == old and scale == 1:
        return list(range(old))
    default = "half_pixel" if node.version >= 11 else "asymmetric"
    mode = str(node.attribute("coordinate_transformation_mode", default))
    rounding = str(node.attribute("nearest_mode", "round_prefer_floor" if node.version >= 11 else "floor"))
    if rounding not in _ROUND:
        raise node.malformed(f"nearest_mode {rounding!r:.40}")
    picks = []
    for place in range(size):
        if mode == "asymmetric":
            source = place / scale
        elif mode == "align_corners":
            source = place * (old - 1) / (size - 1) if size > 1 else 0.0
        elif mode in {"half_pixel", "pytorch_half_pixel"}:
            source = (place + 0.5) / scale - 0.5 if mode == "half_pixel" or size > 1 else 0.0
        elif mode == "half_pixel_symmetric":
            adjusted = size / (scale * old)
            source = old / 2 * (1 - adjusted) + (place + 0.5) / scale - 0.5
        else:
            raise node.refuse(f"its coordinates are {mode!r:.40}")
        picks.append(min(max(_ROUND[rounding](source), 0), old - 1))
    return picks
