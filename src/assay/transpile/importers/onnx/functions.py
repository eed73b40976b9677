"""Operators that the standard writes out in simpler ones: how those are read that are not converted themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.tensor import Tensor
from assay.transpile.importers.onnx.library import library
from assay.transpile.importers.onnx.reading import Body, body_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from assay.transpile.importers.onnx.node import Operand
    from assay.transpile.importers.onnx.reading import RawNode


def standard_body(
    raw: RawNode, opsets: Mapping[str, int], inputs: list[Operand | None]
) -> tuple[Body, dict[str, int]] | None:
    """The operator in others of the standard, with the opset that they are of; None where the standard has none.

    The body's inputs are all that the operator has, of which the last may be left out.
    """
    onnx = library()
    attributes = {
        name: onnx.numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for name, value in raw.attributes.items()
    }
    try:
        schema: Any = onnx.defs.get_schema(raw.operator, opsets.get(raw.domain, 1), raw.domain)
        call = onnx.helper.make_node(raw.operator, raw.inputs, raw.outputs, domain=raw.domain, **attributes)
        if schema.has_function:
            function = schema.function_body
        elif schema.has_context_dependent_function:
            types = [_type(value).SerializeToString() for value in inputs]
            function = onnx.FunctionProto.FromString(
                schema.get_context_dependent_function(call.SerializeToString(), types)
            )
        else:
            return None
    except Exception:  # noqa: BLE001 - the library names no class of its own
        return None
    given = {
        attribute.name: attribute for attribute in [*function.attribute_proto, *_defaults(schema), *call.attribute]
    }
    nodes = []
    for index, node in enumerate(function.node):
        own = onnx.NodeProto()
        own.CopyFrom(node)
        own.name = f"{raw.name}/{index}"
        del own.attribute[:]
        own.attribute.extend(_filled(onnx, node.attribute, given))
        nodes.append(own)
    inner = {entry.domain: entry.version for entry in function.opset_import}
    return body_of(nodes, list(function.input), list(function.output)), inner


def _filled(onnx: Any, attributes: Any, given: Mapping[str, Any]) -> Iterator[Any]:
    """Attributes, with those of the call where the body names them; left out where the call leaves them out."""
    for attribute in attributes:
        if not attribute.ref_attr_name:
            yield attribute
        elif attribute.ref_attr_name in given:
            own = onnx.AttributeProto()
            own.CopyFrom(given[attribute.ref_attr_name])
            own.name = attribute.name
            yield own


def _defaults(schema: Any) -> list[Any]:
    return [one.default_value for one in schema.attributes.values() if one.default_value.name]


def _type(value: Operand | None) -> Any:
    onnx = library()
    if value is None:
        return onnx.TypeProto()
    name = (value.kind or "float32") if isinstance(value, Tensor) else value.dtype.name
    element = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(name))
    return onnx.helper.make_tensor_type_proto(element, list(value.shape))
