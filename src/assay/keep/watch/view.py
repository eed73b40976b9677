"""What the page and Prometheus show: the last look, and the alarms that stand; looked at again when that is old."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from assay.core.errors import AssayError
from assay.keep.watch.alarms import CLEARED, RAISED
from assay.keep.watch.signal import TITLES
from assay.record import journal
from assay.report.chart import Axis

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assay.keep.watch.alarms import Alarm, Rows
    from assay.keep.watch.look import Look, Watcher

    Floats = NDArray[np.float64]

_SECONDS = 20.0
_PAST = 20
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 480, 230, 52, 472, 10, 206
_POINTS = 240
_WORDS = {"well": "well", "alarm": "alarm", "between": "not quite well", "unknown": "not known"}
_TONES = {"well": "good", "alarm": "bad", "between": "soft", "unknown": "soft"}


@dataclass
class WatchView:
    """The watch of one service, as its page shows it."""

    watcher: Watcher
    _seen: Look | None = None
    _at: float = float("-inf")
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self) -> Look:
        """The last look, or a new one; while somebody takes one, others have the last."""
        seen = self._seen
        if not self._lock.acquire(blocking=seen is None) and seen is not None:
            return seen
        try:
            if self._seen is None or time.monotonic() - self._at >= _SECONDS:
                self._seen = self.watcher.look()
                self._at = time.monotonic()
            return self._seen
        finally:
            self._lock.release()

    def figures(self) -> list[tuple[str, str, bool, dict[str, float]]]:
        """Of each signal: its name, its state, whether its alarm stands, its figures; none where it cannot look."""
        try:
            seen = self.look()
        except AssayError:  # the part says why, and other figures do not suffer from it
            return []
        standing = {one.signal for one in self.watcher.standing()}
        return [(one.name, one.state, one.name in standing, one.figures) for one in seen.signals]

    def page(self) -> dict[str, Any]:
        """What the page shows."""
        seen = self.look()
        return {
            "release": seen.release.name if seen.release is not None else None,
            "chain": seen.chain,
            "time": seen.time,
            "alpha": self.watcher.task.watch.alpha,
            "unit": seen.unit,
            "promised": "{1:.4g} to {2:.4g}".format(*seen.promised) if seen.promised else "",
            "notes": seen.notes,
            "alarms": [_alarm(one) for one in self.watcher.standing()],
            "signals": [
                {
                    "title": one.title,
                    "state": one.state,
                    "word": _WORDS[one.state],
                    "tone": _TONES[one.state],
                    "said": one.said,
                    "todo": one.todo,
                    "figures": one.figures,
                }
                for one in seen.signals
            ],
            "figure": _figure(seen),
            "past": self._past(),
        }

    def _past(self) -> list[dict[str, Any]]:
        found = journal.read(self.watcher.database, self.watcher.task.name, [RAISED, CLEARED])
        own = [one for one in found if one.chain == self.watcher.chain][-_PAST:]
        words = {RAISED: "raised", CLEARED: "well again"}
        return [
            {"title": TITLES.get(one.subject, one.subject), "word": words[one.kind], "time": one.time, "why": one.why}
            for one in reversed(own)
        ]


def _alarm(one: Alarm) -> dict[str, Any]:
    return {
        "title": TITLES.get(one.signal, one.signal),
        "why": one.why,
        "about": one.about,
        "time": one.time,
        "since": one.since,
        "rows": said_of(one.rows),
        "code": one.code,
    }


def said_of(rows: Rows) -> str:
    """Which answers, in words."""
    if rows.first is not None and rows.last is not None:
        return f"{rows.count} answers of periods {rows.first} to {rows.last}"
    return f"{rows.count} answers" if rows.count else "no single answer"


def _figure(seen: Look) -> dict[str, Any] | None:
    """Lines of the loss over time, as paths of an SVG; None before there are two points."""
    if len(seen.history.get("time", [])) < 2:
        return None
    step = max(len(seen.history["time"]) // _POINTS, 1)
    lists = {name: np.array(values, dtype=np.float64)[::step] for name, values in seen.history.items()}
    first, last = float(lists["time"].min()), float(lists["time"].max())
    x = _LEFT + (lists["time"] - first) / max(last - first, 1e-9) * (_RIGHT - _LEFT)
    axis = _axis(lists, seen)
    places = {name: _down(axis, values) for name, values in lists.items() if name != "time"}
    mean = lists["mean"][-1] if np.isfinite(lists["mean"][-1]) else float(np.nanmean(lists["loss"]))
    about = f"{seen.unit} over time: mean {mean:.4g} in {len(lists['time'])} points"
    if seen.promised:
        about += f", where {seen.promised[1]:.4g} to {seen.promised[2]:.4g} was promised"
    return {
        "width": _WIDTH,
        "height": _HEIGHT,
        "left": _LEFT,
        "right": _RIGHT,
        "about": about,
        "ticks": [(round(float(_down(axis, np.array([at]))[0]), 1), f"{at:.3g}") for at in axis.ticks(4)],
        "times": [(_LEFT, _day(first), "start"), (_RIGHT, _day(last), "end")],
        "promised": None
        if seen.promised is None
        else [round(float(place), 1) for place in _down(axis, np.array(seen.promised[1:]))],
        "band": _band(x, places["low"], places["high"]),
        **{name: _path(x, places[name]) for name in ("existing", "loss", "mean")},
    }


def _axis(lists: dict[str, Floats], seen: Look) -> Axis:
    """From the least to the greatest that matters: rare blocks that are far off leave the drawing."""
    blocks = np.concatenate([lists["loss"], lists["existing"][np.isfinite(lists["existing"])]])
    rest = [lists[name][np.isfinite(lists[name])] for name in ("mean", "low", "high")]
    ends = [*np.quantile(blocks, [0.02, 0.98]), *(seen.promised or ())]
    ends += [float(value) for part in rest for value in part[len(part) // 4 :]]
    low, high = float(min(ends)), float(max(ends))
    return Axis(low, high if high > low else low + 1.0)


def _down(axis: Axis, values: Floats) -> Floats:
    share = np.clip((values - axis.low) / (axis.high - axis.low), 0.0, 1.0)
    return np.asarray(_BOTTOM - share * (_BOTTOM - _TOP))


def _path(x: Floats, y: Floats) -> str:
    there = np.isfinite(y)
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[there], y[there], strict=True)) if there.any() else ""


def _band(x: Floats, low: Floats, high: Floats) -> str:
    there = np.isfinite(low) & np.isfinite(high)
    if not there.any():
        return ""
    return _path(np.concatenate([x[there], x[there][::-1]]), np.concatenate([low[there], high[there][::-1]])) + "Z"


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
