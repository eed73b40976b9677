"""How long what failed waits until it is tried again."""

from __future__ import annotations

_MOST_DOUBLINGS = 30


def pause(attempts: int, longest: float) -> float:
    """Seconds after so many attempts: twice as many each time, up to `longest`, however long it goes on failing."""
    return float(min(longest, 1 << min(attempts, _MOST_DOUBLINGS)))
