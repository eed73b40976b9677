"""Tables: which interval, which steps, and the segments that hold a function."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.transpile.circuit.network.network import Table
from assay.transpile.errors import ModelUnsupported

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.transpile.flow.functions import Function

LEAKY_BITS = 10  # fraction bits of a slope; they are taken from the next layer's weights
_MOST_SEGMENTS, _FINE_SEGMENTS, _MANY_SEGMENTS = 1 << 16, 1 << 14, 1 << 12
# As many cells as arguments can be told apart: finer ones would bring no jump nearer to where it belongs.
_JUMPING_SEGMENTS, _JUMPING_BITS = 1 << 8, 17
_JUMP_BITS, _BAND_BITS = 10, 12
_USUAL_BITS = 24  # of values, beyond which a format is for values that are small beside their bounds
_NEAR = 2.0**-9  # of the distance of two jumps: where a table is not compared
_COARSE_ERROR, _WORST_ERROR = 2.0**-10, 2.0**-6
_STEP_BITS, _STEPS_IN_SEGMENT = range(4, 22), 13  # beyond which segments are narrower than tables are long
_POINTS = 16_385
_LARGEST_VALUE = 2.0**50
_SMOOTH_BITS = 12  # of the arguments of gates, whose rounding adds up over the steps of a sequence


@dataclass(frozen=True)
class Profile:
    """A fixed-point format that the compiler may choose.

    Attributes
    ----------
    limb_bits, limbs, low_bits
        As in the circuit.
    value_bits
        Arguments and values of exact tables (identity, relu) stay below this power of two.
    input_bits
        Inputs stay below this power of two.
    table_bits
        Values of sampled tables (sigmoid, tanh) stay below this power of two.
    """

    limb_bits: int
    limbs: int
    low_bits: int
    value_bits: int = 17
    input_bits: int = 15
    table_bits: int = 18

    @property
    def shift(self) -> int:
        """``s`` of the circuit."""
        return self.limb_bits * self.limbs

    def __str__(self) -> str:
        return (
            f"s {self.shift} ({self.limbs} limbs of {self.limb_bits} bits), segments of 2^{self.low_bits}, "
            f"{self.value_bits + 1}-bit activations, {self.input_bits + 1}-bit inputs"
        )


@dataclass(frozen=True)
class Sampled:
    """How a function that is not linear is tabulated.

    Attributes
    ----------
    step_bits
        Arguments are multiples of ``2^-step_bits``.
    value_bits
        The finest values: multiples of ``2^-value_bits``.
    low, high
        Segments.
    error
        The largest distance to the function.
    """

    step_bits: int
    value_bits: int
    low: int
    high: int
    error: float


def power_of_two(count: int) -> int:
    """The least power of two that is no less; 0 for 0."""
    return 1 << (count - 1).bit_length() if count > 0 else 0


def rounded(count: int) -> int:
    """The least number of three leading bits that is no less: what a bound shows of hidden weights."""
    unit = max(power_of_two(count) >> 3, 1)
    return -(-count // unit) * unit


def interval(low: int, high: int, low_bits: int) -> tuple[int, int]:
    """Segments for arguments in [low, high]; each end is rounded, since it is public."""
    first, last = low >> low_bits, high >> low_bits
    return -rounded(-first) if first < 0 else 0, max(rounded(last + 1), 1) if last >= 0 else 1


def margin(low: int, high: int) -> int:
    """Room beyond the ends of a table: rounded weights, and tables that are read before it, move the bound."""
    return 2 + (max(abs(low), abs(high)) >> 11)


def sample(function: Function, low: float, high: float, profile: Profile) -> Sampled:
    """Choose steps for a function over an interval: as coarse as its curvature allows.

    Raises
    ------
    ModelUnsupported
        If no step holds it in a table of a million segments.
    """
    top = max(map(abs, function.interval(low, high)), default=0.0)
    if not math.isfinite(top):
        raise ModelUnsupported(f"{function} reaches infinity between {low:g} and {high:g}", "Bound its argument.")
    value_bits = profile.table_bits - 1 - math.frexp(top)[1] + 1 if top else profile.table_bits
    value_bits = max(min(value_bits, profile.table_bits + 6), -40)
    tried: list[Sampled] = []
    jumping = max(_JUMPING_SEGMENTS, 1 << max(_JUMPING_BITS - profile.low_bits, 0))
    for step_bits in _steps(function, profile):
        ends = math.floor(math.ldexp(low, step_bits)), math.ceil(math.ldexp(high, step_bits))
        room = margin(*ends)
        first, last = interval(ends[0] - room, ends[1] + room, profile.low_bits)
        coarse = not tried or tried[-1].error > _COARSE_ERROR * top
        most = jumping if function.definition.steps else _FINE_SEGMENTS if coarse else _MANY_SEGMENTS
        if last - first > (most if tried else _MOST_SEGMENTS):
            break
        error = _error(function, Sampled(step_bits, value_bits, first, last, 0.0), profile.low_bits, (low, high))
        tried.append(Sampled(step_bits, value_bits, first, last, error))
    if not tried:
        raise ModelUnsupported(
            f"{function} is needed from {low:g} to {high:g}, more than a table holds",
            "Declare narrower ranges, or normalise what goes into it.",
        )
    # Rounded slopes set a floor under the error, so that finer segments stop paying.
    share = math.ldexp(function.definition.error, -max(profile.table_bits - _USUAL_BITS, 0))
    least = min(sampled.error for sampled in tried) * 1.25 + share * top
    held = [sampled for sampled in tried if sampled.error <= least]
    # Of these a jump is made by the finest that arguments are worth.
    fine = [sampled for sampled in held if sampled.high - sampled.low <= jumping]
    found = fine[-1] if fine and _jumping(function) else held[0]
    if found.error > _WORST_ERROR * top:
        raise ModelUnsupported(
            f"{function} is needed from {low:g} to {high:g}, where a table misses it by {found.error:.2g}",
            "Declare narrower ranges, or normalise what goes into it.",
        )
    return found


def _jumping(function: Function) -> bool:
    return function.definition.steps or bool(function.jumps)


def _steps(function: Function, profile: Profile) -> range:
    end = max(_STEP_BITS.stop, profile.low_bits + _STEPS_IN_SEGMENT)
    if _jumping(function):  # jumps stand at whole numbers, which must be ends of segments
        least = _BAND_BITS if function.placed is not None and any(function.placed.band) else _JUMP_BITS
        return range(max(profile.low_bits, least), end)
    return range(_SMOOTH_BITS if function.definition.smooth else _STEP_BITS.start, end)


def segments(function: Function, sampled: Sampled, low_bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Slopes and offsets of a sampled function, whose arguments are rounded to the nearest cell.

    A segment is the line through its ends, moved by half of what it misses in the middle.
    """
    cells = np.arange(sampled.low, sampled.high) << low_bits
    scale = math.ldexp(1.0, sampled.value_bits)
    if function.definition.steps:
        values = np.rint(function(np.ldexp(cells.astype(np.float64), -sampled.step_bits)) * scale)
        return np.zeros(len(cells), dtype=np.int64), values.astype(np.int64)
    width = (1 << low_bits) - 1

    def at(offset: float) -> NDArray[np.float64]:
        # The last segment may reach far beyond the arguments, where an exponential is more than a table holds.
        values = np.nan_to_num(function(np.ldexp(cells + offset, -sampled.step_bits)) * scale)
        return np.asarray(np.clip(values, -_LARGEST_VALUE, _LARGEST_VALUE))

    left, right, middle = at(0), at(width), at(width / 2)
    slope = np.rint((right - left) / width)
    centre = (left + right) / 2 + (middle - (left + right) / 2) / 2
    offset = np.rint(centre - slope * width / 2)
    return slope.astype(np.int64), offset.astype(np.int64)


