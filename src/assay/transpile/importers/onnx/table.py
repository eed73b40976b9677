"""The table of operators for the documentation (`python -m assay.transpile.importers.onnx.table`)."""

from __future__ import annotations

from assay.transpile.importers.onnx import operators
from assay.transpile.importers.onnx.registry import OPERATORS

_HEAD = """# ONNX operators

Generated from the importer by `python -m assay.transpile.importers.onnx.table`; a test holds this page to it.
*Rows* says what an operator costs in rows of [the circuit](../spec/networks-circuit.md); shapes and constants cost
none. What stands under *refused* is refused with the operator and the node, as is any operator that is not listed.
Several operators that together are one function of one number (`x * Sigmoid(x)`, a `Where` over a comparison with a
constant) become one table where that is cheaper: 0 rows after a linear call, else 1 an element.
Opsets 7 to the newest of the installed `onnx` are read, older ones where every operator is what it was in opset 7.
Constants are folded by onnxruntime, whatever their operator and type (bfloat16, floats of 8 bits, whole numbers of 4).
Operators that the standard itself writes out in others are read so where these can be converted: `Attention` and
`RotaryEmbedding` with masks and positions that are constant, `CenterCropPad`, the losses.

| operator | rows | refused |
|---|---|---|
"""


def markdown() -> str:
    """The page."""
    operators.load()
    lines = []
    for (domain, name), entry in sorted(OPERATORS.items()):
        shown = f"{domain}.{name}" if domain else name
        lines.append(f"| `{shown}` | {entry.rows} | {entry.limits or 'nothing'} |")
    return _HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(markdown(), end="")  # noqa: T201 - a generator of a page
