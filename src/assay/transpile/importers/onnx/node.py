"""`Node`: what an operator is given, and how it refuses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.transpile.errors import ModelMalformed, ModelUnsupported
from assay.transpile.flow.tensor import Tensor, constant

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.flow.flow import Flow
    from assay.transpile.importers.onnx.reading import Body

# Rows are at most 2^24, and a network that needs a fraction of that is refused by its cost; this only stops bombs.
LARGEST_TENSOR = 1 << 24

WHOLE = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))

Operand = Tensor | np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Node:
    """A node of the graph with its inputs at hand.

    Attributes
    ----------
    inputs
        A `Tensor` where it depends on the features, an array where it is constant, None where it is left out.
    types
        NumPy types of its outputs, "unknown" where the standard's table does not say them.
    run
        What a graph inside the node makes of its inputs.
    careful
        Whether norms and softmaxes take more rows to keep more digits.
    """

    operator: str
    name: str
    domain: str
    version: int
    attributes: dict[str, Any]
    inputs: list[Operand | None]
    input_names: list[str]
    outputs: int
    flow: Flow
    types: list[str] = field(default_factory=list)
    run: Callable[[Body, list[Operand]], list[Operand]] | None = None
    careful: bool = False

    @property
    def whole(self) -> bool:
        """Whether its first output is of whole numbers, as far as types are known."""
        return bool(self.types) and self.types[0] in WHOLE

    @property
    def shown(self) -> str:
        """The node as messages name it."""
        return f"{self.operator} node {self.name!r:.80}"

    def has(self, index: int) -> bool:
        """Whether an optional input is given."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def tensor(self, index: int) -> Tensor:
        """An input as a tensor, constant or not."""
        value = self._input(index)
        return value if isinstance(value, Tensor) else constant(value)

    def constant(self, index: int) -> NDArray[Any]:
        """An input that must be constant."""
        value = self._input(index)
        if not isinstance(value, Tensor):
            return value
        if value.constant:
            return value.shift
        raise self.refuse(f"its input {self._named(index)} depends on the features, and must be constant")

    def integers(self, index: int) -> list[int]:
        """A constant list of whole numbers."""
        return [int(value) for value in np.asarray(self.constant(index)).reshape(-1)]

    def optional(self, index: int, default: NDArray[Any]) -> NDArray[Any]:
        """A constant that may be left out."""
        return self.constant(index) if self.has(index) else default

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute, or what it is when it is left out."""
        return self.attributes.get(name, default)

    def refuse(self, problem: str, todo: str = "Export the model without it.") -> ModelUnsupported:
        """The error for what this node needs and is not there."""
        return ModelUnsupported(f"{self.shown} cannot be converted: {problem}", todo)

    def malformed(self, problem: str) -> ModelMalformed:
        """The error for a node that contradicts itself."""
        return ModelMalformed(f"{self.shown} is malformed: {problem}", "Export the model again.")

    def fits(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape, unless it is a bomb's."""
        size = 1
        for extent in shape:
            if extent < 0:
                raise self.malformed(f"a shape of {list(shape)}")
            size *= extent
        if size > LARGEST_TENSOR:
            raise self.refuse(f"its output has {size} elements, more than {LARGEST_TENSOR}", "Use a smaller model.")
        return shape

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < max(rank, 1):
            raise self.malformed(f"axis {axis} of a tensor of {rank} dimensions")
        return axis % rank if rank else 0

    def moved(self, index: int, move: Callable[[NDArray[Any]], NDArray[Any]]) -> Operand:
        """An input with its elements moved: constants stay constants."""
        value = self._input(index)
        return value.moved(move) if isinstance(value, Tensor) else np.asarray(move(value), order="C")

    def _input(self, index: int) -> Operand:
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise self.malformed(f"input {index} is missing")
        return value

    def _named(self, index: int) -> str:
        name = self.input_names[index] if index < len(self.input_names) else ""
        return f"{index} ({name!r:.60})" if name else str(index)
