"""Looks at test rows, counted over all retrainings: each spends its part of the stated error.

Whatever rows the looks share, and whatever was learned from one before the next, the chance that any of them takes a
model that is no better is at most the sum of what they spend (Bonferroni's inequality; as alpha spending, Lan and
DeMets, Discrete Sequential Boundaries for Clinical Trials, 1983).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assay.keep.retrain.verdict import Verdict, fails, holds

if TYPE_CHECKING:
    from collections.abc import Sequence

GATE = "looks"
_NOTHING = 1e-9


@dataclass(frozen=True)
class Look:
    """The next look: its number from 1, and the error that it may spend (0: none is left)."""

    number: int
    error: float


def next_look(spent: Sequence[float], alpha: float, looks: int) -> Look:
    """Share what is left of `alpha` evenly among the looks that are left.

    Parameters
    ----------
    spent
        The error of each look so far. Other settings since then change what is to come, never what is spent.
    alpha, looks
        As [retrain] says now.
    """
    left, rest = alpha - math.fsum(spent), looks - len(spent)
    # What rounding alone leaves over is none.
    return Look(len(spent) + 1, left / rest if rest > 0 and left > _NOTHING * alpha else 0.0)


def gate(look: Look, alpha: float, looks: int) -> Verdict:
    """Whether a look is left."""
    if look.error > 0:
        return holds(GATE, f"This is look {look.number} of {looks}; it may err with a chance of {look.error:.3g}.")
    return fails(
        GATE,
        f"The stated error of {alpha:g} over {looks} looks is spent, after {look.number - 1}: state more looks and "
        "another alpha in [retrain], and say so to whoever relies on it.",
    )
