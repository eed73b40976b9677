"""What each number that the trees read is made of: one feature of the rows, and how it changes with it.

Every step known here makes each of its columns of one column before. A column is *monotone* in its feature, but for
some values of it, its cuts; or *steps*: constant between cuts. Which values a split sends left is then found with
onnxruntime's own arithmetic (`splits`), so nothing about the size of a number is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelUnsupported
from assay.transpile.flow.flow import Flow
from assay.transpile.flow.tensor import Tensor, of_bases
from assay.transpile.importers.onnx import operators
from assay.transpile.importers.onnx.folding import folded
from assay.transpile.importers.onnx.node import Node, Operand
from assay.transpile.importers.onnx.registry import ML, OPERATORS
from assay.transpile.pipelines.onnx.session import TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assay.transpile.importers.onnx.reading import Graph, RawNode
    from assay.transpile.pipelines.onnx.session import Wide

# These move columns and change none.
_MOVES = {
    ("", "Concat"),
    ("", "Flatten"),
    ("", "Gather"),
    ("", "Identity"),
    ("", "Reshape"),
    ("", "Slice"),
    ("", "Split"),
    ("", "Squeeze"),
    ("", "Transpose"),
    ("", "Unsqueeze"),
    (ML, "ArrayFeatureExtractor"),
    (ML, "FeatureVectorizer"),
}
# These keep the order of the numbers, or turn it round.
_MONOTONE = {
    ("", name)
    for name in ("Add", "Ceil", "Clip", "Div", "Floor", "Max", "Min", "Mul", "Neg", "Relu", "Round", "Sign", "Sub")
} | {(ML, "Binarizer"), (ML, "Imputer"), (ML, "Scaler")}
_CODES = {(ML, "LabelEncoder"), (ML, "OneHotEncoder")}
_INT64 = 7
_CASTS = {1, 11, _INT64}
KNOWN = sorted(name for _, name in _MOVES | _MONOTONE | _CODES | {("", "Cast")})


@dataclass(frozen=True)
class Column:
    """How one number depends on a feature.

    Attributes
    ----------
    source
        The feature.
    text
        Whether it is one still.
    plain
        Whether it is the feature's own value, but for its type.
    steps
        Whether it is constant between cuts; else monotone, but at and beyond them.
    cuts
        Values of the feature.
    """

    source: int
    text: bool = False
    plain: bool = True
    steps: bool = False
    cuts: frozenset[float] = frozenset()


@dataclass
class Columns:
    """The columns of a model, and what its encoders know.

    Attributes
    ----------
    texts
        Of each feature that is text the values that the encoders know.
    strict
        Features of which encoders refuse what they do not know.
    """

    inputs: Sequence[Wide]
    made: list[Column] = field(default_factory=list)
    texts: dict[int, list[str]] = field(default_factory=dict)
    strict: set[int] = field(default_factory=set)

    def add(self, column: Column) -> int:
        """Its number, from 1."""
        self.made.append(column)
        return len(self.made)

    def of(self, tensor: Tensor) -> list[Column]:
        """The columns of a tensor in order; raises `ModelUnsupported` if one is a constant."""
        return [self.made[base - 1] for base in tensor.base.ravel().tolist()]


def follow(source: Graph, inputs: Sequence[Wide], until: RawNode) -> tuple[Columns, list[Column]]:
    """The columns that a node of trees reads.

    Raises
    ------
    ModelUnsupported
        A step mixes columns, or is not known.
    """
    operators.load()
    columns = Columns(inputs)
    values: dict[str, Operand | None] = {"": None, **source.constants}
    for one in inputs:
        numbers = [columns.add(Column(len(columns.made), one.type == TEXT)) for _ in range(one.width)]
        shape = (1,) if one.rank == 1 else (1, one.width)
        values[one.name] = of_bases(np.array(numbers, dtype=np.int64).reshape(shape))
        for number in numbers if one.type == TEXT else []:
            columns.texts[number - 1] = []
    for raw in source.nodes:
        if raw is until:
            break
        if all(name in values for name in raw.inputs):
            _step(columns, source, raw, values)
    tensor = values.get(until.inputs[0] if until.inputs else "")
    if not isinstance(tensor, Tensor):
        raise ModelUnsupported(
            f"{until.operator} node {until.name!r:.80} reads what other trees or a constant make",
            "Export a model whose trees read its features.",
        )
    found = columns.of(tensor)
    if any(column.text for column in found):
        raise ModelUnsupported(f"{until.operator} node {until.name!r:.80} reads text", "Export the model again.")
    return columns, found


def _step(columns: Columns, source: Graph, raw: RawNode, values: dict[str, Operand | None]) -> None:
    inputs = [values[name] for name in raw.inputs]
    kind = (raw.domain, raw.operator)
    if not any(isinstance(value, Tensor) for value in inputs):
        results: Sequence[Operand] = folded(raw, source.opsets, inputs) or []
    else:
        node = Node(
            raw.operator,
            raw.name,
            raw.domain,
            source.opsets.get(raw.domain, 1),
            raw.attributes,
            inputs,
            raw.inputs,
            len(raw.outputs),
            Flow(layers=["input"]),
        )
        if kind in _MOVES:
            moved = OPERATORS[kind].convert(node)
            results = list(moved) if isinstance(moved, list | tuple) else [moved]
        elif kind in _CODES:
            results = [_coded(columns, node)]
        elif kind in _MONOTONE or kind == ("", "Cast"):
            results = [_changed(columns, node)]
        else:
            raise ModelUnsupported(
                f"{node.shown} stands before the model's trees, and is none of the steps that can be folded into them",
                f"Those are {', '.join(KNOWN)}.",
            )
    values.update(zip(raw.outputs, results, strict=False))


def _changed(columns: Columns, node: Node) -> Operand:
    """A step that maps each column by itself."""
    tensors = [value for value in node.inputs if isinstance(value, Tensor)]
    if len(tensors) != 1:
        raise node.refuse("it makes a number of several features, and stands before trees", "Train without it.")
    if node.operator == "Div" and not isinstance(node.inputs[0], Tensor):
        raise node.refuse("it divides by a feature, and stands before trees", "Train without it.")
    if any(columns.made[base - 1].text for base in tensors[0].base.ravel().tolist()):
        raise node.refuse("it reads text as a number", "Encode it before the model.")
    cuts = _cuts(node)
    shape = np.broadcast_shapes(
        *(np.shape(v.base if isinstance(v, Tensor) else v) for v in node.inputs if v is not None)
    )
    if node.domain == ML or node.operator == "Clip":
        shape = tensors[0].shape
    wide = tensors[0].broadcast(shape)
    plain = node.operator == "Cast"

    def change(base: int) -> int:
        column = columns.made[base - 1]
        return columns.add(replace(column, plain=column.plain and plain, cuts=column.cuts | cuts))

    return _mapped(wide, change)


def _cuts(node: Node) -> frozenset[float]:
    """Where a step does not keep the order."""
    if node.operator == "Imputer":
        replaced = node.attribute("replaced_value_float", node.attribute("replaced_value_int64", np.nan))
        return frozenset() if np.isnan(replaced) else frozenset([float(replaced)])
    if node.operator != "Cast":
        return frozenset()
    to = node.attribute("to", 0)
    if to not in _CASTS:
        raise node.refuse("it casts to a type that is none of float, double and int64, and stands before trees")
    # Beyond these a whole number is whatever the processor makes of it.
    return frozenset([-(2.0**63), 2.0**63]) if to == _INT64 else frozenset()


def _coded(columns: Columns, node: Node) -> Operand:
    """Encoders: steps at the values that they know."""
    if node.operator == "OneHotEncoder":
        known = node.attribute("cats_int64s", None)
        words = node.attribute("cats_strings", None)
        refuses = int(node.attribute("zeros", 1)) == 0
    else:
        known = node.attribute("keys_int64s", node.attribute("keys_floats", None))
        words, tensor = node.attribute("keys_strings", None), node.attribute("keys_tensor", None)
        if tensor is not None:
            known, words = (None, tensor.tolist()) if tensor.dtype.kind in "OSU" else (tensor.tolist(), None)
        refuses = False
    tensor = node.tensor(0)
    hot = node.operator == "OneHotEncoder"
    count = len(words if words is not None else known or [])
    if hot:
        tensor = tensor.moved(lambda part: part[..., np.newaxis]).broadcast((*tensor.shape, count))

    def encode(base: int) -> int:
        column = columns.made[base - 1]
        if column.text:
            seen = columns.texts[column.source]
            seen += [word for word in dict.fromkeys(_text(word) for word in words or []) if word not in seen]
        elif not column.steps and not column.plain:
            raise node.refuse("it encodes what a scaler has made", "Encode the feature itself.")
        if refuses:
            columns.strict.add(column.source)
        cuts = column.cuts if column.steps or column.text else column.cuts | _around(known or [])
        return columns.add(replace(column, text=False, plain=False, steps=True, cuts=cuts))

    return _mapped(tensor, encode)


def _text(word: Any) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)


def _around(known: Sequence[Any]) -> frozenset[float]:
    """Where the integer part of a number becomes or leaves one of these."""
    return frozenset(float(value) + step for value in known for step in (-1, 0, 1))


def _mapped(tensor: Tensor, change: Any) -> Tensor:
    return of_bases(
        np.array([change(base) for base in tensor.base.ravel().tolist()], dtype=np.int64).reshape(tensor.shape)
    )