def _error(function: Function, sampled: Sampled, low_bits: int, within: tuple[float, float]) -> float:
    """The largest distance to the function at points of an interval, whose rounding to cells is part of it."""
    if function.definition.steps:
        return 0.0  # but for arguments that rounding moves over a jump
    slope, offset = segments(function, sampled, low_bits)
    points = np.linspace(*within, _POINTS)
    cells = np.rint(np.ldexp(points, sampled.step_bits)).astype(np.int64)
    segment = np.clip((cells >> low_bits) - sampled.low, 0, len(slope) - 1)
    got = np.ldexp(
        (offset[segment] + slope[segment] * (cells & ((1 << low_bits) - 1))).astype(float), -sampled.value_bits
    )
    away = np.ones(len(points), dtype=np.bool_)  # from jumps, over which rounding moves what is near
    for jump in function.jumps:
        away &= np.abs(points - jump) > _NEAR
    return float(np.abs(got - function(points))[away].max(initial=0.0))


def exact(function: Function, ends: tuple[int, int], low_bits: int) -> Table:
    """A table that is linear on either side of 0: identity, relu, leaky, abs; its base is given later."""
    low, high = ends
    cells = np.arange(low, high)
    above, below = slopes(function)
    slope = np.where(cells >= 0, above, below)
    return Table(str(function), 0, low, high, slope, slope * (cells << low_bits))


