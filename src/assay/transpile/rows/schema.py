"""The JSON schema of a circuit's file of rows: what whoever brings rows has to give, without the model."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.transpile.circuit.circuit import Circuit, Feature

SCHEMA_FILE = "rows.schema.json"

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS = {
    "float32": "A number; it is rounded to float32.",
    "float64": "A number, compared exactly as a double.",
    "integer": "A whole number, compared exactly.",
    "fixed": "A number; it is rounded to a multiple of 2^{exponent}.",
}


def rows_schema(circuit: Circuit, *, max_batch: int) -> str:
    """Write the schema of the files of rows (.json) that `assay prove` takes for this circuit.

    Parameters
    ----------
    circuit
        Its features are described; nothing is said of the model.
    max_batch
        The most rows that one proof may cover.

    Returns
    -------
    JSON Schema, draft 2020-12, as text.
    """
    scales = circuit.scales
    refused = {view.feature for view in circuit.views if view.missing == "refuse"}
    if circuit.kind != "trees":
        refused = set(range(len(circuit.features)))
    row = {
        "type": "array",
        "prefixItems": [
            _item(one, missing=index not in refused, scale=scales.get(one.name))
            for index, one in enumerate(circuit.features)
        ],
        "minItems": len(circuit.features),
        "items": False,
    }
    schema: dict[str, Any] = {
        "$schema": _DIALECT,
        "title": f"Rows for a proof; they are {circuit.inputs} in it",
        "type": "object",
        "properties": {"inputs": {"type": "array", "minItems": 1, "maxItems": max_batch, "items": row}},
        "required": ["inputs"],
        "additionalProperties": False,
    }
    if circuit.missing_value is not None:
        schema["description"] = f"{circuit.missing_value:g} stands for a missing value, as null does."
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _item(feature: Feature, *, missing: bool, scale: int | None) -> dict[str, Any]:
    number = "integer" if feature.kind == "integer" else "number"
    missing = missing or feature.fill is not None
    item: dict[str, Any] = {
        "title": feature.name,
        "type": [number, "null"] if missing else number,
        "description": _KINDS[feature.kind].format(exponent=-feature.bits) + " null: missing." * missing,
    }
    if feature.categories is not None:
        del item["type"]
        absent: list[Any] = [None] * missing
        item["description"] = "A category." + " null: missing." * missing
        if feature.categories.others == "refuse":
            item["enum"] = [*feature.categories.known, *absent]
        else:
            other = "missing" if feature.categories.others == "missing" else "unknown to the model, and taken as such"
            item["description"] += f" Known: {', '.join(map(str, feature.categories.known))}; any other is {other}."
    elif feature.fill is not None:
        item["description"] = item["description"].replace("null: missing.", f"null: missing, read as {feature.fill:g}.")
    if scale is not None:
        item["description"] += f" It is the quantity divided by 10^{scale}, its fraction left away."
    if feature.kind == "integer":
        item |= {"minimum": feature.low, "maximum": feature.high}
    elif feature.kind == "fixed":
        # A network's coarse features have less than no bits after the point.
        low, high = (math.ldexp(end, -feature.bits) for end in (feature.low, feature.high))
        item |= {"minimum": low, "maximum": high}
    return item
