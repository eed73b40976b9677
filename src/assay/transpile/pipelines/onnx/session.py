"""onnxruntime on a part of a model: what the steps before its trees make of rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import MissingLibrary
from assay.transpile.errors import LibraryRefuses, ModelUnsupported
from assay.transpile.importers.onnx.library import library

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TEXT = "object"
_LAST = "wanted"
_WHOLE = {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool"}


@dataclass(frozen=True)
class Wide:
    """An input of the model: so many numbers (or texts) a row, of a NumPy type."""

    name: str
    type: str
    width: int
    rank: int

    @property
    def whole(self) -> bool:
        """Whether it takes whole numbers only."""
        return self.type in _WHOLE


def absent(known: Sequence[str]) -> str:
    """A text that is none of those known."""
    text = ""
    while text in known:
        text += "\0"
    return text


class Session:
    """A model whose inputs hold rows: [B, width] or [B] each."""

    def __init__(self, model: Any, inputs: Sequence[Wide]) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingLibrary(
                "reading trees in ONNX needs onnxruntime", "Install it with `pip install 'assay[networks]'`."
            ) from None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        self._inputs = inputs
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common class
            raise ModelUnsupported(
                f"onnxruntime refuses the model ({' '.join(str(error).split())[:160]})", "Export the model again."
            ) from None
        self._used = {value.name for value in self._session.get_inputs()}

    def run(self, columns: Sequence[NDArray[Any]]) -> list[Any]:
        """All outputs of rows given column by column, numbers or texts."""
        feeds, start = {}, 0
        for one in self._inputs:
            parts = [_typed(column, one) for column in columns[start : start + one.width]]
            start += one.width
            if one.name in self._used:
                feeds[one.name] = parts[0] if one.rank == 1 else np.stack(parts, axis=1)
        try:
            found: list[Any] = self._session.run(None, feeds)
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common class
            raise LibraryRefuses(
                f"the model's own predict does not take these rows ({' '.join(str(error).split())[-160:]})",
                "Give rows that it takes.",
            ) from None
        return found

    def kind(self) -> str:
        """The type of the first output's numbers."""
        texts = [one.type == TEXT for one in self._inputs for _ in range(one.width)]
        row = [np.array([""], dtype=object) if text else np.zeros(1) for text in texts]
        return str(np.asarray(self.run(row)[0]).dtype)

    def matrix(self, rows: Floats, texts: Mapping[int, Sequence[str]]) -> Floats:
        """The first output of rows float64[B, F] as float64[B, W]; a text is given by its place among those known."""
        columns = [
            _named(rows[:, index], texts[index]) if index in texts else rows[:, index] for index in range(rows.shape[1])
        ]
        return np.asarray(self.run(columns)[0], dtype=np.float64).reshape(len(rows), -1)


def _named(codes: Floats, known: Sequence[str]) -> NDArray[Any]:
    names = np.array([*known, absent(known)], dtype=object)
    return np.asarray(names[np.where(np.isnan(codes), len(known), np.nan_to_num(codes)).astype(np.int64)])


def _typed(column: NDArray[Any], one: Wide) -> NDArray[Any]:
    if one.type == TEXT:
        return np.array([str(value) for value in column.tolist()], dtype=object)
    if one.whole and column.dtype.kind == "f":
        info = np.iinfo(np.uint8 if one.type == "bool" else one.type)
        # The largest double below 2^63 is no int64's largest, so the ends are cut in doubles.
        ends = np.array([info.min, np.nextafter(float(info.max), 0) if info.bits == 64 else info.max], dtype=np.float64)
        return np.asarray(np.clip(np.nan_to_num(column), *ends).astype(one.type))
    with np.errstate(over="ignore"):
        return np.asarray(column).astype(one.type)


def part(model: Any, wanted: Sequence[str], *, lenient: bool = False) -> Any:
    """The model that makes some tensors, with the first dimension of every input left open.

    A lenient one's encoders take every value, and its trees say their sums: what the search for splits and the
    comparison of sums need.
    """
    onnx = library()
    made = {name: node for node in model.graph.node for name in node.output}
    waiting, taken = list(wanted), set()
    while waiting:
        node = made.get(waiting.pop())
        if node is not None and id(node) not in taken:
            taken.add(id(node))
            waiting += list(node.input)
    nodes = [_copied(onnx, node, lenient=lenient) for node in model.graph.node if id(node) in taken]
    inputs = []
    for value in model.graph.input:
        copy = onnx.ValueInfoProto()
        copy.CopyFrom(value)
        if copy.type.tensor_type.shape.dim:
            copy.type.tensor_type.shape.dim[0].Clear()
        inputs.append(copy)
    # A graph's output may be none of its inputs.
    last = [onnx.helper.make_node("Identity", [name], [f"{_LAST} {name}"]) for name in wanted]
    outputs = [onnx.helper.make_empty_tensor_value_info(node.output[0]) for node in last]
    body = onnx.helper.make_graph([*nodes, *last], "part", inputs, outputs, list(model.graph.initializer))
    return onnx.helper.make_model(
        body, opset_imports=list(model.opset_import), ir_version=min(model.ir_version or 8, 10)
    )


def _copied(onnx: Any, node: Any, *, lenient: bool) -> Any:
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    dropped = {"OneHotEncoder": "zeros", "TreeEnsembleClassifier": "post_transform"}.get(node.op_type)
    if lenient and dropped:
        kept = [attribute for attribute in node.attribute if attribute.name != dropped]
        del copy.attribute[:]
        copy.attribute.extend(kept)
    return copy
