"""Scatter plots as numbers: where everything lies in a small drawing, which a template then writes as SVG.

Every drawing is small enough to be read on a phone as it is; on a wider screen several stand side by side. Colours
are classes of the page's style sheet, so they follow its light and dark schemes.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Kind = Literal["chosen", "front", "other", "out"]

WIDTH, HEIGHT = 340, 262
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 40
_LOG_FROM = 20.0
_NEAR = 11.0


@dataclass(frozen=True)
class Mark:
    """A candidate at (x, y), in units of the axes: a short label, a kind (a CSS class), words for a tooltip."""

    x: float
    y: float
    label: str
    kind: Kind
    words: str


@dataclass(frozen=True)
class Placed:
    """A mark in the drawing; `low` if it lies below the axis and is shown at its edge."""

    mark: Mark
    x: float
    y: float
    label_x: float
    label_y: float
    low: bool


@dataclass(frozen=True)
class Tick:
    """A place on an axis, with its words."""

    at: float
    text: str


@dataclass(frozen=True)
class Scatter:
    """A drawing; places are in its own units, of which it is `width` wide.

    Attributes
    ----------
    limit_x, limit_y, zero_y
        Where lines are: the limits, and the existing process; None if there is none.
    """

    title: str
    about: str
    x_title: str
    marks: tuple[Placed, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    limit_x: float | None
    limit_y: float | None
    zero_y: float | None
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    top: int = TOP
    bottom: int = HEIGHT - BOTTOM


@dataclass(frozen=True)
class Axis:
    """Values from `low` to `high`, on a straight or a logarithmic scale."""

    low: float
    high: float
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies: 0 at the low end, 1 at the high one."""
        if self.log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values along the axis."""
        if self.log:
            return _powers(self.low, self.high, most)
        step = _round_step((self.high - self.low) / most)
        first = math.ceil(self.low / step - 1e-9)
        return [step * at for at in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scatter(
    title: str,
    marks: Sequence[Mark],
    *,
    x_title: str,
    x_words: Callable[[float], str],
    y_words: Callable[[float], str],
    about: str,
    x_limit: float | None = None,
    y_limit: float | None = None,
    zero: float | None = None,
) -> Scatter:
    """Place marks in a drawing.

    Parameters
    ----------
    marks
        At least one, with finite numbers.
    x_words, y_words
        Write a tick's number.
    about
        What there is to see, for those who do not see it.
    x_limit, y_limit
        The limits: x may not be above, y not below.
    zero
        Where the existing process is on the y axis.
    """
    x = _x_axis([mark.x for mark in marks], x_limit)
    y = _y_axis(marks, [value for value in (y_limit, zero) if value is not None])
    return Scatter(
        title=title,
        about=about,
        x_title=x_title,
        marks=_placed(marks, x, y),
        x_ticks=tuple(Tick(_across(x, at), x_words(at)) for at in x.ticks(4)),
        y_ticks=tuple(Tick(_up(y, at), y_words(at)) for at in y.ticks()),
        limit_x=None if x_limit is None or x_limit > x.high else _across(x, x_limit),
        limit_y=None if y_limit is None else _up(y, y_limit),
        zero_y=None if zero is None else _up(y, zero),
    )


def _x_axis(values: list[float], limit: float | None) -> Axis:
    """From zero, or logarithmic if values differ much; the limit is in it unless it is far away."""
    most = max(values)
    if limit is not None and limit <= 100 * most:
        values = [*values, limit]
    least, most = min(values), max(values)
    if least > 0 and most / least > _LOG_FROM:
        return Axis(least / 1.5, most * 1.5, log=True)
    return Axis(0.0, 1.12 * most if most > 0 else 1.0)


def _y_axis(marks: Sequence[Mark], lines: list[float]) -> Axis:
    """All that matters; of what is far below it only that it is there."""
    core = [mark.y for mark in marks if mark.kind in {"chosen", "front"}] or [mark.y for mark in marks]
    values = [*core, *lines]
    span = max(values) - min(values) or abs(max(values)) or 1.0
    low = max(min([*values, *(mark.y for mark in marks)]), min(values) - span)
    high = max([*values, *(mark.y for mark in marks)])
    pad = 0.1 * ((high - low) or 1.0)
    return Axis(low - pad, high + pad)


def _placed(marks: Sequence[Mark], x: Axis, y: Axis) -> tuple[Placed, ...]:
    """Labels go to the side where no other mark and no other label is."""
    spots = [(_across(x, mark.x), _up(y, max(mark.y, y.low))) for mark in marks]
    taken, placed = list(spots), []
    for mark, (across, up) in zip(marks, spots, strict=True):
        wide = 7 * len(mark.label)
        sides = [
            (across + right, up + down)
            for far in (0, 10, 22)
            for right, down in ((9 + far, 4), (-9 - far - wide, 4), (-wide / 2, -9 - far), (-wide / 2, 17 + far))
        ]
        free = [side for side in sides if mark.label and _free(side[0] + wide / 2, side[1] - 4, taken)]
        side = free[0] if free else sides[0]
        if mark.label:
            taken.append((side[0] + wide / 2, side[1] - 4))
        placed.append(Placed(mark, across, up, round(side[0], 1), round(side[1], 1), low=mark.y < y.low))
    return tuple(placed)


def _free(x: float, y: float, taken: list[tuple[float, float]]) -> bool:
    inside = LEFT + 4 < x < WIDTH - RIGHT - 4 and TOP + 4 < y < HEIGHT - BOTTOM - 4
    return inside and all(abs(x - other[0]) > _NEAR or abs(y - other[1]) > _NEAR for other in taken)


def _across(axis: Axis, value: float) -> float:
    return round(LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT), 1)


def _up(axis: Axis, value: float) -> float:
    return round(HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM), 1)


def _round_step(rough: float) -> float:
    rough = max(rough, sys.float_info.min)  # the distance of the smallest doubles
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)


def _powers(low: float, high: float, most: int) -> list[float]:
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    every = max(1, math.ceil((last - first + 1) / most))
    found = [10.0**power for power in range(first, last + 1, every)]
    return found if len(found) > 1 else [value for value in _halves(low, high) if low <= value <= high][:most]


def _halves(low: float, high: float) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
