"""From the bytes of an ONNX file to a graph in order, with its constants: nothing in it is trusted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import MissingLibrary
from assay.transpile.errors import ModelMalformed, ModelUnreadable, ModelUnsupported
from assay.transpile.importers.onnx.node import LARGEST_TENSOR

if TYPE_CHECKING:
    from numpy.typing import NDArray

OLDEST_OPSET, OLDEST_ML = 7, 1
_MOST_NODES = 200_000
_WITHOUT_OPSET = 13  # of a model of ONNX-ML's operators alone
_AGAIN = "Export the model again."
_CONTROL = {"If", "Loop", "Scan", "SequenceMap"}
_RANDOM = {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli"}
_FLOATS = {"float32", "float64", "float16"}
_INTEGERS = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"}


@dataclass(frozen=True)
class Declared:
    """An input or output of the graph: name, type and shape; a dimension is a number, a name, or None."""

    name: str
    type: str
    shape: list[int | str | None]


@dataclass(frozen=True)
class RawNode:
    """A node as it stands in the file."""

    operator: str
    name: str
    domain: str
    attributes: dict[str, Any]
    inputs: list[str]
    outputs: list[str]


@dataclass(frozen=True)
class Graph:
    """Nodes in an order in which each follows those it needs; `whole` names tensors of whole numbers."""

    nodes: list[RawNode]
    constants: dict[str, NDArray[Any]]
    inputs: list[Declared]
    outputs: list[Declared]
    opsets: dict[str, int]
    producer: str
    whole: frozenset[str] = frozenset()


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
    opsets = _opsets(model)
    if len(model.graph.node) > _MOST_NODES:
        raise ModelUnsupported(f"the graph has {len(model.graph.node)} nodes, more than {_MOST_NODES}", _AGAIN)
    if model.functions:
        inlined = library().inliner.inline_local_functions(model)
        model = inlined
    constants = {tensor.name: array(tensor) for tensor in model.graph.initializer}
    if model.graph.sparse_initializer:
        raise ModelUnsupported("the model stores sparse weights", "Export it with dense ones.")
    inputs = [_declared(value) for value in model.graph.input if value.name not in constants]
    nodes = [_node(node, index) for index, node in enumerate(model.graph.node)]
    return Graph(
        _ordered(nodes, set(constants) | {declared.name for declared in inputs}),
        constants,
        inputs,
        [_declared(value) for value in model.graph.output],
        opsets,
        f"{model.producer_name} {model.producer_version}".strip(),
        _whole(model),
    )


def _whole(model: Any) -> frozenset[str]:
    """Names of tensors of whole numbers, by the standard's own inference of types."""
    onnx = library()
    try:
        body = onnx.shape_inference.infer_shapes(model).graph
    except Exception:  # noqa: BLE001 - a malformed model, which conversion will name
        return frozenset()
    kinds = {
        getattr(onnx.TensorProto, name)
        for name in ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
    }
    values = [*body.value_info, *body.input, *body.output]
    return frozenset(value.name for value in values if value.type.tensor_type.elem_type in kinds)


def library() -> Any:
    """The onnx package."""
    try:
        import onnx
        import onnx.external_data_helper
        import onnx.inliner
        import onnx.shape_inference
    except ImportError:
        raise MissingLibrary(
            "reading ONNX models needs onnx", "Install it with `pip install 'assay[networks]'`."
        ) from None
    return onnx


def array(tensor: Any) -> NDArray[Any]:
    """A tensor's numbers; refuses those that are not finite."""
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
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ModelMalformed(f"the weight {tensor.name!r:.60} holds a NaN", "Train the model again.")
    return values


def _opsets(model: Any) -> dict[str, int]:
    onnx = library()
    opsets = {entry.domain if entry.domain != "ai.onnx" else "": entry.version for entry in model.opset_import}
    newest = {"": onnx.defs.onnx_opset_version(), "ai.onnx.ml": 5}
    oldest = {"": OLDEST_OPSET, "ai.onnx.ml": OLDEST_ML}
    for domain, version in opsets.items():
        if domain in newest and not oldest[domain] <= version <= newest[domain]:
            raise ModelUnsupported(
                f"the model uses opset {version}{f' of {domain}' if domain else ''}, and {oldest[domain]} to "
                f"{newest[domain]} are read",
                "Export it with one of these.",
            )
    return opsets


def _declared(value: Any) -> Declared:
    onnx = library()
    kind = value.type.WhichOneof("value")
    if kind != "tensor_type":
        raise ModelUnsupported(
            f"{value.name!r:.60} is no tensor but {(kind or 'untyped').removesuffix('_type')}", "Export tensors only."
        )
    tensor = value.type.tensor_type
    try:
        name = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name
    except (KeyError, TypeError):
        name = "unknown"
    shape: list[int | str | None] = [
        dimension.dim_value if dimension.HasField("dim_value") else dimension.dim_param or None
        for dimension in tensor.shape.dim
    ]
    return Declared(value.name, name, shape)


def _node(node: Any, index: int) -> RawNode:
    onnx = library()
    name = node.name or f"number {index}"
    if not all(isinstance(text, str) for text in [*node.input, *node.output, name, node.op_type, node.domain]):
        raise ModelMalformed(f"node number {index} has a name that is no text", _AGAIN)
    if node.op_type in _CONTROL:
        raise ModelUnsupported(
            f"{node.op_type} node {name!r:.80} is control flow, which a circuit has not",
            "Export the model with its loops unrolled and its branches decided.",
        )
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
    if attribute.type in {kinds.GRAPH, kinds.GRAPHS}:
        raise ModelUnsupported(f"{node.op_type} node {node.name!r:.80} holds a graph of its own", _AGAIN)
    if attribute.type == kinds.TENSOR:
        return array(attribute.t)
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if attribute.type == kinds.STRINGS:
        return [item.decode("utf-8", "replace") for item in value]
    return list(value) if attribute.type in {kinds.FLOATS, kinds.INTS} else value


def _ordered(nodes: list[RawNode], known: set[str]) -> list[RawNode]:
    """The nodes in an order in which inputs come first; the standard asks for it, and files do not always keep it."""
    made = {name: index for index, node in enumerate(nodes) for name in node.outputs if name}
    waiting: list[int] = []
    users: dict[int, list[int]] = {}
    for index, node in enumerate(nodes):
        needs = {name for name in node.inputs if name and name not in known}
        unknown = next((name for name in sorted(needs) if name not in made), None)
        if unknown is not None:
            raise ModelMalformed(
                f"{node.operator} node {node.name!r:.80} reads {unknown!r:.60}, which nothing makes", _AGAIN
            )
        waiting.append(len(needs))
        for name in needs:
            users.setdefault(made[name], []).append(index)
    outputs = [name for node in nodes for name in node.outputs if name]
    if len(set(outputs)) != len(outputs) or known & set(outputs):
        twice = next(name for name in outputs if outputs.count(name) > 1 or name in known)
        raise ModelMalformed(f"{twice!r:.60} is made twice", _AGAIN)
    return [nodes[index] for index in _sorted(nodes, waiting, users)]


def _sorted(nodes: list[RawNode], waiting: list[int], users: dict[int, list[int]]) -> list[int]:
    ready = [index for index, needed in enumerate(waiting) if not needed]
    for index in ready:
        for user in users.get(index, []):
            waiting[user] -= 1
            if not waiting[user]:
                ready.append(user)
    if len(ready) < len(nodes):
        raise ModelMalformed("the graph has a cycle", _AGAIN)
    return ready


def _short(error: Exception) -> str:
    text = " ".join(str(error).split())
    return (text or type(error).__name__)[:100]
