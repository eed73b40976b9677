"""The figure of docs/benchmarks.md: how many times more EZKL needs for the large model."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import Any

from benchmarks import results, shown

CASE = "xgb_100x6"
MEASURES: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("prove one row", "prove_seconds", shown.seconds),
    ("peak memory", "prove_memory_bytes", shown.size),
    ("proving key", "proving_key_bytes", shown.size),
    ("setup", "setup_seconds", shown.seconds),
    ("verify", "verify_seconds", shown.seconds),
    ("gas", "gas", shown.count),
)
WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 730, 120, 225, 62, 34, 18
DECADES = 4

STYLE = """\
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-size:15px;font-weight:600}.quiet{fill:#59636e}
.bar{fill:#0969da}.grid{stroke:#d1d9e0}.back{fill:#fff}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}.bar{fill:#4493f8}.grid{stroke:#3d444d}
.back{fill:#0d1117}}"""


def svg() -> str:
    """The drawing: one bar a measure, its length the logarithm of EZKL's figure over Assay's, in EZKL's better mode."""
    rows = [row for measure in MEASURES if (row := _row(*measure)) is not None]
    height = TOP + STEP * len(rows) + 26
    size = f'viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">',
        f"<title>{escape(_told(rows))}</title>",
        f"<style>{STYLE}</style>",
        '<rect class="back" width="100%" height="100%"/>',
        '<text x="12" y="22" class="title">XGBoost, 100 trees of depth 6: how many times more EZKL 23.0.5 needs</text>',
        '<text x="12" y="42" class="quiet">one inference, two cores, the same machine; logarithmic</text>',
    ]
    bottom = TOP + STEP * len(rows)
    for decade in range(DECADES + 1):
        x = _x(10.0**decade)
        parts += [
            f'<line class="grid" x1="{x:g}" y1="{TOP - 6}" x2="{x:g}" y2="{bottom}"/>',
            f'<text x="{x:g}" y="{bottom + 17}" class="quiet" text-anchor="middle">{10**decade:,}</text>',
        ]
    for number, (name, own, peer, ratio) in enumerate(rows):
        y, end = TOP + STEP * number, _x(ratio)
        words = f'{shown.three(ratio)} <tspan class="quiet">({escape(own)}, not {escape(peer)})</tspan>'
        parts += [
            f'<text x="{LEFT - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="bar" x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR}" rx="3"/>',
            f'<text x="{end + 8:.1f}" y="{y + 14}">{words}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _row(name: str, key: str, show: Callable[[Any], str]) -> tuple[str, str, str, float] | None:
    """A measure's name, both figures as words, and their ratio; None if one was not measured."""
    own, *peers = (results.read(f"{CASE}.{tool}") for tool in ("assay", "ezkl-resources", "ezkl-accuracy"))
    found = [peer["figures"][key] for peer in peers if peer and peer["figures"].get(key)]
    if own is None or not found:
        return None
    value, best = own["figures"][key], min(found)
    return name, show(value), show(best), best / value


def _x(ratio: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(max(ratio, 1.0)) / DECADES


def _told(rows: list[tuple[str, str, str, float]]) -> str:
    """The drawing for who cannot see it."""
    return "EZKL needs, against Assay: " + "; ".join(
        f"{name} {peer} against {own}, {shown.three(ratio)} times" for name, own, peer, ratio in rows
    )
