"""From a graph to a `Flow`: each node by its operator, constants by onnxruntime."""

from __future__ import annotations

import math
from collections import ChainMap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import AssayError
from assay.transpile.errors import ModelMalformed, ModelUnsupported
from assay.transpile.flow.flow import Flow, Input, Pending, Value
from assay.transpile.flow.tensor import Tensor, constant, of_bases
from assay.transpile.importers.onnx import operators
from assay.transpile.importers.onnx.composition import Composition, read_elsewhere
from assay.transpile.importers.onnx.folding import folded
from assay.transpile.importers.onnx.functions import standard_body
from assay.transpile.importers.onnx.inlining import MOST_UNROLLED
from assay.transpile.importers.onnx.node import LARGEST_TENSOR, WHOLE, Node, Operand
from assay.transpile.importers.onnx.reading import Body, Declared, Graph, RawNode, graph
from assay.transpile.importers.onnx.registry import OPERATORS, supported
from assay.transpile.importers.onnx.types import made

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from assay.transpile.flow.expressions import Expression

_INPUT_TYPES = {
    "float32",
    "float64",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
}
_MOST_FEATURES = 1 << 20
_MOST_VALUES = 1 << 22  # of a tensor that depends on the features
_MOST_NUMBERS = 1 << 27  # of all tensors together


def convert(
    model: Any,
    dimensions: Mapping[str, int] | None = None,
    bound: Mapping[str, NDArray[Any]] | None = None,
    centres: Callable[[Flow], NDArray[np.float64]] | None = None,
    sizes: Mapping[str, tuple[int, ...]] | None = None,
    *,
    careful: bool = False,
    apart: Collection[Expression] | None = None,
) -> Flow:
    """Convert a parsed model.

    Parameters
    ----------
    model
        From `reading.parse`.
    dimensions
        Sizes of dimensions that the model leaves open, by their names. The first dimension of an input is one
        row unless it is named here.
    bound
        Inputs that are taken as constants, by name.
    centres
        What each feature is counted from; asked once the features are known.
    sizes
        Shapes of inputs, instead of those that the model declares.
    careful
        Whether norms and softmaxes take more rows to keep more digits.
    apart
        Functions of one number that stay the several steps that they are written as; None if all do.

    Raises
    ------
    ModelUnsupported
        For what is not converted, with the operator, the node and what to do.
    ModelMalformed
        If the model contradicts itself.
    """
    source = graph(model)
    flow = Flow(layers=["input"])
    values: dict[str, Operand | None] = {"": None, **source.constants, **(bound or {})}
    inputs = [declared for declared in source.inputs if declared.name not in values]
    shapes = {}
    for declared in inputs:
        size = (sizes or {}).get(declared.name)
        known = declared if size is None else Declared(declared.name, declared.type, list(size))
        values[declared.name] = _input(flow, known, dimensions or {})
        shapes[declared.name] = list(values[declared.name].shape)  # type: ignore[union-attr]
    if not flow.features:
        raise ModelUnsupported("the model has no inputs", "Export it with its inputs as inputs.")
    flow.meta["inputs"] = shapes
    if centres is not None:
        shifts = centres(flow)
        flow.meta["centres"] = shifts.tolist()
        for declared in inputs:
            tensor = values[declared.name]
            assert isinstance(tensor, Tensor)  # noqa: S101 - made above
            values[declared.name] = replace(tensor, shift=shifts[tensor.base - 1])
    walk = _Walk(flow, source.opsets, careful=careful, apart=apart)
    walk.through(source.nodes, values, [declared.name for declared in source.outputs])
    _outputs(flow, source, values)
    _known(flow)
    flow.meta |= {"library": "onnx", "model": source.producer or "a network"}
    return flow


def _input(flow: Flow, declared: Declared, dimensions: Mapping[str, int]) -> Tensor:
    if declared.type not in _INPUT_TYPES:
        kind = "text" if declared.type == "object" else f"of type {declared.type}"
        raise ModelUnsupported(f"the input {declared.name!r:.60} is {kind}", "Export a model that takes numbers.")
    if not declared.shaped:
        raise ModelUnsupported(
            f"the model does not say the shape of its input {declared.name!r:.60}", "Export it with a fixed shape."
        )
    shape = tuple(_extent(declared, axis, dimensions) for axis in range(len(declared.shape)))
    count = int(np.prod(shape, dtype=object))
    if not 0 < count <= _MOST_FEATURES:
        raise ModelUnsupported(
            f"the input {declared.name!r:.60} has the shape {list(shape)}, {count} numbers a row",
            "Use a smaller input.",
        )
    start = len(flow.features)
    flow.features += [
        f"{declared.name}[{','.join(map(str, place))}]" if place else declared.name for place in np.ndindex(shape)
    ]
    if declared.type.startswith(("int", "uint", "bool")):
        flow.meta.setdefault("whole", []).extend(range(start, start + count))
        flow.meta.setdefault("types", {})[declared.name] = declared.type
    numbers = [flow.add(Input(start + index)) for index in range(count)]
    return replace(of_bases(np.array(numbers, dtype=np.int64).reshape(shape)), kind=declared.type)


