"""From a graph to a `Flow`: each node by its operator, constants by onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import AssayError, MissingLibrary
from assay.transpile.errors import ModelMalformed, ModelUnsupported
from assay.transpile.flow.flow import Flow, Input
from assay.transpile.flow.tensor import Tensor, constant, of_bases
from assay.transpile.importers.onnx import operators
from assay.transpile.importers.onnx.node import LARGEST_TENSOR, Node, Operand
from assay.transpile.importers.onnx.reading import Declared, Graph, RawNode, graph, library
from assay.transpile.importers.onnx.registry import OPERATORS, supported

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

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


def convert(
    model: Any,
    dimensions: Mapping[str, int] | None = None,
    bound: Mapping[str, NDArray[Any]] | None = None,
    centres: Callable[[Flow], NDArray[np.float64]] | None = None,
    sizes: Mapping[str, tuple[int, ...]] | None = None,
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
    if centres is not None:
        shifts = centres(flow)
        flow.meta["centres"] = shifts.tolist()
        for declared in inputs:
            tensor = values[declared.name]
            assert isinstance(tensor, Tensor)  # noqa: S101 - made above
            values[declared.name] = Tensor(tensor.base, tensor.scale, shifts[tensor.base - 1])
    for node in source.nodes:
        _node(flow, node, source, values)
    _outputs(flow, source, values)
    flow.meta |= {"library": "onnx", "model": source.producer or "a network", "inputs": shapes}
    return flow


def _input(flow: Flow, declared: Declared, dimensions: Mapping[str, int]) -> Tensor:
    if declared.type not in _INPUT_TYPES:
        raise ModelUnsupported(
            f"the input {declared.name!r:.60} is of type {declared.type}", "Export a model that takes numbers."
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
    numbers = [flow.add(Input(start + index)) for index in range(count)]
    return of_bases(np.array(numbers, dtype=np.int64).reshape(shape))


def _extent(declared: Declared, axis: int, dimensions: Mapping[str, int]) -> int:
    extent = declared.shape[axis]
    if isinstance(extent, int) and extent > 0:
        return extent
    if isinstance(extent, str) and extent in dimensions:
        return int(dimensions[extent])
    if axis == 0:
        return 1  # rows: a proof's batch is not the model's
    name = f"{extent!r:.40}" if isinstance(extent, str) else f"{axis} (which has no name)"
    raise ModelUnsupported(
        f"the dimension {name} of the input {declared.name!r:.60} is left open",
        f"Say its size: dimensions={{{extent or 'name'!r:.40}: 20}}, or export the model with a fixed shape.",
    )


def _node(flow: Flow, raw: RawNode, source: Graph, values: dict[str, Operand | None]) -> None:
    operators.load()
    found = OPERATORS.get((raw.domain, raw.operator))
    if found is None:
        domain = f" of {raw.domain}" if raw.domain else ""
        raise ModelUnsupported(
            f"the operator {raw.operator}{domain} (node {raw.name!r:.80}) is not supported", supported()
        )
    inputs = [values[name] for name in raw.inputs]
    if not any(isinstance(value, Tensor) for value in inputs) and not found.even_constant:
        results = folded(raw, source, inputs)
    else:
        flow.layers.append(f"{raw.operator} {raw.name}")
        node = Node(
            raw.operator,
            raw.name,
            raw.domain,
            source.opsets.get(raw.domain, 1),
            raw.attributes,
            inputs,
            raw.inputs,
            len(raw.outputs),
            flow,
            bool(raw.outputs) and raw.outputs[0] in source.whole,
        )
        results = _converted(found.convert, node)
    for name, value in zip(raw.outputs, results, strict=False):
        values[name] = value.shift if isinstance(value, Tensor) and value.constant else value
        _bounded(raw, value)
    for name in raw.outputs[len(results) :]:
        values[name] = None


def _converted(convert_one: Any, node: Node) -> list[Operand]:
    try:
        results = convert_one(node)
    except AssayError:
        raise
    except (ValueError, IndexError, TypeError, KeyError, OverflowError, ZeroDivisionError) as error:
        # Shapes and attributes that contradict each other surface as NumPy's errors.
        raise node.malformed(" ".join(str(error).split())[:100]) from None
    return list(results) if isinstance(results, list | tuple) else [results]


def _bounded(raw: RawNode, value: Operand) -> None:
    size = value.base.size if isinstance(value, Tensor) else value.size
    if size > LARGEST_TENSOR:
        raise ModelUnsupported(
            f"{raw.operator} node {raw.name!r:.80} makes {size} numbers, more than {LARGEST_TENSOR}",
            "Use a smaller model.",
        )


def folded(raw: RawNode, source: Graph, inputs: list[Operand | None]) -> list[Operand]:
    """What onnxruntime makes of a node whose inputs are constants."""
    onnx = library()
    runtime = _runtime()
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    initializers = [
        numpy_helper.from_array(np.asarray(value), name)
        for name, value in dict(zip(raw.inputs, inputs, strict=True)).items()
        if name and value is not None
    ]
    attributes = {
        name: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for name, value in raw.attributes.items()
    }
    node = helper.make_node(raw.operator, raw.inputs, raw.outputs, domain=raw.domain, **attributes)
    outputs = [helper.make_empty_tensor_value_info(name) for name in raw.outputs if name]
    body = helper.make_graph([node], "constant", [], outputs, initializers)
    opsets = [helper.make_opsetid(domain, version) for domain, version in source.opsets.items()]
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        model = helper.make_model(body, opset_imports=opsets, ir_version=10)
        results: list[Any] = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        ).run(None, {})
    except Exception as error:  # noqa: BLE001 - the library names no class of its own
        raise ModelMalformed(
            f"{raw.operator} node {raw.name!r:.80} cannot be computed ({' '.join(str(error).split())[:100]})",
            "Export the model again.",
        ) from None
    given = iter(results)
    return [np.asarray(next(given)) if name else np.zeros(0) for name in raw.outputs]


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingLibrary(
            "converting ONNX models needs onnxruntime", "Install it with `pip install 'assay[networks]'`."
        ) from None
    return onnxruntime


def _outputs(flow: Flow, source: Graph, values: dict[str, Operand | None]) -> None:
    """Every element of every output, read by a row of its own."""
    shapes = {}
    for declared in source.outputs:
        value = values.get(declared.name)
        if value is None:
            raise ModelMalformed(f"nothing makes the output {declared.name!r:.60}", "Export the model again.")
        tensor = value if isinstance(value, Tensor) else constant(value)
        if tensor.constant:
            flow.notes.append(f"the output {declared.name} is constant")
        shapes[declared.name] = list(tensor.shape)
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
