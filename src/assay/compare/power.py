"""How long an experiment has to be: its plan played many times on the past, with an effect put in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.compare.effect import Units
from assay.compare.errors import NotComparable
from assay.compare.estimate import LEAST, estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PLAYED = 400
"""Experiments played for each length: the power found has a standard error of 2.5 points at most."""


@dataclass(frozen=True)
class Past:
    """Units before the experiment, all decided by the existing process, in order.

    Attributes
    ----------
    outcome
        (units,).
    before
        (units, k): what was known of each before it was decided.
    """

    outcome: Floats
    before: Floats

    def __len__(self) -> int:
        """How many units the past has."""
        return len(self.outcome)


@dataclass(frozen=True)
class Design:
    """What an experiment is to show.

    Attributes
    ----------
    effect
        The smallest that matters, with its sign.
    share
        The chance of the new arm.
    alpha
        Chance of an error over all looks.
    """

    effect: float
    share: float = 0.5
    alpha: float = 0.05


def power(past: Past, design: Design, length: int, seed: int = 7) -> float:
    """The share of experiments of `length` units that show an effect of the design's size and sign, at some look.

    Each takes a stretch of the past that begins anywhere, wrapping around, so that neighbours stay neighbours.

    Raises
    ------
    NotComparable
        The past is too short to say, or the effect is nothing.
    """
    if len(past) < LEAST or design.effect == 0 or length < LEAST:
        raise NotComparable(
            f"{len(past)} past units and a length of {length} say nothing of an effect of {design.effect:g}",
            f"Give {LEAST} units of the past, as many of length, and an effect.",
        )
    source = np.random.default_rng(seed)
    return sum(_shows(past, design, length, source) for _ in range(PLAYED)) / PLAYED


def _shows(past: Past, design: Design, length: int, source: np.random.Generator) -> bool:
    places = (int(source.integers(len(past))) + np.arange(length)) % len(past)
    treated = source.random(length) < design.share
    outcome = past.outcome[places] + design.effect * treated
    units = Units(outcome, treated, design.share, past.before[places], np.arange(length))
    found = estimate(units, design.alpha, length)
    return (found.first_above if design.effect > 0 else found.first_below) is not None
