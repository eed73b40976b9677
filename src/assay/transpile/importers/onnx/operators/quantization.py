"""QuantizeLinear and DequantizeLinear: rounding to whole numbers and back; BitShift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.functions import FLOOR
from assay.transpile.flow.tensor import Tensor, apply, readable, subtract
from assay.transpile.importers.onnx.operators.activations import clipped
from assay.transpile.importers.onnx.operators.rounding import rounded
from assay.transpile.importers.onnx.registry import operator
from assay.transpile.importers.onnx.types import name_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.node import Node

    Floats = NDArray[np.float64]

_ENDS = {
    f"{sign}int{bits}": (0, 2**bits - 1) if sign else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    for sign in ("", "u")
    for bits in (2, 4, 8, 16)
}
_CONSTANT = "scales and zero points that are not constant"


@operator("QuantizeLinear", rows="3 an element", limits=f"{_CONSTANT}, floats of 8 and 4 bits")
def quantize_linear(node: Node) -> Tensor:
    """The nearest whole number of steps, between the ends of its type."""
    tensor = node.tensor(0)
    scale, zero = _parameters(node, tensor.shape)
    said = int(node.attribute("output_dtype", 0))
    kind = node.constant(2).dtype.name if node.has(2) else name_of(said) if said else "uint8"
    if kind not in _ENDS:
        raise node.refuse(f"it makes {kind}", "Quantise to whole numbers of 8 or 16 bits.")
    return quantised(node, tensor, scale, zero, kind)


def quantised(node: Node, tensor: Tensor, scale: Floats, zero: Floats, kind: str) -> Tensor:
    """Ends first, moved by the zero point: halves are rounded to even before it is added."""
    steps, zero = tensor.scaled(1 / scale), np.broadcast_to(zero, tensor.shape)
    base, scales, shift = steps.base.copy(), steps.scale.copy(), steps.shift.copy()
    for point in np.unique(zero).tolist():
        own = zero == point
        low, high = (end - point for end in _ENDS[kind])
        part = clipped(node, Tensor(steps.base[own], steps.scale[own], steps.shift[own]), low, high)
        base[own], scales[own], shift[own] = part.base, part.scale, part.shift
    return rounded(node, Tensor(base, scales, shift)).scaled(1.0, zero)


@operator("DequantizeLinear", rows="0", limits=_CONSTANT, even_constant=True)
def dequantize_linear(node: Node) -> Tensor:
    """Steps from the zero point, times their size."""
    tensor = node.tensor(0)
    scale, zero = _parameters(node, tensor.shape)
    return tensor.scaled(scale, -zero * scale)


def _parameters(node: Node, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Scale and zero point: one each, one for each place along an axis, or one for each block of places."""
    scale = np.asarray(node.constant(1), dtype=np.float64)
    zero = np.asarray(node.optional(2, np.zeros(scale.shape)), dtype=np.float64)
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise node.malformed("a scale is not positive")
    return _spread(node, scale, shape), _spread(node, zero, shape)


def _spread(node: Node, values: Floats, shape: tuple[int, ...]) -> Floats:
    if values.size == 1:
        return values.reshape(())
    axis, block = node.axis(int(node.attribute("axis", 1)), len(shape)), int(node.attribute("block_size", 0))
    if values.ndim == 1:
        return values.reshape([-1 if other == axis else 1 for other in range(len(shape))])
    if block < 1:
        raise node.malformed(f"blocks of {block}")
    return np.take(values, np.arange(shape[axis]) // block, axis)


@operator("BitShift", rows="1 an element", limits="an amount that is not constant, below 0 or beyond the type's bits")
def bit_shift(node: Node) -> Tensor:
    """Times or by a power of two, without what leaves the type; half a unit keeps rounding from a jump."""
    flow, tensor = node.flow, readable(node.flow, node.tensor(0))
    amount, bits = np.asarray(node.constant(1), dtype=np.float64), int(node.types[0].lstrip("uint") or 0)
    if ((amount < 0) | (amount >= bits)).any():
        raise node.refuse(f"it shifts {node.types[0]} by {amount.min():g} to {amount.max():g} bits")
    powers = np.exp2(amount)
    if str(node.attribute("direction", "")) == "RIGHT":
        return apply(flow, tensor.scaled(1 / powers, 0.5 / powers), FLOOR)
    shifted, ring = tensor.scaled(powers), 2.0**bits
    start = 0.0 if node.types[0].startswith("u") else 0.5
    turns = apply(flow, shifted.scaled(1 / ring, start + 0.5 / ring), FLOOR)
    return subtract(flow, shifted, turns.scaled(ring))
