"""Operators that only say where elements are: no rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.flow.tensor import Tensor, concatenate, constant
from assay.transpile.importers.onnx.node import WHOLE
from assay.transpile.importers.onnx.registry import operator
from assay.transpile.importers.onnx.types import name_of

if TYPE_CHECKING:
    from assay.transpile.importers.onnx.node import Node, Operand

_FREE = "0"


def _shape(operand: Operand | None) -> tuple[int, ...]:
    return () if operand is None else tuple(operand.shape)


@operator("Identity", rows=_FREE, even_constant=True)
def identity(node: Node) -> Operand:
    """The input."""
    return node.moved(0, lambda part: part)


@operator("Dropout", rows=_FREE, limits="training mode, unless it drops nothing")
def dropout(node: Node) -> list[Operand]:
    """The input, and a mask of ones."""
    ratio = float(np.asarray(node.optional(1, np.full((), 0.5))).reshape(()))
    if node.has(2) and bool(np.asarray(node.constant(2)).reshape(())) and ratio:
        raise node.refuse("it is in training mode, which draws random numbers", "Export the model for inference.")
    kept = node.moved(0, lambda part: part)
    return [kept, np.ones(_shape(node.inputs[0]), dtype=np.bool_)]


# Numbers of the standard's types: floats, which a circuit takes for real numbers, and whole numbers.
_FLOAT_TYPES, _WHOLE_TYPES, _TRUTH = {1, 10, 11}, {2, 3, 4, 5, 6, 7, 12, 13}, 9
_NUMBER_OF_TYPE = {"float16": 10, "float32": 1, "float64": 11, "bool": _TRUTH} | {
    f"{sign}int{bits}": 7 for sign in ("", "u") for bits in (8, 16, 32, 64)
}


@operator(
    "Cast",
    "CastLike",
    rows="0; to whole numbers 2 an element",
    limits="text, and types of 8 bits and fewer but int8 and uint8",
)
def cast(node: Node) -> Operand:
    """Between kinds of floats nothing; to whole numbers the part before the point."""
    from assay.transpile.importers.onnx.operators.logic import equal
    from assay.transpile.importers.onnx.operators.rounding import truncated

    if node.operator == "CastLike":
        like = node.inputs[1]
        name = like.kind if isinstance(like, Tensor) else "" if like is None else like.dtype.name
        target = _NUMBER_OF_TYPE.get(name, 0)
    else:
        target = int(node.attribute("to", 0))
    if target == _TRUTH:  # whether it is not zero
        return equal(node, node.tensor(0), constant(np.zeros(()))).scaled(-1.0, 1.0)
    if target in _WHOLE_TYPES:
        tensor = node.tensor(0)
        return tensor if _holds(name_of(target), tensor.kind) else truncated(node, tensor)
    if target in _FLOAT_TYPES:
        return node.tensor(0)
    raise node.refuse("it makes text, or numbers of a type that rounds more than the circuit does")


def _holds(wide: str, kind: str) -> bool:
    """Whether a type of whole numbers holds every number of another one, which a cast leaves as it is then."""
    return (kind in WHOLE or kind == "bool") and np.can_cast(kind, wide)


@operator("Flatten", rows=_FREE)
def flatten(node: Node) -> Operand:
    """Two dimensions."""
    shape = _shape(node.inputs[0])
    axis = int(node.attribute("axis", 1))
    axis = axis + len(shape) if axis < 0 else axis
    return node.moved(0, lambda part: part.reshape(math.prod(shape[:axis]), -1 if part.size else 0))


@operator("Reshape", rows=_FREE)
def reshape(node: Node) -> Operand:
    """To a constant shape, in which 0 keeps a dimension and -1 takes the rest."""
    old = _shape(node.inputs[0])
    wanted = node.integers(1) if node.has(1) else [int(value) for value in node.attribute("shape", [])]
    if not node.attribute("allowzero", 0):
        wanted = [old[axis] if extent == 0 else extent for axis, extent in enumerate(wanted)]
    return node.moved(0, lambda part: part.reshape(wanted))


@operator("Transpose", rows=_FREE)
def transpose(node: Node) -> Operand:
    """Axes in another order."""
    order = node.attribute("perm", None)
    return node.moved(0, lambda part: np.transpose(part, order))


@operator("Squeeze", rows=_FREE)
def squeeze(node: Node) -> Operand:
    """Without dimensions of size 1."""
    axes = node.integers(1) if node.has(1) else node.attribute("axes", None)
    return node.moved(0, lambda part: np.squeeze(part, None if axes is None else tuple(axes)))


@operator("Unsqueeze", rows=_FREE)
def unsqueeze(node: Node) -> Operand:
    """With dimensions of size 1."""
    axes = node.integers(1) if node.has(1) else list(node.attribute("axes", []))
    return node.moved(0, lambda part: np.expand_dims(part, tuple(axes)))


@operator("Concat", rows=_FREE)
def concat(node: Node) -> Operand:
    """Tensors side by side."""
    axis = int(node.attribute("axis", 1))
    if all(not isinstance(value, Tensor) for value in node.inputs):
        return np.concatenate([node.constant(index) for index in range(len(node.inputs))], axis)
    return concatenate([node.tensor(index) for index in range(len(node.inputs))], axis)


@operator("Split", rows=_FREE)
def split(node: Node) -> list[Operand]:
    """Tensors cut apart."""
    shape = _shape(node.inputs[0])
    axis = node.axis(int(node.attribute("axis", 0)), len(shape))
    sizes = node.integers(1) if node.has(1) else node.attribute("split", None)
    if sizes is None:
        each = -(-shape[axis] // node.outputs)
        sizes = [min(each, shape[axis] - each * index) for index in range(node.outputs)]
    if sum(sizes) != shape[axis]:
        raise node.malformed(f"parts of {list(sizes)!s:.60} for {shape[axis]}")
    ends = np.cumsum(sizes)[:-1]
    return [
        node.moved(0, lambda part, index=index: np.split(part, ends, axis)[index])  # type: ignore[misc]
        for index in range(len(sizes))
    ]


@operator("Slice", rows=_FREE)
def slice_(node: Node) -> Operand:
    """Ranges with steps, by attributes until opset 9 and by inputs since."""
    shape = _shape(node.inputs[0])
    if node.version >= 10:
        starts, ends = node.integers(1), node.integers(2)
        axes = node.integers(3) if node.has(3) else list(range(len(starts)))
        steps = node.integers(4) if node.has(4) else [1] * len(starts)
    else:
        starts, ends = list(node.attribute("starts", [])), list(node.attribute("ends", []))
        axes, steps = list(node.attribute("axes", range(len(starts)))), [1] * len(starts)
    taken = [slice(None)] * len(shape)
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        extent = shape[node.axis(axis, len(shape))]
        taken[node.axis(axis, len(shape))] = _range(start, end, step, extent)
    return node.moved(0, lambda part: part[tuple(taken)])


def _range(start: int, end: int, step: int, extent: int) -> slice:
    """A slice whose bounds are clamped as the standard says; a negative step may run to before the first."""
    low, high = (0, extent) if step > 0 else (-1, extent - 1)
    first = min(max(start + extent if start < 0 else start, 0), high if step < 0 else extent)
    last = min(max(end + extent if end < 0 else end, low), high)
    return slice(first, None if last < 0 else last, step)


@operator("Pad", rows=_FREE, limits="a number of elements that is not constant")
def pad(node: Node) -> Operand:
    """With a constant, by reflection, the edge, or around."""
    shape = _shape(node.inputs[0])
    pads = node.integers(1) if node.has(1) else [int(value) for value in node.attribute("pads", [])]
    fill = float(np.asarray(node.constant(2)).reshape(())) if node.has(2) else float(node.attribute("value", 0.0))
    axes = [node.axis(axis, len(shape)) for axis in node.integers(3)] if node.has(3) else list(range(len(shape)))
    half = len(pads) // 2
    spans = [(0, 0)] * len(shape)
    for axis, before, after in zip(axes, pads[:half], pads[half:], strict=True):
        spans[axis] = (before, after)
    node.fits(tuple(max(extent + sum(span), 0) for extent, span in zip(shape, spans, strict=True)))
    mode = str(node.attribute("mode", "constant"))
    cut = tuple(
        slice(max(-before, 0), extent - max(-after, 0)) for extent, (before, after) in zip(shape, spans, strict=True)
    )
    grow = [(max(before, 0), max(after, 0)) for before, after in spans]
    if mode == "constant":
        tensor = node.tensor(0).moved(lambda part: part[cut])
        values = (0, 1.0, fill)
        parts = (
            np.pad(getattr(tensor, name), grow, constant_values=value)
            for name, value in zip(("base", "scale", "shift"), values, strict=True)
        )
        return Tensor(*parts)
    modes = {"reflect": "reflect", "edge": "edge", "wrap": "wrap"}
    if mode not in modes:
        raise node.malformed(f"mode {mode!r:.40}")
    return node.moved(0, lambda part: np.pad(part[cut], grow, mode=modes[mode]))  # type: ignore[call-overload]


@operator("Expand", rows=_FREE, even_constant=True)
def expand(node: Node) -> Operand:
    """Broadcast to a constant shape."""
    shape = node.fits(np.broadcast_shapes(_shape(node.inputs[0]), tuple(node.integers(1))))
    return node.moved(0, lambda part: np.broadcast_to(part, shape))


@operator("Tile", rows=_FREE, even_constant=True)
def tile(node: Node) -> Operand:
    """Repeated."""
    repeats = node.integers(1)
    node.fits(tuple(extent * count for extent, count in zip(_shape(node.inputs[0]), repeats, strict=True)))
    return node.moved(0, lambda part: np.tile(part, repeats))


@operator("ConstantOfShape", rows=_FREE, even_constant=True)
def constant_of_shape(node: Node) -> Operand:
    """A tensor of one number."""
    value = np.asarray(node.attribute("value", np.zeros(1, dtype=np.float32))).reshape(-1)
    return np.full(node.fits(tuple(node.integers(0))), value[0])


@operator("Shape", rows=_FREE, even_constant=True)
def shape_(node: Node) -> Operand:
    """The shape, which is constant."""
    shape = _shape(node.inputs[0])
    return np.array(shape[slice(node.attribute("start", 0), node.attribute("end", None))], dtype=np.int64)


@operator("EyeLike", rows=_FREE, even_constant=True)
def eye_like(node: Node) -> Operand:
    """Ones on a diagonal, of the input's shape."""
    rows, columns = _shape(node.inputs[0])
    return np.eye(rows, columns, int(node.attribute("k", 0)), dtype=_dtype(node))


