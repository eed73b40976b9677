"""What the model itself says: onnxruntime on the user's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import MissingLibrary
from assay.transpile.errors import ModelUnsupported, RowsUnreadable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Oracle:
    """A session over a model's bytes: many rows at once where the model's first dimension is open, else one."""

    def __init__(self, data: bytes, shapes: dict[str, list[int]]) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingLibrary(
                "comparing with ONNX models needs onnxruntime", "Install it with `pip install 'assay[networks]'`."
            ) from None
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common class
            raise ModelUnsupported(
                f"onnxruntime refuses the model ({' '.join(str(error).split())[:160]})", "Export the model again."
            ) from None
        self._shapes = shapes
        self._types = {value.name: value.type for value in self._session.get_inputs()}
        free = [not isinstance(value.shape[0], int) for value in self._session.get_inputs() if value.shape]
        self._batched = bool(free) and all(free) and all(shape and shape[0] == 1 for shape in shapes.values())

    def outputs(self, rows: Floats) -> Floats:
        """All outputs side by side, float64[B, K], of rows float64[B, F]."""
        if self._batched:
            found = self._many(rows)
            if found is not None:
                return found
            self._batched = False
        return np.stack([self._accepted(index, row) for index, row in enumerate(rows)])

    def taken(self, rows: Floats) -> tuple[Floats, Floats]:
        """Those of some rows that the model takes, and its outputs: a category that it does not know may be refused."""
        try:
            return rows, self.outputs(rows)
        except RowsUnreadable:
            pairs = [(row, self._tried(row)) for row in rows]
        kept = [(row, found) for row, found in pairs if found is not None]
        if not kept:
            return rows[:0], np.zeros((0, 1))
        return np.stack([row for row, _ in kept]), np.stack([found for _, found in kept])

    def _tried(self, row: Floats) -> Floats | None:
        try:
            return self._row(row)
        except Exception:  # noqa: BLE001 - onnxruntime's errors have no common class
            return None

    def _accepted(self, index: int, row: Floats) -> Floats:
        try:
            return self._row(row)
        except Exception as error:  # noqa: BLE001 - onnxruntime's errors have no common class
            raise RowsUnreadable(
                f"onnxruntime refuses row {index} ({' '.join(str(error).split())[-100:]})", "Leave it out, or mend it."
            ) from None

    def _many(self, rows: Floats) -> Floats | None:
        """None of a model that names its first dimension and still takes one row only."""
        try:
            parts = [np.asarray(part) for part in self._run(rows, len(rows))]
        except Exception:  # noqa: BLE001 - onnxruntime's errors have no common class
            return None
        if not all(part.ndim and part.shape[0] == len(rows) for part in parts):
            return None
        return np.concatenate([part.reshape(len(rows), -1) for part in parts], 1).astype(np.float64)

    def _row(self, row: Floats) -> Floats:
        found = self._run(row[np.newaxis], 1)
        return np.concatenate([np.asarray(part, dtype=np.float64).reshape(-1) for part in found])

    def _run(self, rows: Floats, count: int) -> list[Any]:
        feeds, start = {}, 0
        for name, shape in self._shapes.items():
            size = int(np.prod(shape))
            part = rows[:, start : start + size] if shape else rows[0, start]
            feeds[name] = np.asarray(part).reshape([count * shape[0], *shape[1:]] if shape else [])
            feeds[name] = feeds[name].astype(self._type(name))
            start += size
        found: list[Any] = self._session.run(None, feeds)
        return found

    def _type(self, name: str) -> str:
        kind = self._types[name].removeprefix("tensor(").removesuffix(")")
        return str({"float": "float32", "double": "float64"}.get(kind, kind))