def clipped(function: Function, bits: int, ends: tuple[int, int], low_bits: int) -> Table:
    """The identity between two ends, which are moved to the ends of segments where those are not fine enough."""
    low, high = ends
    cells = np.arange(low, high) << low_bits
    bottom, top = (int(np.clip(np.rint(np.ldexp(end, bits)), -(2**52), 2**52)) for end in function.clips)
    inside = (cells >= bottom) & (cells + (1 << low_bits) <= top)
    slope = inside.astype(np.int64)
    offset = np.where(inside, cells, np.where(cells + (1 << (low_bits - 1)) < (bottom + top) / 2, bottom, top))
    # A segment with an end inside: the line through its two values.
    for segment in np.flatnonzero(~inside):
        part = np.clip([cells[segment], cells[segment] + (1 << low_bits)], bottom, top)
        if part[0] != part[1]:
            slope[segment] = 1 if part[1] - part[0] > 1 << (low_bits - 1) else 0
            offset[segment] = (
                ends[0] if not slope[segment] else ends[1] - (1 << low_bits) if ends[0] == bottom else ends[0]
            )
    return Table(str(function), 0, low, high, slope, offset)


def beyond(function: Function, step_bits: int, within: tuple[int, int], low_bits: int) -> tuple[tuple[int, int], ...]:
    """Runs of segments in which a function would go beyond its end: where a table's points are, or between them."""
    cells, last = np.arange(*within) << low_bits, (1 << low_bits) - 1
    found = np.zeros(len(cells) + 2, dtype=np.bool_)
    for part in (0, last / 2, last):
        found[1:-1] |= function.beyond(np.ldexp(cells + part, -step_bits))
    edges = np.flatnonzero(found[1:] != found[:-1]) + within[0]
    return tuple((int(first), int(behind)) for first, behind in edges.reshape(-1, 2))


def slopes(function: Function) -> tuple[int, int]:
    """Slopes above and below 0, in units of ``2^-gain(function)``."""
    if function.name in {"identity", "clip"}:
        return 1, 1
    if function.name == "relu":
        return 1, 0
    if function.name == "abs":
        return 1, -1
    if function.name == "wide":
        return 1 << int(function.parameters[0]), 1 << int(function.parameters[0])
    return 1 << LEAKY_BITS, round(function.parameters[0] * (1 << LEAKY_BITS))


def gain(function: Function) -> int:
    """Bits that values have more than arguments, in an exact table."""
    if function.name == "wide":
        return int(function.parameters[0])
    return LEAKY_BITS if function.name == "leaky_relu" else 0