def _dtype(node: Node) -> str:
    return node.types[0] if node.types[0] in _NUMBER_OF_TYPE else "float32"


@operator("Size", rows=_FREE, even_constant=True)
def size(node: Node) -> Operand:
    """How many elements there are."""
    return np.array(math.prod(_shape(node.inputs[0])), dtype=np.int64)


@operator("Constant", rows=_FREE, even_constant=True)
def constant_(node: Node) -> Operand:
    """What the file holds."""
    for name, kind in (
        ("value", None),
        ("value_float", np.float32),
        ("value_floats", np.float32),
        ("value_int", np.int64),
        ("value_ints", np.int64),
    ):
        if name in node.attributes:
            return np.asarray(node.attributes[name], dtype=kind)
    raise node.refuse(f"it holds {', '.join(sorted(node.attributes))!s:.60}, no numbers")


@operator("Range", rows=_FREE, even_constant=True)
def range_(node: Node) -> Operand:
    """A sequence of constants."""
    start, limit, step = (np.asarray(node.constant(index)).reshape(()) for index in range(3))
    node.fits((max(math.ceil((float(limit) - float(start)) / float(step)), 0),))
    return np.asarray(np.arange(start.item(), limit.item(), step.item(), dtype=start.dtype))


@operator("Trilu", rows=_FREE)
def trilu(node: Node) -> Operand:
    """One side of a diagonal; zeros on the other."""
    offset = int(np.asarray(node.constant(1)).reshape(())) if node.has(1) else 0
    cut = np.triu if node.attribute("upper", 1) else np.tril
    kept = cut(np.ones(_shape(node.inputs[0]), dtype=np.bool_), offset)
    return node.tensor(0).scaled(kept.astype(np.float64))