def _extent(declared: Declared, axis: int, dimensions: Mapping[str, int]) -> int:
    extent = declared.shape[axis]
    if isinstance(extent, int) and extent > 0:
        return extent
    if isinstance(extent, str) and extent in dimensions:
        return int(dimensions[extent])
    if axis == 0:
        return 1  # rows: a proof's batch is not the model's
    if extent == 0:
        raise ModelUnsupported(
            f"the input {declared.name!r:.60} has no elements: its dimension {axis} is 0",
            "Export the model without it.",
        )
    if isinstance(extent, str):
        problem, todo = f"{extent!r:.40}", f"Say its size: dimensions={{{extent!r:.40}: 20}}, or export"
    else:
        problem, todo = f"{axis} (which has no name)", "Export"
    raise ModelUnsupported(
        f"the dimension {problem} of the input {declared.name!r:.60} is left open",
        f"{todo} the model with a fixed shape.",
    )


class _Walk:
    """Node by node through a graph, and through those inside it as often as they run."""

    def __init__(
        self, flow: Flow, opsets: Mapping[str, int], *, careful: bool, apart: Collection[Expression] | None
    ) -> None:
        operators.load()
        self.flow, self.opsets, self.careful, self.apart = flow, opsets, careful, apart
        self.nodes = self.numbers = 0
        # By the list of nodes, which is kept with it, since the body of a loop comes as often as it runs.
        self._read: dict[int, tuple[list[RawNode], frozenset[str]]] = {}

    def through(self, nodes: list[RawNode], values: dict[str, Operand | None], outputs: list[str]) -> None:
        """Add what the nodes make to the values."""
        if id(nodes) not in self._read:
            self._read[id(nodes)] = nodes, read_elsewhere(nodes, outputs)
        composition = Composition(self.flow, self._read[id(nodes)][1], self.apart)
        for raw in nodes:
            results = self._results(raw, values, composition)
            for name, value in zip(raw.outputs, results, strict=False):
                values[name] = value
                self._bounded(raw, value)
            for name in raw.outputs[len(results) :]:
                values[name] = None
        values |= {name: composition.made(name, values) for name in outputs if name in values}

    def _results(
        self, raw: RawNode, values: dict[str, Operand | None], composition: Composition
    ) -> Sequence[Operand | None]:
        found = OPERATORS.get((raw.domain, raw.operator))
        inputs = [values[name] for name in raw.inputs]
        constants = not any(isinstance(value, Tensor) for value in inputs)
        if found is None:
            # Of constants alone onnxruntime may know it; of others the standard may say it in simpler operators.
            results = (
                folded(raw, self.opsets, inputs, known=False)
                if constants and inputs
                else self._written_out(raw, [composition.made(name, values) for name in raw.inputs])
            )
            if results is None:
                domain = f" of {raw.domain}" if raw.domain else ""
                raise ModelUnsupported(
                    f"the operator {raw.operator}{domain} (node {raw.name!r:.80}) is not supported", supported()
                )
            return results
        if constants and not found.even_constant:
            return folded(raw, self.opsets, inputs) or []
        types = made(raw, self.opsets, inputs)
        given: Mapping[str, Operand | None] = values
        if not composition.point(raw, values, types):
            given = ChainMap({name: composition.made(name, values) for name in raw.needs}, values)
            inputs = [given[name] for name in raw.inputs]
        elif (problem := composition.problem(raw)) is not None:
            return [composition.refused(raw, problem, values)]
        self.flow.layers.append(f"{raw.operator} {raw.name}")
        try:
            converted = _converted(found.convert, self._node(raw, inputs, types, given))
        except ModelUnsupported as error:
            if not composition.has(raw):
                raise
            return [composition.refused(raw, error, values)]
        return [_typed(value, kind) for value, kind in zip(converted, types, strict=False)]

    def _written_out(self, raw: RawNode, inputs: list[Operand | None]) -> list[Operand | None] | None:
        found = standard_body(raw, self.opsets, inputs)
        if found is None:
            return None
        body, opsets = found
        self._counted(raw, body)
        own: dict[str, Operand | None] = {
            "": None,
            **dict.fromkeys(body.inputs),
            **dict(zip(body.inputs, inputs, strict=False)),
        }
        outer, self.opsets = self.opsets, {**self.opsets, **opsets}
        try:
            self.through(body.nodes, own, body.outputs)
        except ModelMalformed:  # bodies of the standard that do not hold for every shape
            return None
        finally:
            self.opsets = outer
        return [own[name] for name in body.outputs[: len(raw.outputs)]]

    def _node(
        self,
        raw: RawNode,
        inputs: list[Operand | None],
        types: list[str],
        values: Mapping[str, Operand | None],
    ) -> Node:
        def run(body: Body, given: list[Operand]) -> list[Operand]:
            return self._inside(raw, body, given, values)

        return Node(
            raw.operator,
            raw.name,
            raw.domain,
            self.opsets.get(raw.domain, 1),
            raw.attributes,
            inputs,
            raw.inputs,
            len(raw.outputs),
            self.flow,
            types,
            run,
            self.careful,
        )

    def _inside(
        self, raw: RawNode, body: Body, given: list[Operand], values: Mapping[str, Operand | None]
    ) -> list[Operand]:
        self._counted(raw, body)
        own: dict[str, Operand | None] = {"": None, **{name: values[name] for name in body.captures}, **body.constants}
        own |= dict(zip(body.inputs, given, strict=True))
        self.through(body.nodes, own, body.outputs)
        results = [own[name] for name in body.outputs]
        if any(result is None for result in results):
            raise ModelMalformed(f"nothing makes an output of {raw.operator} node {raw.name!r:.80}", "Export it again.")
        return [result for result in results if result is not None]

    def _counted(self, raw: RawNode, body: Body) -> None:
        self.nodes += len(body.nodes) + 1
        if self.nodes > MOST_UNROLLED:
            raise ModelUnsupported(
                f"{raw.operator} node {raw.name!r:.80} makes more than {MOST_UNROLLED} nodes when it is written out",
                "Use fewer steps.",
            )

    def _bounded(self, raw: RawNode, value: Operand | None) -> None:
        if value is None:
            return
        size, largest = (value.base.size, _MOST_VALUES) if isinstance(value, Tensor) else (value.size, LARGEST_TENSOR)
        self.numbers += size
        if size > largest or self.numbers > _MOST_NUMBERS:
            what, most = (size, largest) if size > largest else (self.numbers, _MOST_NUMBERS)
            raise ModelUnsupported(
                f"{raw.operator} node {raw.name!r:.80} makes {size} numbers"
                + (f", more than {most}" if what == size else f", {what} with those before it, more than {most}"),
                "Use a smaller model.",
            )


