"""Which of the numbers side by side are one output of the model: each is judged by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outputs:
    """A model's outputs.

    Attributes
    ----------
    sizes
        How many numbers each has.
    classes
        Whether it is one whole number: which class a row is of, rather than how much of something.
    """

    sizes: tuple[int, ...]
    classes: tuple[bool, ...]

    @classmethod
    def of(cls, meta: Mapping[str, Any], width: int) -> Outputs:
        """From what a circuit keeps; one output where it says nothing."""
        shapes = meta.get("outputs") or {}
        sizes = tuple(math.prod(shape) for shape in shapes.values())
        if sum(sizes) != width:
            return cls((width,), (False,))
        said = meta.get("class_outputs", [])
        return cls(sizes, tuple(name in said for name in shapes))

    def parts(self) -> Iterator[tuple[slice, bool]]:
        """Columns of each output, and whether it is a class."""
        start = 0
        for size, is_class in zip(self.sizes, self.classes, strict=True):
            yield slice(start, start + size), is_class
            start += size

    def shares(self, wanted: Floats, got: Floats) -> Floats:
        """Errors as shares of the spread of each one's own output; a class is right or not, which others count."""
        found = np.abs(got - wanted)
        for columns, is_class in self.parts():
            if is_class:
                found[:, columns] = 0
            elif len(wanted) and found[:, columns].size:
                found[:, columns] /= _spread(wanted[:, columns])
        return found

    def errors(self, wanted: Floats, got: Floats) -> Floats:
        """Absolute errors of what is no class; of classes where there is nothing else."""
        kept = np.concatenate([np.full(size, not one) for size, one in zip(self.sizes, self.classes, strict=True)])
        return np.abs(got - wanted)[:, kept if kept.any() else ~kept]

    def differing(self, wanted: Floats, got: Floats) -> int:
        """Rows that are decided otherwise by any of the outputs."""
        other = np.zeros(len(wanted), dtype=np.bool_)
        for columns, is_class in self.parts():
            if is_class:
                other |= (np.rint(got[:, columns]) != wanted[:, columns]).any(axis=1)
            else:
                other |= _decided(wanted[:, columns], got[:, columns])
        return int(other.sum())

    def class_column(self) -> int | None:
        """The first class, if there is one."""
        return next((columns.start for columns, is_class in self.parts() if is_class), None)


def _spread(wanted: Floats) -> float:
    """Of an output that never changes its size."""
    widest = float((wanted.max(axis=0) - wanted.min(axis=0)).max())
    return widest or float(np.abs(wanted).max()) or 1.0


def _decided(wanted: Floats, got: Floats) -> NDArray[np.bool_]:
    """By the largest of several numbers, by the sign of one, by half of a probability.

    One number that is never below 0 and can be above 1 decides nothing.
    """
    if not wanted.size:
        return np.zeros(len(wanted), dtype=np.bool_)
    if wanted.shape[1] > 1:
        return np.asarray(wanted.argmax(axis=1) != got.argmax(axis=1))
    end = 0.0 if wanted.min() < 0 else 0.5 if wanted.max() <= 1 else math.inf
    return np.asarray((wanted > end) != (got > end))[:, 0]