@operator("DepthToSpace", "SpaceToDepth", rows=_FREE)
def depth_and_space(node: Node) -> Operand:
    """Channels to blocks of an image and back."""
    block = int(node.attribute("blocksize", 1))
    n, c, h, w = _shape(node.inputs[0])
    columns_first = str(node.attribute("mode", "DCR")) != "DCR"
    if node.operator == "SpaceToDepth" and columns_first:
        return node.moved(
            0,
            lambda part: (
                part.reshape(n, c, h // block, block, w // block, block)
                .transpose(0, 1, 3, 5, 2, 4)
                .reshape(n, c * block * block, h // block, w // block)
            ),
        )
    if node.operator == "SpaceToDepth":
        return node.moved(
            0,
            lambda part: (
                part.reshape(n, c, h // block, block, w // block, block)
                .transpose(0, 3, 5, 1, 2, 4)
                .reshape(n, c * block * block, h // block, w // block)
            ),
        )
    depth = c // block**2
    if not columns_first:
        return node.moved(
            0,
            lambda part: (
                part.reshape(n, block, block, depth, h, w)
                .transpose(0, 3, 4, 1, 5, 2)
                .reshape(n, depth, h * block, w * block)
            ),
        )
    return node.moved(
        0,
        lambda part: (
            part.reshape(n, depth, block, block, h, w)
            .transpose(0, 1, 4, 2, 5, 3)
            .reshape(n, depth, h * block, w * block)
        ),
    )
