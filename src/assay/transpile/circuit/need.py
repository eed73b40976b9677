"""What `circuit.json` must hold, where it is read: an object, a list, whatever else is needed."""

from __future__ import annotations

from typing import Any

from assay.transpile.errors import CircuitMalformed

AGAIN = "Transpile the model again."


def object_(item: Any, where: str) -> dict[str, Any]:
    """An object; raises CircuitMalformed if it is none."""
    need(isinstance(item, dict), where)
    return dict(item)


def list_(item: Any, where: str) -> list[Any]:
    """A list; raises CircuitMalformed if it is none."""
    need(isinstance(item, list), where)
    return list(item)


def need(holds: object, where: str) -> None:
    """Raise CircuitMalformed, naming the place, unless it holds."""
    if not holds:
        raise CircuitMalformed(f"the circuit is malformed: {where}", AGAIN)