def _typed(value: Operand, kind: str) -> Operand:
    """With its type; a tensor that depends on no feature is a constant of it."""
    if not isinstance(value, Tensor):
        return value
    kind = kind if kind in _INPUT_TYPES else value.kind
    if not value.constant:
        return replace(value, kind=kind)
    return value.shift.astype(kind) if kind else value.shift


def _converted(convert_one: Any, node: Node) -> list[Operand]:
    try:
        results = convert_one(node)
    except AssayError:
        raise
    except (ValueError, IndexError, TypeError, KeyError, OverflowError, ZeroDivisionError) as error:
        # Shapes and attributes that contradict each other surface as NumPy's errors.
        raise node.malformed(" ".join(str(error).split())[:100]) from None
    return list(results) if isinstance(results, list | tuple) else [results]


def _known(flow: Flow) -> None:
    """Refuse a NaN that something computes with; those of weights have been refused before."""
    for number, base in enumerate(flow.bases):
        if isinstance(base, Pending | Value) and math.isnan(base.scale + base.shift):
            raise ModelMalformed(
                f"{flow.layers[flow.layer_of[number]]} computes with a constant that is no number",
                "Export the model again.",
            )
    if any(math.isnan(scale + shift) for _, scale, shift in flow.results):
        raise ModelMalformed("an output of the model is no number", "Export the model again.")


def _outputs(flow: Flow, source: Graph, values: dict[str, Operand | None]) -> None:
    """Every element of every output, read by a row of its own; one whole number is a class."""
    shapes, classes = {}, []
    for declared in source.outputs:
        value = values.get(declared.name)
        if value is None:
            raise ModelMalformed(f"nothing makes the output {declared.name!r:.60}", "Export the model again.")
        tensor = value if isinstance(value, Tensor) else constant(value)
        if tensor.constant:
            flow.notes.append(f"the output {declared.name} is constant")
        shapes[declared.name] = list(tensor.shape)
        if tensor.kind in WHOLE and tensor.base.size == 1:
            classes.append(declared.name)
        flow.outputs += [
            f"{declared.name}[{','.join(map(str, place))}]" if place else declared.name
            for place in np.ndindex(tensor.shape)
        ]
        flow.results += list(
            zip(tensor.base.ravel().tolist(), tensor.scale.ravel().tolist(), tensor.shift.ravel().tolist(), strict=True)
        )
    if not flow.outputs:
        raise ModelUnsupported("the model's outputs are empty", "Export the model again.")
    flow.meta["outputs"] = shapes
    if classes:
        flow.meta["class_outputs"] = classes
