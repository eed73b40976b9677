"""onnxruntime as the oracle of trees in ONNX."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.importers.onnx.inlining import inlined
from assay.transpile.pipelines.onnx.session import TEXT, Session, absent, part
from assay.transpile.pipelines.onnx.trees import trees_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.circuit.answers import Answers
    from assay.transpile.circuit.circuit import Circuit

    Floats = NDArray[np.float64]


def margins_and_answers(
    model: Any, circuit: Circuit, answers: Answers
) -> tuple[Callable[[Any], Floats], Callable[[Any], Any]]:
    """Of a parsed model its sums before any transform, float64[B, K], and what it answers, from rows of any type."""
    model = inlined(model)
    found = trees_of(model)
    kinds = [one.type for one in found.inputs for _ in range(one.width)]
    outputs = len(circuit.outputs)
    sums = Session(part(model, found.node.outputs[-1:], lenient=True), found.inputs)
    said = Session(part(model, [model.graph.output[0].name]), found.inputs)

    def margins(rows: Any) -> Floats:
        scores = np.asarray(sums.run(_columns(circuit, kinds, rows))[0], dtype=np.float64).reshape(len(rows), -1)
        return scores[:, -outputs:] * found.votes.factor

    def answered(rows: Any) -> Any:
        given = np.asarray(said.run(_columns(circuit, kinds, rows))[0])
        if answers.task == "classification":
            return given.reshape(-1).tolist()
        return given.astype(np.float64).reshape(len(rows), outputs)

    return margins, answered


def _columns(circuit: Circuit, kinds: list[str], rows: Any) -> list[NDArray[Any]]:
    """Column by column as the model takes them: texts of what is text, numbers of all else."""
    framed = hasattr(rows, "iloc")
    columns = []
    for index, (feature, kind) in enumerate(zip(circuit.features, kinds, strict=True)):
        column = rows.iloc[:, index].to_numpy() if framed else np.asarray(rows)[:, index]
        known = [str(value) for value in feature.categories.known] if feature.categories is not None else []
        if kind != TEXT:
            columns.append(column.astype(np.float64) if column.dtype.kind == "O" else column)
        elif framed:
            columns.append(np.array([str(v) if isinstance(v, str) else absent(known) for v in column], dtype=object))
        else:
            codes = np.asarray(column, dtype=np.float64)
            names = [*known, absent(known)]
            columns.append(np.array([names[-1 if np.isnan(code) else int(code)] for code in codes], dtype=object))
    return columns
