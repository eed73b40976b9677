"""From the bytes of an ONNX file to a graph in order, with its constants: nothing in it is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelMalformed, ModelUnreadable, ModelUnsupported
from assay.transpile.importers.onnx.inlining import inlined
from assay.transpile.importers.onnx.library import library
from assay.transpile.importers.onnx.node import LARGEST_TENSOR
from assay.transpile.importers.onnx.order import ordered, outside
from assay.transpile.importers.onnx.types import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

OLDEST_OPSET, OLDEST_ML = 7, 1
_WITHOUT_OPSET = 13  # of a model of ONNX-ML's operators alone
_AGAIN = "Export the model again."
_WITH_NANS = {"membership_values", "nodes_splits"}  # between sets, and where a node asks for one
_LOOPS = {"If", "Loop", "Scan"}
_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}


@dataclass(frozen=True)
class Declared:
    """An input or output of the graph: name, type and shape; a dimension is a number, a name, or None.

    Attributes
    ----------
    shaped
        Whether the file says a shape at all.
    """

    name: str
    type: str
    shape: list[int | str | None]
    shaped: bool = True


@dataclass(frozen=True)
class RawNode:
    """A node as it stands in the file."""

    operator: str
    name: str
    domain: str
    attributes: dict[str, Any]
    inputs: list[str]
    outputs: list[str]

    @property
    def needs(self) -> list[str]:
        """Names that it reads, with those that the graphs inside it read from around."""
        inner = [value for value in self.attributes.values() if isinstance(value, Body)]
        return self.inputs + [name for body in inner for name in body.captures]


@dataclass(frozen=True)
class Body:
    """The graph of a loop or a branch: names of what goes in and comes out, and of what it reads from around it."""

    nodes: list[RawNode]
    constants: dict[str, NDArray[Any]]
    inputs: list[str]
    outputs: list[str]
    captures: list[str]


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each follows those it needs."""

    nodes: list[RawNode]
    constants: dict[str, NDArray[Any]]
    inputs: list[Declared]
    outputs: list[Declared]
    opsets: dict[str, int]
    producer: str


def parse(data: bytes, path: str) -> Any:
    """The protobuf message of a file.

    Raises
    ------
    ModelUnreadable
        If it is none.
    """
    onnx = library()
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # noqa: BLE001 - protobuf's own errors, of several classes
        raise ModelUnreadable(f"{path} is no ONNX model ({_short(error)})", _AGAIN) from None
    if not model.HasField("graph") or not (model.graph.node or model.graph.output):
        raise ModelUnreadable(f"{path} is no ONNX model: it holds no graph", _AGAIN)
    return _without_maps(_with_external(model, path))


def _without_maps(model: Any) -> Any:
    """The model with tensors in place of the maps that ZipMap makes of scores, which carry the same numbers."""
    onnx = library()
    made = {name for node in model.graph.node if node.op_type == "ZipMap" for name in node.output}
    if not made:
        return model
    for node in model.graph.node:
        if node.op_type == "ZipMap":
            node.CopyFrom(onnx.helper.make_node("Identity", list(node.input), list(node.output), node.name))
    for value in model.graph.output:
        if value.name in made:
            value.CopyFrom(onnx.helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, None))
    if not any(entry.domain in {"", "ai.onnx"} for entry in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid("", _WITHOUT_OPSET))
    return model


def _with_external(model: Any, path: str) -> Any:
    helper = library().external_data_helper
    tensors = list(helper._get_all_tensors(model))  # noqa: SLF001 - the loader's own walk
    if any(helper.uses_external_data(tensor) for tensor in tensors):
        try:
            helper.load_external_data_for_model(model, str(Path(path).parent))
        except Exception as error:  # noqa: BLE001 - the library names no class of its own
            raise ModelUnreadable(
                f"{path} keeps its weights in another file that cannot be read ({_short(error)})",
                "Put that file beside it, or export with all weights in one file.",
            ) from None
    return model


def graph(model: Any) -> Graph:
    """The graph of a parsed model, checked as far as structure goes."""
    model = inlined(model)
    opsets = _opsets(model, set(_used(model.graph.node)))
    message = model.graph
    constants = _constants(message)
    inputs = [_declared(value) for value in message.input if value.name not in constants]
    for kind, values in (("inputs", inputs), ("outputs", message.output)):
        names = [value.name for value in values]
        if len(set(names)) != len(names):
            raise ModelMalformed(f"two {kind} of the model have one name", _AGAIN)
    nodes = [_node(node, index) for index, node in enumerate(message.node)]
    return Graph(
        ordered(nodes, set(constants) | {declared.name for declared in inputs}),
        constants,
        inputs,
        [_declared(value, output=True) for value in message.output],
        opsets,
        f"{model.producer_name} {model.producer_version}".strip(),
    )


def _body(message: Any) -> Body:
    """A graph inside a node."""
    constants = _constants(message)
    inputs, outputs = ([value.name for value in values] for values in (message.input, message.output))
    nodes = [_node(node, index) for index, node in enumerate(message.node)]
    own = set(constants) | set(inputs)
    captures = outside(nodes, outputs, own)
    return Body(ordered(nodes, own | set(captures)), constants, inputs, outputs, captures)


def body_of(nodes: list[Any], inputs: list[str], outputs: list[str]) -> Body:
    """A function's nodes; of its outputs those that they make."""
    read = [_node(node, index) for index, node in enumerate(nodes)]
    made = {name for node in read for name in node.outputs}
    return Body(ordered(read, set(inputs)), {}, inputs, [name if name in made else "" for name in outputs], [])


