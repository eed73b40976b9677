"""What a later room gives the service to watch with: it is brought in, because rooms look backwards only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from assay.record.database import Database
    from assay.serve.settings import Settings


class View(Protocol):
    """How everything stands, seen again when the last look is old."""

    def page(self) -> dict[str, Any]:
        """What the page shows."""
        ...

    def figures(self) -> list[tuple[str, str, bool, dict[str, float]]]:
        """Of each signal: its name, its state, whether its alarm stands, its figures."""
        ...


@dataclass(frozen=True)
class Watching:
    """The part that watches, and the view of it."""

    run: Callable[[Settings, Callable[[str], None]], None]
    view: Callable[[Settings, Database], View]
