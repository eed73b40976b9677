"""What a gate says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """A gate's verdict: whether it holds, and one sentence of why."""

    gate: str
    holds: bool
    said: str

    def to_dict(self) -> dict[str, Any]:
        """JSON values, as the record keeps them."""
        return vars(self).copy()


def holds(gate: str, said: str) -> Verdict:
    """The gate lets it through."""
    return Verdict(gate, holds=True, said=said)


def fails(gate: str, said: str) -> Verdict:
    """The gate refuses it."""
    return Verdict(gate, holds=False, said=said)
