"""Whether a model should be trained again: by its schedule, for an alarm that nobody has acted on, or asked for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from assay.keep.watch.signal import CURED
from assay.task.fields import DURATION, SPAN, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from assay.keep.watch.alarms import Alarm
    from assay.task.retrain import Retrain

Kind = Literal["schedule", "alarm", "asked"]
CLOCK_SLACK = 60.0
"""Seconds by which clocks of machines that share a record may differ."""


@dataclass(frozen=True)
class Trigger:
    """Why a retraining is begun: a sentence, and the numbers of the alarms' events."""

    kind: Kind
    said: str
    alarms: tuple[int, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON values."""
        return {"kind": self.kind, "said": self.said, "alarms": list(self.alarms)}


@dataclass(frozen=True)
class Since:
    """When the last retraining began, or, before the first, the release that decides was made."""

    time: float
    block: int | None


@dataclass(frozen=True)
class Due:
    """What is due: a trigger, or None; and a sentence either way."""

    trigger: Trigger | None
    said: str


def due(
    settings: Retrain,
    alarms: Sequence[Alarm],
    handled: frozenset[int],
    since: Since,
    *,
    now: float,
    head: Callable[[], int],
) -> Due:
    """Say whether a retraining is due.

    Parameters
    ----------
    alarms
        Those that stand about the release that decides; what no training cures makes none due.
    handled
        Numbers of alarms that a retraining was begun for already: another needs another alarm.
    now
        Seconds since 1970 by the record's clock.
    head
        The newest block of the chain that counts; asked only where the schedule counts blocks.
    """
    alarms = [one for one in alarms if one.signal in CURED]
    fresh = [one for one in alarms if one.number not in handled]
    if settings.on_alarm and fresh:
        names = ", ".join(f"{one.signal} (event {one.number})" for one in fresh)
        said = f"The watch alarms about the release that decides: {names}."
        return Due(Trigger("alarm", said, tuple(one.number for one in fresh)), said)
    if settings.every is None:
        acted = " and the alarms that stand were acted on" if alarms and settings.on_alarm else ""
        return Due(None, f"Nothing is due: [retrain] has no `every`{acted}.")
    return _by_time(settings.every, since, now) if DURATION.match(settings.every) else _by_blocks(settings, since, head)


def _by_time(every: str, since: Since, now: float) -> Due:
    if now < since.time - CLOCK_SLACK:
        back = since.time - now
        said = f"Nothing is due: the record's clock stands {back:,.0f} s before the last retraining. Set it right."
        return Due(None, said)
    when = since.time + seconds(every)
    if now < when:
        return Due(None, f"Nothing is due before {_moment(when)} ({every} after {_moment(since.time)}).")
    said = f"{every} have passed since {_moment(since.time)}."
    return Due(Trigger("schedule", said), said)


def _by_blocks(settings: Retrain, since: Since, head: Callable[[], int]) -> Due:
    match = SPAN.match(settings.every or "")
    count = int(match[1]) if match is not None else 0
    if since.block is None:
        said = f"No block of the last training is known, so {settings.every} are taken to have passed."
        return Due(Trigger("schedule", said), said)
    newest = head()
    if newest < since.block:
        return Due(None, f"Nothing is due: the chain stands at block {newest}, before block {since.block} of the last.")
    if newest < since.block + count:
        return Due(None, f"Nothing is due before block {since.block + count} (now {newest}).")
    said = f"{settings.every} have passed since block {since.block}."
    return Due(Trigger("schedule", said), said)


def span_seconds(span: str, block_seconds: float) -> float:
    """Seconds in a span of time or of blocks."""
    if DURATION.match(span):
        return float(seconds(span))
    match = SPAN.match(span)
    return int(match[1]) * block_seconds if match is not None else 0.0


def _moment(when: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(when))
