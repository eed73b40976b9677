"""Resize and Upsample: addresses only for the nearest, else a sum of a few neighbours along each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.flow import ZERO
from assay.transpile.flow.tensor import Tensor, linear
from assay.transpile.importers.onnx.registry import operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

    Floats = NDArray[np.float64]

_ROUND: dict[str, Callable[[float], int]] = {
    "round_prefer_floor": lambda x: math.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: math.floor(x + 0.5),
    "floor": math.floor,
    "ceil": math.ceil,
}
_CROP = "tf_crop_and_resize"
_WHOLE = 1e-6


@dataclass(frozen=True)
class _Axis:
    """How an axis of `old` elements becomes one of `size`; `roi` is the part that a crop takes of it."""

    old: int
    size: int
    scale: float
    roi: tuple[float, float]

    @property
    def same(self) -> bool:
        """Whether nothing changes."""
        return self.size == self.old and self.scale == 1 and self.roi == (0.0, 1.0)


@operator(
    "Resize",
    "Upsample",
    rows="0 for the nearest; else a linear call a line, axis by axis",
    limits="corners aligned by a scale whose size is not whole, which runtimes read in different ways",
)
def resize(node: Node) -> Tensor:
    """Repeats, leaves out or mixes elements along each axis."""
    tensor = node.tensor(0)
    mode, version = str(node.attribute("mode", "nearest")), node.version
    default = "half_pixel" if version >= 11 else "asymmetric"
    where = str(node.attribute("coordinate_transformation_mode", default))
    axes = _axes(node, tensor.shape, where)
    node.fits(tuple(axis.size for axis in axes))
    sources = [_sources(node, axis, where) for axis in axes]
    if mode == "nearest":
        picks = [_nearest(node, axis, found) for axis, found in zip(axes, sources, strict=True)]
        result = tensor.moved(lambda part: part[np.ix_(*picks)])
    elif mode in {"linear", "cubic"}:
        result = tensor
        for number, (axis, found) in enumerate(zip(axes, sources, strict=True)):
            if not axis.same:
                result = _mixed(node, result, number, _weights(node, axis, found))
    else:
        raise node.malformed(f"mode {mode!r:.40}")
    return _outside(node, result, axes, sources) if where == _CROP else result


def _axes(node: Node, old: tuple[int, ...], where: str) -> list[_Axis]:
    """Every axis, from scales or sizes, whichever is given."""
    named = [node.axis(axis, len(old)) for axis in node.attribute("axes", range(len(old)))]
    scales, sizes = _scales(node, old, named)
    rois = [(0.0, 1.0)] * len(old)
    if where == _CROP:
        ends = np.asarray(node.constant(1), dtype=np.float64).reshape(2, -1)
        for axis, start, end in zip(named, *ends.tolist(), strict=True):
            rois[axis] = (start, end)
    return [_Axis(*each) for each in zip(old, sizes, scales, rois, strict=True)]


def _scales(node: Node, old: tuple[int, ...], axes: list[int]) -> tuple[list[float], list[int]]:
    """Scale and size of each axis, from whichever of them is given."""
    scales, sizes = [1.0] * len(old), list(old)
    place = 1 if node.version < 11 else 2
    given = node.attribute("scales", None)
    if given is None and node.has(place) and np.asarray(node.constant(place)).size:
        given = np.asarray(node.constant(place), dtype=np.float64).tolist()
    if given is not None:
        for axis, scale in zip(axes, given, strict=True):
            scales[axis], sizes[axis] = float(scale), math.floor(np.float32(old[axis]) * np.float32(scale))
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


def _sources(node: Node, axis: _Axis, where: str) -> list[float]:
    """Where in the old axis each new element lies."""
    if axis.same:
        return [float(place) for place in range(axis.old)]
    old, size, scale, last = axis.old, axis.size, axis.scale, axis.old - 1
    if where == "align_corners" and abs(old * scale - size) > _WHOLE:
        raise node.refuse(
            f"it aligns the corners of {old} elements scaled by {scale:g}, which runtimes read in different ways",
            "Export it with sizes.",
        )
    start, end = axis.roi
    span = size - 1 if size > 1 else 1
    shift = np.float32(old / 2) * (1 - np.float32(size) / (np.float32(scale) * np.float32(old)))
    rules: dict[str, Callable[[Any], Any]] = {
        "asymmetric": lambda place: place / scale,
        "align_corners": lambda place: place * last / span,
        "half_pixel": lambda place: (place + 0.5) / scale - 0.5,
        "pytorch_half_pixel": lambda place: (place + 0.5) / scale - 0.5 if size > 1 else 0.0,
        "half_pixel_symmetric": lambda place: shift + (place + np.float32(0.5)) / np.float32(scale) - np.float32(0.5),
        _CROP: lambda place: (
            start * last + (place * (end - start) * last / span if size > 1 else (end - start) * last / 2)
        ),
    }
    if where not in rules:
        raise node.refuse(f"its coordinates are {where!r:.40}")
    # In float32, as onnxruntime: a place that lies on a jump of the rounding falls on the same side.
    return [float(rules[where](np.float32(place))) for place in range(size)]


def _nearest(node: Node, axis: _Axis, sources: list[float]) -> list[int]:
    """Which element of an axis each new one is."""
    usual = "round_prefer_floor"
    if node.version < 11:  # the standard names no rule; this is onnxruntime's
        usual = "ceil" if node.operator == "Resize" and axis.scale < 1 else "floor"
    rounding = str(node.attribute("nearest_mode", usual))
    if rounding not in _ROUND:
        raise node.malformed(f"nearest_mode {rounding!r:.40}")
    return [min(max(_ROUND[rounding](source), 0), axis.old - 1) for source in sources]


def _weights(node: Node, axis: _Axis, sources: list[float]) -> Floats:
    """float64[old, size]: how much of each old element each new one is."""
    cubic = str(node.attribute("mode", "nearest")) == "cubic"
    curve = float(node.attribute("cubic_coeff_a", -0.75))
    scale = min(axis.scale, 1.0) if node.attribute("antialias", 0) else 1.0
    half = math.ceil((2 if cubic else 1) / scale)
    weights = np.zeros((axis.old, axis.size))
    for place, source in enumerate(sources):
        near = np.arange(math.ceil(source) - half, math.ceil(source) + half)
        distance = np.abs(near - source) * scale
        shares = _cubic(distance, curve) if cubic else np.maximum(1 - distance, 0)
        if node.attribute("exclude_outside", 0):
            shares = np.where((near >= 0) & (near < axis.old), shares, 0.0)
        np.add.at(weights[:, place], np.clip(near, 0, axis.old - 1), shares / shares.sum())
    return weights


def _cubic(distance: Floats, curve: float) -> Floats:
    """Keys' kernel: of a cubic near, of another up to 2, and 0 from there on."""
    near = (curve + 2) * distance**3 - (curve + 3) * distance**2 + 1
    far = curve * (distance**3 - 5 * distance**2 + 8 * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def _mixed(node: Node, tensor: Tensor, axis: int, weights: Floats) -> Tensor:
    """Every line along an axis times the weights."""
    lines = tensor.moved(lambda part: np.moveaxis(part, axis, -1))
    shape = node.fits((*lines.shape[:-1], weights.shape[1]))
    made = linear(node.flow, lines.moved(lambda part: part.reshape(-1, part.shape[-1])), weights)
    return made.moved(lambda part: np.moveaxis(part.reshape(shape), -1, axis))


def _outside(node: Node, tensor: Tensor, axes: list[_Axis], sources: list[list[float]]) -> Tensor:
    """What a crop takes from outside is one number."""
    fill = float(node.attribute("extrapolation_value", 0.0))
    inside = np.ones(tensor.shape, dtype=np.bool_)
    for number, (axis, found) in enumerate(zip(axes, sources, strict=True)):
        within = np.array([0 <= source <= axis.old - 1 for source in found])
        inside &= within.reshape([-1 if other == number else 1 for other in range(len(axes))])
    return Tensor(
        np.where(inside, tensor.base, ZERO),
        np.where(inside, tensor.scale, 1.0),
        np.where(inside, tensor.shift, fill),
    )