def _constants(message: Any) -> dict[str, NDArray[Any]]:
    if message.sparse_initializer:
        raise ModelUnsupported("the model stores sparse weights", "Export it with dense ones.")
    constants = {tensor.name: array(tensor) for tensor in message.initializer}
    if len(constants) != len(message.initializer):
        raise ModelMalformed("two weights of the model have one name", _AGAIN)
    return constants


def array(tensor: Any, *, lenient: bool = False) -> NDArray[Any]:
    """A tensor's numbers; refuses one with NaN, unless it is lenient.

    A NaN alone is no weight: exporters write one beside a mean, for a mean of nothing, which no row has.
    """
    helper = library().numpy_helper
    size = 1
    for extent in tensor.dims:
        size *= max(int(extent), 0)
    if size > LARGEST_TENSOR or any(extent < 0 for extent in tensor.dims):
        raise ModelUnsupported(
            f"the weight {tensor.name!r:.60} has a shape of {list(tensor.dims)!s:.80}", "Use a smaller model."
        )
    try:
        values: NDArray[Any] = np.asarray(helper.to_array(tensor))
    except Exception as error:  # noqa: BLE001 - the library names no class of its own
        raise ModelMalformed(f"the weight {tensor.name!r:.60} cannot be read ({_short(error)})", _AGAIN) from None
    # Types that NumPy does not have (bfloat16, floats of 8 bits) are of kind V.
    if not lenient and values.size > 1 and values.dtype.kind in "fV" and np.isnan(values.astype(np.float32)).any():
        raise ModelMalformed(f"the weight {tensor.name!r:.60} holds a NaN", "Train the model again.")
    return values


def _used(nodes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """Domain and operator of each node, also of those in bodies of loops and branches, of any depth that is read."""
    for node in nodes:
        yield node.domain, node.op_type
        for attribute in node.attribute:
            for inner in [attribute.g, *attribute.graphs] if attribute.HasField("g") else attribute.graphs:
                yield from _used(inner.node)


def _opsets(model: Any, used: set[tuple[str, str]]) -> dict[str, int]:
    """Versions by domain; older ones than are read pass where every operator that is used has not changed since."""
    onnx = library()
    opsets = {entry.domain if entry.domain != "ai.onnx" else "": entry.version for entry in model.opset_import}
    newest = {"": onnx.defs.onnx_opset_version(), "ai.onnx.ml": 5}
    oldest = {"": OLDEST_OPSET, "ai.onnx.ml": OLDEST_ML}
    for domain, version in opsets.items():
        if domain in newest and not oldest[domain] <= version <= newest[domain]:
            if 0 < version < oldest[domain] and not any(_changed(name, version) for _, name in used):
                continue
            raise ModelUnsupported(
                f"the model uses opset {version}{f' of {domain}' if domain else ''}, and {oldest[domain]} to "
                f"{newest[domain]} are read",
                "Export it with one of these.",
            )
    return opsets


def _changed(name: str, version: int) -> bool:
    """Whether an operator became another between a version and the oldest that is read."""
    schema = library().defs.get_schema
    try:
        return bool(schema(name, version, "").since_version != schema(name, OLDEST_OPSET, "").since_version)
    except Exception:  # noqa: BLE001 - the library names no class of its own
        return True


def _declared(value: Any, *, output: bool = False) -> Declared:
    """What a file says of an input or output; an output that somebody added may stand there without its type."""
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type" and not (output and kind is None):
        raise ModelUnsupported(
            f"{value.name!r:.60} is no tensor but {(kind or 'untyped').removesuffix('_type')}", "Export tensors only."
        )
    tensor = value.type.tensor_type
    shape: list[int | str | None] = [
        dimension.dim_value if dimension.HasField("dim_value") else dimension.dim_param or None
        for dimension in tensor.shape.dim
    ]
    return Declared(value.name, name_of(tensor.elem_type), shape, tensor.HasField("shape"))


def _node(node: Any, index: int) -> RawNode:
    onnx = library()
    name = node.name or f"number {index}"
    if not all(isinstance(text, str) for text in [*node.input, *node.output, name, node.op_type, node.domain]):
        raise ModelMalformed(f"node number {index} has a name that is no text", _AGAIN)
    if node.op_type in _RANDOM:
        raise ModelUnsupported(
            f"{node.op_type} node {name!r:.80} draws random numbers, which cannot be proven",
            "Export the model for inference.",
        )
    attributes = {attribute.name: _attribute(onnx, attribute, node) for attribute in node.attribute}
    domain = "" if node.domain == "ai.onnx" else node.domain
    return RawNode(node.op_type, name, domain, attributes, list(node.input), list(node.output))


def _attribute(onnx: Any, attribute: Any, node: Any) -> Any:
    kinds = onnx.AttributeProto
    if attribute.type == kinds.GRAPH and node.op_type in _LOOPS:
        return _body(attribute.g)
    if attribute.type in {kinds.GRAPH, kinds.GRAPHS}:
        raise ModelUnsupported(f"{node.op_type} node {node.name!r:.80} holds a graph of its own", _AGAIN)
    if attribute.type == kinds.TENSOR:
        return array(attribute.t, lenient=attribute.name in _WITH_NANS)
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if attribute.type == kinds.STRINGS:
        return [item.decode("utf-8", "replace") for item in value]
    return list(value) if attribute.type in {kinds.FLOATS, kinds.INTS} else value


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text or type(error).__name__)[:100]
