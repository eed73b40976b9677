"""Classes that are named by text: a circuit says their numbers, since it has numbers only."""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.transpile.importers.onnx.library import library

_NAMED = {"LinearClassifier", "SVMClassifier"}
_MOST_SHOWN = 12
_CHOSEN = {"ArrayFeatureExtractor", "Gather"}


def numbered(model: Any) -> list[str]:
    """Put the number of each class in the place of its name, in the model itself; the names, if there are any."""
    onnx = library()
    names: list[str] = []
    read = {node.input[0] for node in model.graph.node if node.op_type in _CHOSEN and node.input}
    for tensor in model.graph.initializer:
        if tensor.data_type == onnx.TensorProto.STRING and tensor.name in read:
            names = [text.decode("utf-8", "replace") for text in tensor.string_data]
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.arange(len(names)).reshape(tensor.dims), tensor.name))
    for node in model.graph.node:
        if node.op_type in _NAMED:
            names = _of(onnx, node, "classlabels_strings", "classlabels_ints") or names
    if names:
        _untyped(onnx, model)
    return names


def shown(names: list[str]) -> str:
    """Numbers and names, as far as people read them."""
    listed = [f"{index} is {name!r:.40}" for index, name in enumerate(names[:_MOST_SHOWN])]
    return ", ".join([*listed, "and so on"] if len(names) > _MOST_SHOWN else listed)


def _of(onnx: Any, node: Any, texts: str, numbers: str) -> list[str]:
    found = next((attribute for attribute in node.attribute if attribute.name == texts and attribute.strings), None)
    if found is None:
        return []
    names = [text.decode("utf-8", "replace") for text in found.strings]
    kept = [attribute for attribute in node.attribute if attribute.name not in {texts, numbers}]
    del node.attribute[:]
    node.attribute.extend([*kept, onnx.helper.make_attribute(numbers, list(range(len(names))))])
    return names


def _untyped(onnx: Any, model: Any) -> None:
    """Without what the file says of values of text, which are numbers now."""
    for value in model.graph.output:
        if value.type.tensor_type.elem_type == onnx.TensorProto.STRING:
            value.CopyFrom(onnx.helper.make_empty_tensor_value_info(value.name))
    kept = [one for one in model.graph.value_info if one.type.tensor_type.elem_type != onnx.TensorProto.STRING]
    del model.graph.value_info[:]
    model.graph.value_info.extend(kept)
