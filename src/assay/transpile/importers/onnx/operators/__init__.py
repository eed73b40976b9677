"""The operators: importing a file registers what it converts."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path


def load() -> None:
    """Register every operator."""
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem != "__init__":
            import_module(f"{__name__}.{path.stem}")
