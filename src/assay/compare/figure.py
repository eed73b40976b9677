"""Lines as SVG, which needs nothing from elsewhere: power against length, an effect with its interval over time."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from assay.report.chart import Axis

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT = 680, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 16, 30, 46
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#444}.g{stroke:#ddd}.l{fill:none;stroke:#1f5fbf;stroke-width:2}"
    ".b{fill:#1f5fbf;opacity:.16;stroke:none}.z{stroke:#888;stroke-dasharray:4 3}.t{font-weight:600;fill:#222}"
)


@dataclass(frozen=True)
class Line:
    """Points, and where they have one, the band around them."""

    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


def drawn(title: str, line: Line, *, x_title: str, y_title: str, levels: Sequence[float] = ()) -> str:
    """One line with its band.

    Parameters
    ----------
    line
        At least one point; all finite.
    levels
        Values at which a dashed line lies across.
    """
    x = _axis(line.x)
    y = _axis([*line.y, *line.low, *line.high, *levels])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        f'<text class="t" x="{_LEFT}" y="18">{escape(title)}</text>',
    ]
    for tick in y.ticks():
        at = _up(y, tick)
        parts.append(f'<line class="g" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at}" y2="{at}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{at + 4}" text-anchor="end">{tick:.4g}</text>')
    parts += [
        f'<text x="{_across(x, tick)}" y="{_HEIGHT - 28}" text-anchor="middle">{tick:,.10g}</text>'
        for tick in x.ticks()
    ]
    for level in levels:
        at = _up(y, level)
        parts.append(f'<line class="z" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at}" y2="{at}"/>')
    if len(line.low):
        there = list(zip(line.x, line.high, strict=True)) + list(zip(line.x, line.low, strict=True))[::-1]
        parts.append(f'<polygon class="b" points="{_points(x, y, there)}"/>')
    parts.append(f'<polyline class="l" points="{_points(x, y, list(zip(line.x, line.y, strict=True)))}"/>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(x_title)}</text>')
    place = (_TOP + _HEIGHT - _BOTTOM) / 2
    turned = f'text-anchor="middle" transform="rotate(-90 14 {place})"'
    parts.append(f'<text x="14" y="{place}" {turned}>{escape(y_title)}</text></svg>')
    return "\n".join(parts) + "\n"


def _axis(found: Sequence[float]) -> Axis:
    low, high = min(found), max(found)
    pad = 0.06 * ((high - low) or abs(high) or 1.0)
    return Axis(low - pad, high + pad)


def _across(axis: Axis, value: float) -> float:
    return round(_LEFT + axis.share(value) * (_WIDTH - _LEFT - _RIGHT), 1)


def _up(axis: Axis, value: float) -> float:
    return round(_HEIGHT - _BOTTOM - axis.share(value) * (_HEIGHT - _TOP - _BOTTOM), 1)


def _points(x: Axis, y: Axis, there: list[tuple[float, float]]) -> str:
    return " ".join(f"{_across(x, one)},{_up(y, other)}" for one, other in there)
