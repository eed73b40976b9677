"""Constants computed by onnxruntime, node by node, after a look at how large they become."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import MissingLibrary
from assay.transpile.errors import ModelMalformed, ModelUnsupported
from assay.transpile.importers.onnx.library import library
from assay.transpile.importers.onnx.node import LARGEST_TENSOR, Operand

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from assay.transpile.importers.onnx.reading import RawNode


def folded(
    raw: RawNode, opsets: Mapping[str, int], inputs: list[Operand | None], *, known: bool = True
) -> list[Operand] | None:
    """What onnxruntime makes of a node whose inputs are constants; None if it does not and need not."""
    onnx = library()
    runtime = _runtime()
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    initializers = [
        numpy_helper.from_array(_cast(raw, np.asarray(value)), name)
        for name, value in dict(zip(raw.inputs, inputs, strict=True)).items()
        if name and value is not None
    ]
    attributes = {
        name: numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
        for name, value in raw.attributes.items()
    }
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    try:
        node = helper.make_node(raw.operator, raw.inputs, raw.outputs, domain=raw.domain, **attributes)
        outputs = [helper.make_empty_tensor_value_info(name) for name in raw.outputs if name]
        body = helper.make_graph([node], "constant", [], outputs, initializers)
        imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
        model = helper.make_model(body, opset_imports=imports, ir_version=10)
        _small(raw, model)
        results: list[Any] = runtime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        ).run(None, {})
    except ModelUnsupported:
        raise
    except Exception as error:  # noqa: BLE001 - the library names no class of its own
        if not known:
            return None
        raise ModelMalformed(
            f"{raw.operator} node {raw.name!r:.80} cannot be computed ({' '.join(str(error).split())[:100]})",
            "Export the model again.",
        ) from None
    given = iter(results)
    return [np.asarray(next(given)) if name else np.zeros(0) for name in raw.outputs]


def _cast(raw: RawNode, value: NDArray[Any]) -> NDArray[Any]:
    """What onnxruntime casts: it has no casts of floats of 4 bits, all of which are floats of 32."""
    return (
        value.astype(np.float32)
        if raw.operator in {"Cast", "CastLike"} and value.dtype.name.startswith("float4")
        else value
    )


def _small(raw: RawNode, model: Any) -> None:
    """Refuse a constant that would fill the memory, before it is made."""
    if raw.domain:
        return
    for value in library().shape_inference.infer_shapes(model, data_prop=True).graph.output:
        size = math.prod(dimension.dim_value for dimension in value.type.tensor_type.shape.dim)
        if size > LARGEST_TENSOR:
            raise ModelUnsupported(
                f"{raw.operator} node {raw.name!r:.80} makes {size} numbers, more than {LARGEST_TENSOR}",
                "Use a smaller model.",
            )


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingLibrary(
            "converting ONNX models needs onnxruntime", "Install it with `pip install 'assay[networks]'`."
        ) from None
    return onnxruntime
