"""Rows in and numbers out, as the Open Inference Protocol v2 writes tensors, or as plain lists."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from assay.serve.errors import RequestMalformed

if TYPE_CHECKING:
    from assay.serve.models import Model

_KINDS = {"FP32", "FP64", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "BOOL", "BYTES"}
_EXACT = 1 << 53


class Tensor(BaseModel):
    """A named array: one column of rows, or all of them."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    shape: list[int] = Field(max_length=4)
    datatype: str
    data: list[Any]
    parameters: dict[str, Any] = {}


Inputs = list[Tensor] | list[list[Any]]


def rows_of(inputs: Inputs, model: Model, most: int) -> list[list[Any]]:
    """Rows of numbers and None, in the order of the model's features.

    Raises
    ------
    RequestMalformed
        Names the tensor or row at fault.
    """
    if not inputs:
        raise RequestMalformed("there are no inputs", "Give rows, or tensors.")
    names = [feature.name for feature in model.circuit.features]
    rows = _plain(inputs) if isinstance(inputs[0], list) else _tensors(inputs, names)
    if len(rows) > most:
        raise RequestMalformed(f"there are {len(rows)} rows, and at most {most} are taken at once", "Send fewer.")
    return [
        [_number(value, index, name) for value, name in zip(row, names, strict=False)] + _extra(row, names, index)
        for index, row in enumerate(rows)
    ]


def _extra(row: list[Any], names: list[str], index: int) -> list[Any]:
    if len(row) != len(names):
        raise RequestMalformed(
            f"row {index} has {len(row)} values, and the model takes {len(names)}", f"They are {', '.join(names)}."
        )
    return []


def _plain(inputs: Any) -> list[list[Any]]:
    if any(not isinstance(row, list) for row in inputs):
        raise RequestMalformed("inputs mix rows and tensors", "Give one or the other.")
    return list(inputs)


def _tensors(inputs: Any, names: list[str]) -> list[list[Any]]:
    for tensor in inputs:
        if not isinstance(tensor, Tensor):
            raise RequestMalformed("inputs mix rows and tensors", "Give one or the other.")
        if tensor.datatype not in _KINDS:
            raise RequestMalformed(f'the tensor "{tensor.name}" has the datatype {tensor.datatype:.20}', "Use FP64.")
        if any(size < 0 for size in tensor.shape) or math.prod(tensor.shape) != len(_flat(tensor.data)):
            raise RequestMalformed(
                f'the tensor "{tensor.name}" has {len(_flat(tensor.data))} values, and its shape says {tensor.shape}',
                "Correct one of them.",
            )
    if len(inputs) == 1 and inputs[0].name not in names:
        flat, width = _flat(inputs[0].data), inputs[0].shape[-1] if inputs[0].shape else 0
        if width < 1:
            raise RequestMalformed(f'the tensor "{inputs[0].name}" is empty', "Give at least one row.")
        return [flat[at : at + width] for at in range(0, len(flat), width)]
    return _columns(inputs, names)


def _columns(inputs: list[Tensor], names: list[str]) -> list[list[Any]]:
    found = {tensor.name: _flat(tensor.data) for tensor in inputs}
    absent, unknown = [name for name in names if name not in found], sorted(found.keys() - set(names))
    if absent or unknown or len(found) != len(inputs):
        wrong = (
            f'"{absent[0]}" is absent' if absent else f'"{unknown[0]}" is unknown' if unknown else "one stands twice"
        )
        raise RequestMalformed(f"of the columns {wrong[0]}", f"They are {', '.join(names)}.")
    lengths = {len(column) for column in found.values()}
    if len(lengths) != 1:
        raise RequestMalformed("the columns have different lengths", "Give each of them one value a row.")
    return [list(row) for row in zip(*(found[name] for name in names), strict=True)]


def _flat(data: list[Any]) -> list[Any]:
    """Values of nested or flat data; at most four levels, as shapes have."""
    for _ in range(4):
        if not any(isinstance(part, list) for part in data):
            break
        data = [value for part in data for value in (part if isinstance(part, list) else [part])]
    return data


def _number(value: Any, row: int, name: str) -> Any:
    """A number or None; text that is a whole number stands for one that JSON cannot hold exactly."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and value.isascii() and len(value) <= 80:
        return int(value)
    raise RequestMalformed(f'row {row}, "{name}": {str(value)[:40]!r} is no number', "Give a number, or null.")


def exact(value: int) -> int | str:
    """An integer as JSON readers keep it: a decimal string beyond 2^53."""
    return value if -_EXACT <= value <= _EXACT else str(value)


def outputs_of(model: Model, integers: list[list[int]]) -> list[dict[str, Any]]:
    """Two tensors: the integers that a proof shows, and the numbers they mean."""
    shape = [len(integers), len(integers[0])]
    flat = [value for row in integers for value in row]
    values = [value for row in model.values(integers) for value in row]
    return [
        {"name": "integers", "shape": shape, "datatype": "BYTES", "data": [exact(value) for value in flat]},
        {"name": "values", "shape": shape, "datatype": "FP64", "data": values},
    ]
