"""Values outside a declared range that were moved to its end, because somebody asked for that."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST = 200
_SHOWN = 3


@dataclass(frozen=True)
class Saturated:
    """One value of a row that is proven as another.

    Attributes
    ----------
    row
        Counted from 0.
    feature
        Its name; None where the inputs are private, as are the two numbers: they would tell the row.
    value, taken
        What was given, and the end of the range that is proven instead.
    """

    row: int
    feature: str | None = None
    value: float | int | None = None
    taken: float | int | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON-compatible values."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def __str__(self) -> str:
        """For people."""
        if self.feature is None:
            return f"row {self.row}"
        return f"row {self.row}, {self.feature}: {self.value:g} as {self.taken:g}"


def hidden(found: Sequence[Saturated]) -> tuple[Saturated, ...]:
    """The rows alone."""
    return tuple(Saturated(row) for row in sorted({one.row for one in found}))


def read(said: Any, rows: int) -> tuple[Saturated, ...] | None:
    """From JSON that nobody vouches for; None if it says nothing that `to_dict` would."""
    if not isinstance(said, list) or not all(isinstance(one, dict) for one in said):
        return None
    found = []
    for one in said:
        row, feature = one.get("row"), one.get("feature")
        numbers = [one.get(name) for name in ("value", "taken")]
        if type(row) is not int or not 0 <= row < rows:
            return None
        if feature is not None and not (isinstance(feature, str) and len(feature) <= _LONGEST):
            return None
        if any(number is not None and not _number(number) for number in numbers):
            return None
        if (feature is None) != (numbers[0] is None) or (feature is None) != (numbers[1] is None):
            return None
        found.append(Saturated(row, feature, *numbers))
    return tuple(found)


def shown(found: Sequence[Saturated]) -> str:
    """One line for people."""
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return "; ".join(map(str, found[:_SHOWN])) + more


def _number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))
