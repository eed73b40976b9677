"""Drawing for a page: SVG whose colours are the page's, for wide and for narrow screens."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Colours that the page resolves (light or dark): each stands for a CSS variable.
TEXT, GRID, MODEL, RULE, OTHER, TURBULENT, CALM, WRONG, PAPER = (f"#00000{digit}" for digit in range(1, 10))
_VARIABLES = dict(
    zip(
        (TEXT, GRID, MODEL, RULE, OTHER, TURBULENT, CALM, WRONG, PAPER),
        ("text", "grid", "model", "rule", "other", "turbulent", "calm", "wrong", "paper"),
        strict=True,
    )
)


@dataclass(frozen=True)
class Screen:
    """What a figure is drawn for; the width in CSS pixels."""

    name: str
    width: int


WIDE, NARROW = Screen("wide", 860), Screen("narrow", 350)
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: sharp, selectable, in the page's colours
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.color": TEXT,
    "axes.labelcolor": TEXT,
    "axes.edgecolor": GRID,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 13,
    "axes.titlelocation": "left",
    "figure.facecolor": "none",
    "figure.constrained_layout.h_pad": 0.13,
    "figure.constrained_layout.w_pad": 0.06,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": TEXT,
    "ytick.labelcolor": TEXT,
    "lines.linewidth": 1.8,
}


def canvas(screen: Screen, height: int, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure of `height` CSS pixels: a unit of the SVG is a pixel, so text has its true size."""
    size = (screen.width / 72, height / 72)
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(rows, columns, **options)


def pair(screen: Screen, *, wide: int, narrow: int) -> tuple[Any, Any]:
    """Two drawings side by side, or one below the other on a narrow screen; heights in CSS pixels."""
    return canvas(screen, narrow, rows=2) if screen is NARROW else canvas(screen, wide, columns=2)


def legend_above(axes: Any) -> None:
    """Put the legend on the line of the title, at its other end, where nothing is drawn."""
    axes.legend(loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.15, ncols=3, columnspacing=1.2)


def svg(draw: Callable[[Screen], Any], name: str, screen: Screen) -> str:
    """Draw, then make the SVG part of a page: its colours, its identifiers, nothing else around it."""
    from matplotlib import rc_context

    file = io.StringIO()
    with rc_context(_STYLE | {"svg.hashsalt": name}):
        draw(screen).savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true">', text, count=1)
    text = re.sub(r'\bid="([^"]*)"', rf'id="{name}-\1"', text)
    text = text.replace('xlink:href="#', f'href="#{name}-')
    text = text.replace("url(#", f"url(#{name}-")
    text = text.replace("'DejaVu Sans'", "system-ui, sans-serif")
    for colour, variable in _VARIABLES.items():
        text = text.replace(colour, f"var(--{variable})")
    return re.sub(r"\n\s*", "\n", text)
