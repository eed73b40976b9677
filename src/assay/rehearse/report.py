"""What a person reads of a rehearsal: one page that needs nothing from elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from assay.rehearse.play import WHAT

if TYPE_CHECKING:
    from assay.rehearse.play import Period
    from assay.rehearse.rehearse import Rehearsal

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 720.0, 180.0, 40.0, 26.0


def page(found: Rehearsal) -> str:
    """The page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("assay.rehearse"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("rehearsal.html.j2").render(
        found=found,
        what=WHAT,
        when=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(found.when)),
        figure=figure(found.periods, found.within),
        marks={True: "holds", False: "FAILS", None: "open"},
    )


def figure(periods: list[Period], within: int | None) -> dict[str, Any]:
    """Bars of the blocks from a period's end to its settlement; where they are in the drawing."""
    most = max([one.latency or 0 for one in periods] + [within or 0, 1])
    shown = min(most, max([2 * (one.latency or 0) for one in periods] + [4]))
    step = (_WIDTH - _LEFT) / max(1, len(periods))

    def up(value: float) -> float:
        return round((_HEIGHT - _BOTTOM) * (1 - min(value, shown) / shown * 0.9), 1)

    bars = [
        {
            "x": round(_LEFT + step * index + step * 0.15, 1),
            "y": up(one.latency or 0),
            "width": round(step * 0.7, 1),
            "height": round(_HEIGHT - _BOTTOM - up(one.latency or 0), 1),
            "middle": round(_LEFT + step * (index + 0.5), 1),
            "period": one,
        }
        for index, one in enumerate(periods)
    ]
    limit = up(within) if within is not None and within <= shown else None
    ticks = [(value, up(value)) for value in sorted({0, shown // 2, shown})]
    return {"bars": bars, "limit": limit, "ticks": ticks, "width": _WIDTH, "height": _HEIGHT, "base": _HEIGHT - _BOTTOM}
