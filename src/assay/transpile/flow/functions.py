"""Functions of one variable: what a table can hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from assay.transpile.flow.expressions import Expression

    Floats = NDArray[np.float64]

_GRID = 4097
_RISING = {"clip", "sigmoid", "tanh", "erf", "exp", "softplus", "log", "log_from_one", "sqrt", "floor", "not_negative"}


@dataclass(frozen=True)
class Function:
    """A function with the values of its parameters.

    Attributes
    ----------
    name
        Of an entry of `DEFINITIONS`.
    parameters
        Numbers that its formula takes.
    expression
        Of "composed": the steps that it stands for.
    placed
        Of a composed function that jumps: how its variable is told from the argument.
    end
        Size at which values end; 0 if they do not.
    """

    name: str
    parameters: tuple[float, ...] = ()
    expression: Expression | None = None
    placed: Placed | None = None
    end: float = 0.0

    @property
    def definition(self) -> Definition:
        """What is known of functions of this name."""
        return DEFINITIONS[self.name]

    @property
    def homogeneous(self) -> bool:
        """Whether ``f(s x) = s f(x)`` for every ``s > 0``: then its arguments may have any scale."""
        return self.definition.homogeneous and not self.end

    @property
    def one_step(self) -> bool:
        """Whether values are multiples of what arguments are multiples of."""
        return self.name == "clip" or (bool(self.end) and self.name in {"identity", "relu"})

    @property
    def clips(self) -> tuple[float, float]:
        """The least and largest value of a function of `one_step`."""
        if self.name == "clip":
            return self.parameters[0], self.parameters[1]
        return (0.0 if self.name == "relu" else -self.end), self.end

    @property
    def jumps(self) -> tuple[float, ...]:
        """Arguments at which a table must begin a segment, since the value jumps there."""
        return self.placed.jumps if self.placed is not None else ()

    def __call__(self, x: Floats) -> Floats:
        """Values at points; outside the domain those at its end."""
        found = self._without_end(x)
        return np.clip(found, -self.end, self.end) if self.end else found

    def ended(self, end: float) -> Function:
        """The same function as far as its values are no larger than so much."""
        return replace(self, end=end)

    def beyond(self, x: Floats) -> NDArray[np.bool_]:
        """Where values would go beyond the end; nowhere if they have none."""
        if not self.end:
            return np.zeros(x.shape, dtype=np.bool_)
        return np.asarray(~(np.abs(self._without_end(x)) <= self.end))  # what is no number is not within it

    def _without_end(self, x: Floats) -> Floats:
        if self.expression is not None:
            return self.expression(x if self.placed is None else self.placed.variable(x))
        low, high = self.definition.domain
        period = self.definition.period
        x = x - period * np.rint(x / period) if period else x
        with np.errstate(all="ignore"):
            return np.asarray(self.definition.formula(np.clip(x, low, high), *self.parameters), dtype=np.float64)

    def interval(self, low: float, high: float) -> tuple[float, float]:
        """The least and largest value over an interval, at grid points, turning points and steps."""
        if self.definition.linear or self.definition.steps or self.name in _RISING:
            ends = self(np.array([low, high, 0.0] if low < 0 < high else [low, high]))
            return float(ends.min()), float(ends.max())
        points = np.linspace(low, high, _GRID)
        turning = np.array([*self.definition.turning, *self.parameters, *self._turning(points), 0.0, -0.0])
        inside = turning[(turning >= low) & (turning <= high)]
        values = self(np.concatenate([points, inside, [low, high]]))
        return float(values.min()), float(values.max())

    def _turning(self, points: Floats) -> Floats:
        """Of a composed function, whose turning points nobody wrote down: a finer look at its ends."""
        if self.expression is None:
            return np.zeros(0)
        values, step = self(points), float(points[1] - points[0])
        ends = points[[int(values.argmin()), int(values.argmax())]]
        return np.concatenate([np.linspace(end - step, end + step, _GRID) for end in ends])

    def __str__(self) -> str:
        shown = ", ".join(f"{value:.6g}" for value in self.parameters)
        text = f"composed of {self.expression}" if self.expression is not None else self.name
        return text + (f"({shown})" if shown else "") + (f" up to {self.end:g}" if self.end else "")


@dataclass(frozen=True)
class Placed:
    """Which argument stands for which number, so that a function jumps where segments of a table begin.

    The argument is ``scale * (number - centre)``. A table's value at a jump is that of its right side. Where it must be
    that of the left one, the jump stands at the start of a narrow `band` before the argument at which it is made.
    """

    scale: float
    centre: float
    jumps: tuple[float, ...]
    band: tuple[float, float] = (0.0, 0.0)

    def variable(self, argument: Floats) -> Floats:
        """The numbers that arguments stand for, right of jumps and left of a band."""
        start, end = self.band
        held = np.where((argument >= start) & (argument < end), start - _APART, argument + _APART)
        return np.asarray(self.centre + (held if end > start else argument + _APART) / self.scale)


_APART = 2.0**-30


@dataclass(frozen=True)
class Definition:
    """A family of functions.

    Attributes
    ----------
    formula
        Of an array and the parameters.
    homogeneous
        ``f(s x) = s f(x)`` for ``s > 0``.
    linear
        Piecewise linear with its kinks at 0 alone: a table holds it exactly.
    steps
        Piecewise constant with jumps at whole multiples of 1 (or at 0): a table holds it exactly, but for arguments
        that rounding moves over a jump.
    smooth
        A gate of recurrent networks, whose arguments are rounded finely.
    singular
        Infinite at 0, and taken for its value at a floor from there on (its last parameter): so many bits below the
        largest argument.
    error
        As a share of the largest value, where finer segments stop paying.
    strict
        Refused where arguments can leave the domain.
    sure
        Arguments never leave the domain (or it makes no difference), which bounds do not know.
    domain
        Arguments outside are moved to its ends.
    period
        After which it repeats itself, if it is then nearest to 0 that arguments lie in the domain.
    turning
        Arguments of extreme values.
    """

    formula: Callable[..., Floats]
    homogeneous: bool = False
    linear: bool = False
    steps: bool = False
    smooth: bool = False
    singular: int = 0
    error: float = 2.0**-15
    strict: bool = False
    sure: bool = False
    domain: tuple[float, float] = (-math.inf, math.inf)
    period: float = 0.0
    turning: tuple[float, ...] = ()


def _erf(x: Floats) -> Floats:
    return np.asarray(np.vectorize(math.erf, otypes=[np.float64])(x))


def _sigmoid(x: Floats) -> Floats:
    return np.exp(-np.logaddexp(0.0, -x))


def _elu(x: Floats, alpha: float) -> Floats:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _softplus(x: Floats) -> Floats:
    return np.logaddexp(0.0, x)


_TINY = 2.0**-20  # below it a reciprocal or logarithm is taken for its value there
_FLAT = 30.0

DEFINITIONS: dict[str, Definition] = {
    "identity": Definition(lambda x: x, homogeneous=True, linear=True),
    # The identity over so large values that they are counted in powers of two.
    "wide": Definition(lambda x, _: x, homogeneous=True, linear=True),
    "relu": Definition(lambda x: np.maximum(x, 0), homogeneous=True, linear=True),
    "leaky_relu": Definition(lambda x, a: np.where(x < 0, a * x, x), homogeneous=True, linear=True),
    "abs": Definition(np.abs, homogeneous=True, linear=True),
    "clip": Definition(np.clip),
    "thresholded_relu": Definition(lambda x, a: np.where(x > a, x, 0)),
    "hard_sigmoid": Definition(lambda x, a, b: np.clip(a * x + b, 0, 1)),
    "hard_swish": Definition(lambda x: x * np.clip(x / 6 + 0.5, 0, 1), turning=(-1.5, -3.0, 3.0)),
    "sigmoid": Definition(_sigmoid, smooth=True),
    "log_sigmoid": Definition(lambda x: -np.logaddexp(0.0, -x)),
    "tanh": Definition(np.tanh, smooth=True),
    "scaled_tanh": Definition(lambda x, a, b: a * np.tanh(b * x)),
    "affine": Definition(lambda x, a, b: a * x + b),
    "erf": Definition(_erf),
    "gelu": Definition(lambda x: 0.5 * x * (1 + _erf(x / math.sqrt(2))), turning=(-0.7517915,)),
    "gelu_tanh": Definition(
        lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))), turning=(-0.7517915,)
    ),
    "swish": Definition(lambda x, a: x * _sigmoid(a * x), turning=(-1.2784645,)),
    "elu": Definition(_elu),
    "selu": Definition(lambda x, a, g: g * _elu(x, a)),
    "celu": Definition(lambda x, a: np.maximum(x, 0) + np.minimum(0, a * np.expm1(np.minimum(x, 0) / a))),
    "softplus": Definition(_softplus),
    "softsign": Definition(lambda x: x / (1 + np.abs(x))),
    "mish": Definition(lambda x: x * np.tanh(_softplus(x)), turning=(-1.1924,)),
    # Of a number less the largest, which is never above 0: bounds do not know that.
    "exp_negative": Definition(np.exp, sure=True, domain=(-80.0, 0.0)),
    # Of a sum of such exponentials, which is never below 1.
    "reciprocal_from_one": Definition(lambda x: 1 / x, sure=True, domain=(1.0, math.inf)),
    "log_from_one": Definition(np.log, sure=True, domain=(1.0, math.inf)),
    "exp": Definition(np.exp, domain=(-80.0, 40.0)),
    "log": Definition(lambda x, floor=_TINY: np.log(np.maximum(x, floor)), singular=11),
    "sqrt": Definition(np.sqrt, domain=(0.0, math.inf)),
    "reciprocal": Definition(
        lambda x, floor=_TINY: 1 / np.where(np.abs(x) < floor, np.where(x < 0, -floor, floor), x), singular=11
    ),
    "inverse_sqrt": Definition(lambda x, floor=_TINY: 1 / np.sqrt(np.maximum(x, floor)), singular=11),
    # A rough factor that brings numbers of any size to one, never above 1 / x: what is left of it is divided out later.
    "rough_inverse": Definition(
        lambda x, floor=_TINY: 0.9 / np.maximum(x, floor), singular=8, sure=True, error=2.0**-8
    ),
    "square": Definition(np.square),
    "power": Definition(np.power),
    "positive_power": Definition(np.power, domain=(0.0, math.inf)),
    "base_power": Definition(lambda x, a: np.power(a, x)),
    "sin": Definition(np.sin),
    "cos": Definition(np.cos),
    "tan": Definition(np.tan, domain=(-1.5, 1.5), period=math.pi, strict=True),
    "asin": Definition(np.arcsin, domain=(-1.0, 1.0)),
    "acos": Definition(np.arccos, domain=(-1.0, 1.0)),
    "atan": Definition(np.arctan),
    "sinh": Definition(np.sinh, domain=(-_FLAT, _FLAT)),
    "cosh": Definition(np.cosh, domain=(-_FLAT, _FLAT)),
    "asinh": Definition(np.arcsinh),
    "acosh": Definition(np.arccosh, domain=(1.0, math.inf)),
    "atanh": Definition(np.arctanh, domain=(-1 + 2.0**-12, 1 - 2.0**-12)),
    # What an expression says.
    "composed": Definition(lambda x: x),
    # 1 from 0 on: a difference of less than half a cell counts as 0.
    "not_negative": Definition(lambda x: (x >= 0).astype(np.float64), steps=True),
    "floor": Definition(np.floor, steps=True),
}

IDENTITY = Function("identity")
RELU = Function("relu")
SIGMOID = Function("sigmoid")
TANH = Function("tanh")
EXP = Function("exp")
RECIPROCAL = Function("reciprocal")
FLOOR = Function("floor")
NOT_NEGATIVE = Function("not_negative")
