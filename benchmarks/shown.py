"""How figures are written."""

from __future__ import annotations


def seconds(value: float) -> str:
    return f"{three(value * 1000)} ms" if value < 1 else f"{three(value)} s"


def size(value: float) -> str:
    for unit, scale in (("GB", 1e9), ("MB", 1e6)):
        if value >= scale:
            return f"{three(value / scale)} {unit}"
    return f"{value:,.0f} B"


def count(value: float) -> str:
    return f"{value:,.0f}"


def three(value: float) -> str:
    """Three significant digits, without an exponent where that can be read."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}"
