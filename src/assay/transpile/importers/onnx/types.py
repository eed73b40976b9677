"""NumPy types of what a node makes, by the standard's own table of operators.

Not by the standard's inference over a graph: it is not made for files of strangers, some of which end the process.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.flow.tensor import Tensor
from assay.transpile.importers.onnx.library import library

if TYPE_CHECKING:
    from collections.abc import Mapping

    from assay.transpile.importers.onnx.node import Operand
    from assay.transpile.importers.onnx.reading import RawNode

UNKNOWN = "unknown"
_NAMED = {"float": "float32", "double": "float64"} | {
    name: name for name in ("float16", "bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)))
}
_SAID_BY = ("to", "dtype")


def name_of(number: int) -> str:
    """The NumPy name of a type of the standard."""
    try:
        return str(np.dtype(library().helper.tensor_dtype_to_np_dtype(number)).name)
    except (KeyError, TypeError, ValueError):
        return UNKNOWN


def made(raw: RawNode, opsets: Mapping[str, int], inputs: list[Operand | None]) -> list[str]:
    """The types of a node's outputs, as far as the table says them."""
    given, results = _signature(raw.operator, opsets.get(raw.domain, 1), raw.domain)
    known: dict[str, str] = {}
    for index, value in enumerate(inputs):
        name = given[min(index, len(given) - 1)] if given else ""
        if value is not None and name and (kind := _of(value)) != UNKNOWN:
            known.setdefault(name, kind)
    said = next((raw.attributes[name] for name in _SAID_BY if isinstance(raw.attributes.get(name), int)), None)
    types = []
    for index in range(len(raw.outputs)):
        kind = results[min(index, len(results) - 1)] if results else ""
        found = known.get(kind) or _NAMED.get(kind.removeprefix("tensor(").removesuffix(")"))
        types.append(found or (UNKNOWN if said is None else name_of(said)))
    return types


def _of(value: Operand) -> str:
    return (value.kind or UNKNOWN) if isinstance(value, Tensor) else value.dtype.name


@lru_cache(maxsize=1024)
def _signature(operator: str, version: int, domain: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the types of inputs and outputs: equal ones are one type; empty where each may have its own."""
    try:
        schema: Any = library().defs.get_schema(operator, version, domain)
    except Exception:  # noqa: BLE001 - the library names no class of its own
        return (), ()
    only = {
        constraint.type_param_str: constraint.allowed_type_strs[0]
        for constraint in schema.type_constraints
        if len(constraint.allowed_type_strs) == 1  # that of truth values
    }
    given, results = (
        tuple(only.get(one.type_str, one.type_str) if one.is_homogeneous else "" for one in each)
        for each in (schema.inputs, schema.outputs)
    )
    return given, results
