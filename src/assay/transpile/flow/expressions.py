"""Functions of one variable that are written out as several steps, and where they jump."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# Where a function is looked at before its range is known.
_WIDE, _POINTS = 32.0, 8193
_SAME = 1e-9  # of its values: what counts as no jump
_HALVINGS = 200
_SHOWN = 6

COMPARISONS: dict[str, Callable[..., Any]] = {
    "Less": np.less,
    "LessOrEqual": np.less_equal,
    "Greater": np.greater,
    "GreaterOrEqual": np.greater_equal,
}
_FORMULAS: dict[str, Callable[..., Any]] = COMPARISONS | {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
    "Pow": np.power,
    "Neg": np.negative,
    "Min": np.minimum,
    "Max": np.maximum,
    "Exp": np.exp,
    "Log": np.log,
    "Sqrt": np.sqrt,
    "Reciprocal": lambda x: 1 / x,
    "Same": lambda x: x * 1.0,  # truth values become numbers
    "Not": np.logical_not,
    "And": np.logical_and,
    "Or": np.logical_or,
    "Xor": np.logical_xor,
    "Where": np.where,
}


@dataclass(frozen=True)
class Step:
    """One operation.

    Attributes
    ----------
    name
        Of a formula here, of a function (`assay.transpile.flow.functions`), or "constant".
    reads
        Earlier steps; 0 is the variable.
    parameters
        Numbers that the formula takes beside them.
    """

    name: str
    reads: tuple[int, ...]
    parameters: tuple[float, ...] = ()


@dataclass(frozen=True)
class Jump:
    """Where a function jumps, and whether its value there is that of the left side."""

    at: float
    left: bool


@dataclass(frozen=True)
class Expression:
    """A function of one variable; the last step is its value."""

    steps: tuple[Step, ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:  # asked for each element of a tensor
        return hash(self.steps)

    def __call__(self, x: Floats) -> Floats:
        """Values at points, not finite where the steps are not."""
        return np.asarray(self._all(x)[-1], dtype=np.float64)

    def __str__(self) -> str:
        names = [step.name.lower() for step in self.steps if step.reads and step.name != "Same"]
        return " ".join(names[:_SHOWN]) + " ..." * (len(names) > _SHOWN)

    def _all(self, x: Floats) -> list[Any]:
        found: list[Any] = [np.asarray(x, dtype=np.float64)]
        with np.errstate(all="ignore"):
            for step in self.steps:
                reads = [found[index] for index in step.reads]
                found.append(_computed(step, reads, found[0]))
        return found

    @property
    def finite(self) -> bool:
        """Whether it has a value everywhere around 0, on both sides."""
        return bool(np.isfinite(self(np.linspace(-_WIDE, _WIDE, _POINTS))).all())

    @property
    def jumps(self) -> tuple[Jump, ...]:
        """Where a comparison changes and the value with it, in order."""
        return _jumps(self)


def _computed(step: Step, reads: list[Any], x: Floats) -> Any:
    from assay.transpile.flow.functions import DEFINITIONS

    if step.name == "constant":
        return np.full(x.shape, step.parameters[0])
    formula = _FORMULAS.get(step.name)
    if formula is None:
        formula = DEFINITIONS[step.name].formula
    return formula(*reads, *step.parameters)


@lru_cache(maxsize=256)
def _jumps(expression: Expression) -> tuple[Jump, ...]:
    marks = [step.parameters[0] for step in expression.steps if step.name == "constant"]
    spread = np.geomspace(_WIDE, 2.0**20, 257)
    points = np.unique(
        np.concatenate(
            [np.linspace(-_WIDE, _WIDE, _POINTS), spread, -spread, np.array(marks), -np.array(marks), np.zeros(1)]
        )
    )
    truths = _truths(expression, points)
    changes = np.flatnonzero((truths[:, 1:] != truths[:, :-1]).any(axis=0))
    found = (_between(expression, float(points[index]), float(points[index + 1])) for index in changes)
    unique = {jump.at: jump for jump in found if jump is not None}
    return tuple(unique[at] for at in sorted(unique))


def _truths(expression: Expression, x: Floats) -> NDArray[np.bool_]:
    values = expression._all(x)[1:]  # noqa: SLF001 - of this file
    kept = [
        np.broadcast_to(value, x.shape) > 0
        for step, value in zip(expression.steps, values, strict=True)
        if step.name in COMPARISONS
    ]
    return np.array(kept, dtype=np.bool_).reshape(len(kept), len(x))


def _between(expression: Expression, low: float, high: float) -> Jump | None:
    """Halve until two neighbouring numbers are left; None where the value goes on without a jump."""
    first = _truths(expression, np.array([low]))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        if (_truths(expression, np.array([middle])) == first).all():
            low = middle
        else:
            high = middle
    before, after = expression(np.array([low, high])).tolist()
    if abs(after - before) <= _SAME * max(abs(before), abs(after), 1.0):
        return None
    # The number that somebody wrote is the one that a float of 32 bits holds.
    left = float(np.float32(low)) == low
    return Jump(low if left else high, left)
