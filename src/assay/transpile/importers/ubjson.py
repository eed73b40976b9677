"""Universal Binary JSON, as XGBoost writes it: a reader for bytes that nobody vouches for.

Format: the Universal Binary JSON specification, draft 12. Numbers are big-endian. Typed arrays come
back as NumPy arrays, other arrays as lists.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from assay.transpile.errors import ModelUnreadable

_INTEGERS = {b"i": ">i1", b"U": ">u1", b"I": ">i2", b"l": ">i4", b"L": ">i8"}
_TYPES = _INTEGERS | {b"d": ">f4", b"D": ">f8"}
_CONSTANTS = {b"Z": None, b"T": True, b"F": False}
_DEEPEST = 64


def parse_ubjson(data: bytes) -> Any:
    """Parse one value that fills `data`; raises `ModelUnreadable` on anything else."""
    reader = _Reader(data)
    value = reader.value(reader.take(1), 0)
    if reader.at != len(data):
        raise reader.broken("bytes follow its end")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def broken(self, problem: str) -> ModelUnreadable:
        return ModelUnreadable(
            f"the model file is truncated or damaged: {problem} at byte {self.at}",
            "Save the model again with its own library.",
        )

    def take(self, count: int) -> bytes:
        if count > len(self.data) - self.at:
            raise self.broken("it ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def peek(self) -> bytes:
        return self.data[self.at : self.at + 1]

    def value(self, marker: bytes, depth: int) -> Any:
        if depth > _DEEPEST:
            raise self.broken("it is nested too deeply")
        if marker == b"{":
            return self._object(depth)
        if marker == b"[":
            return self._array(depth)
        if marker == b"S":
            return self._text()
        if marker == b"C":
            return self._decoded(self.take(1))
        if marker in _TYPES:
            return np.frombuffer(self.take(np.dtype(_TYPES[marker]).itemsize), _TYPES[marker])[0].item()
        if marker in _CONSTANTS:
            return _CONSTANTS[marker]
        raise self.broken(f"unknown type {marker!r}")

    def _object(self, depth: int) -> dict[str, Any]:
        if self.peek() in (b"$", b"#"):
            raise self.broken("an object of counted size, which model files do not have,")
        content = {}
        while self.peek() != b"}":
            name = self._text()
            content[name] = self.value(self.take(1), depth + 1)
        self.take(1)
        return content

    def _array(self, depth: int) -> Any:
        kind = None
        if self.peek() == b"$":
            self.take(1)
            kind = self.take(1)
            if kind not in _TYPES:
                raise self.broken(f"an array of type {kind!r}, which model files do not have,")
            if self.peek() != b"#":
                raise self.broken("a typed array without a size")
        if self.peek() != b"#":
            items = []
            while self.peek() != b"]":
                items.append(self.value(self.take(1), depth + 1))
            self.take(1)
            return items
        self.take(1)
        count = self._count()
        if kind is None:
            if count > len(self.data) - self.at:  # each element takes a byte at least
                raise self.broken("it ends too early")
            return [self.value(self.take(1), depth + 1) for _ in range(count)]
        dtype = np.dtype(_TYPES[kind])
        return np.frombuffer(self.take(count * dtype.itemsize), dtype).astype(dtype.newbyteorder("="))

    def _count(self) -> int:
        marker = self.take(1)
        if marker not in _INTEGERS:
            raise self.broken("a size that is no integer")
        count = int(self.value(marker, 0))
        if count < 0:
            raise self.broken("a negative size")
        return count

    def _text(self) -> str:
        return self._decoded(self.take(self._count()))

    def _decoded(self, raw: bytes) -> str:
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise self.broken("text that is not UTF-8") from None
