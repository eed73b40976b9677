"""Rows for which a value within a network ends before the model's own does: the answer may not be the model's.

Where values end is part of the circuit (docs/spec/networks-circuit.md, section 8); which rows got there no proof says.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_SHOWN = 5
SAID = "values within the model ended before its own do, so that the answer may not be the model's"


def read(said: Any, rows: int) -> tuple[int, ...] | None:
    """Places of rows, ascending, from JSON that nobody vouches for; None if it says anything else, or nothing."""
    if not isinstance(said, list) or not said or any(type(row) is not int for row in said):
        return None
    apart = all(one < other for one, other in pairwise(said))
    return tuple(said) if apart and said[0] >= 0 and said[-1] < rows else None


def shown(found: Sequence[int]) -> str:
    """The rows, for people."""
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"row{'s' * (len(found) != 1)} {', '.join(map(str, found[:_SHOWN]))}{more}"
