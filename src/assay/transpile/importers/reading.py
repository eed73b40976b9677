"""Reading fields of a model document that nobody vouches for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core import jsontext
from assay.transpile.errors import ModelUnreadable
from assay.transpile.importers.check import malformed

if TYPE_CHECKING:
    from numpy.typing import NDArray


def parse_json(data: bytes, what: str) -> Any:
    """Parse JSON; raises `ModelUnreadable` on anything else."""
    try:
        return jsontext.parse(data)
    except ValueError as error:
        raise ModelUnreadable(
            f"{what} is truncated or damaged: it is no JSON ({str(error)[:100]})",
            "Save the model again with its own library.",
        ) from None


def child(node: Any, *names: str) -> Any:
    """A value below a JSON object, by a path of names."""
    path = "the file"
    for name in names:
        if not isinstance(node, dict) or name not in node:
            raise malformed(path, f"there is no {name!r}")
        node, path = node[name], name
    return node


def integer(value: Any, where: str, low: int = 0, high: int = 1 << 31) -> int:
    """An integer, also as text, from `low` to `high`."""
    text = value if isinstance(value, str) and len(value) < 20 else str(value) if type(value) is int else ""
    try:
        number = int(text)
    except ValueError:
        raise malformed(where, "it is no integer") from None
    if not low <= number <= high:
        raise malformed(where, f"it is not from {low} to {high}")
    return number


def number(value: Any, where: str) -> float:
    """A finite number, also as text."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        try:
            result = float(value)
        except (ValueError, OverflowError):
            result = math.nan
        if math.isfinite(result):
            return result
    raise malformed(where, "it is no finite number")


def integers(values: Any, where: str) -> NDArray[np.int64]:
    """A list of integers (or booleans), int64."""
    array = _array(values, where)
    if array.dtype.kind not in "iub":
        raise malformed(where, "it is not a list of integers")
    if array.dtype.kind == "u" and array.size and int(array.max()) >= 1 << 63:
        raise malformed(where, "it has integers that are too large")
    return array.astype(np.int64)


def numbers(values: Any, where: str) -> NDArray[np.float64]:
    """A list of numbers, float64; NaN and infinities are let through."""
    array = _array(values, where)
    if array.dtype.kind not in "iuf":
        raise malformed(where, "it is not a list of numbers")
    return array.astype(np.float64)


def texts(values: Any, where: str) -> list[str]:
    """A list of strings that can be printed."""
    if not isinstance(values, list) or not all(isinstance(value, str) and is_text(value) for value in values):
        raise malformed(where, "it is not a list of names")
    return list(values)


def is_text(value: str) -> bool:
    """Whether this is proper Unicode: JSON can hold half a surrogate pair, which nothing can print."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _array(values: Any, where: str) -> NDArray[Any]:
    if not isinstance(values, list | np.ndarray):
        raise malformed(where, "it is not a list")
    if len(values) == 0:
        return np.zeros(0, dtype=np.int64)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError, OverflowError) as error:
        raise malformed(where, "it is not a list of numbers") from error
    if array.ndim != 1:
        raise malformed(where, "it is not a flat list")
    return array
