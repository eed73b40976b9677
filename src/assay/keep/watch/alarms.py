"""Alarms: a fold over events, so that what stood at any time, and since when, can be said.

An alarm is of one signal on one chain. It stands from its `watch.alarm` until a `watch.cleared` of the same signal and
chain; while it stands it is not raised again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assay.record import journal
from assay.record.journal import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from assay.record.database import Database

RAISED = "watch.alarm"
CLEARED = "watch.cleared"
WHO = "watch"
"""Who raises alarms, and ends them when all is well again."""


@dataclass(frozen=True)
class Rows:
    """Which answers an alarm is about.

    Attributes
    ----------
    count
        How many.
    first, last
        The first and the last period, blocks of the alarm's chain; None where the answers are of no periods.
    answers
        Ids: of the first and the last one, or of all if the signal names single ones.
    """

    count: int
    first: int | None = None
    last: int | None = None
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alarm:
    """Something that whoever runs the model should know.

    Attributes
    ----------
    signal
        What was looked at: "loss-promised". The runbook's entry is `watch/` and this name.
    release
        Digest of the release that it is about.
    why
        One plain sentence: what is wrong, and what to do.
    rows
        Which answers show it.
    since
        When it began, as far as is known: seconds since 1970.
    figures
        What was found and what it was compared with, by name, in the units of the signal.
    chain
        The chain whose answers they are; None for answers of no chain.
    about
        What of it, where there are several: the features that drifted.
    number, time
        Of its event; set when it is raised.
    """

    signal: str
    release: str
    why: str
    rows: Rows
    since: float
    figures: dict[str, float] = field(default_factory=dict)
    chain: str | None = None
    about: tuple[str, ...] = ()
    number: int = 0
    time: float = 0.0

    @property
    def code(self) -> str:
        """The entry of the runbook: `assay explain CODE`."""
        return f"watch/{self.signal}"


def raise_(database: Database, project: str, alarm: Alarm) -> Alarm | None:
    """Write an alarm down, with its number and time; None, and nothing is written, while it stands already.

    One that stands about another release ends by this one: it is about the release that decides now.
    """
    rows = {"count": alarm.rows.count, "first": alarm.rows.first, "last": alarm.rows.last}
    what = {
        "signal": alarm.signal,
        "release": alarm.release,
        "rows": rows | {"answers": list(alarm.rows.answers)},
        "since": alarm.since,
        "figures": alarm.figures,
        "about": list(alarm.about),
    }
    happened = Event(RAISED, alarm.signal, WHO, what, alarm.why, chain=alarm.chain, block=alarm.rows.last)

    def is_new(connection: Connection) -> bool:
        there = _standing(connection, project, alarm.signal, alarm.chain)
        return there is None or there.release != alarm.release

    kept = journal.append_if(database, project, happened, is_new)
    return None if kept is None else of_event(kept)


def clear(
    database: Database, project: str, alarm: Alarm, why: str, figures: dict[str, float] | None = None, *, who: str = WHO
) -> bool:
    """Write down that an alarm stands no more, why, and `who` says so; whether it stood."""
    what = {"signal": alarm.signal, "release": alarm.release, "alarm": alarm.number, "figures": figures or {}}
    happened = Event(CLEARED, alarm.signal, who, what, why, chain=alarm.chain)

    def stands(connection: Connection) -> bool:
        there = _standing(connection, project, alarm.signal, alarm.chain)
        return there is not None and there.number == alarm.number

    return journal.append_if(database, project, happened, stands) is not None


def open_alarms(database: Database, project: str, *, at: float | None = None) -> list[Alarm]:
    """The alarms that stand, or stood at a time (seconds since 1970), in the order in which they were raised."""
    return _fold(journal.read(database, project, [RAISED, CLEARED], until=at))


def of_event(event: Event) -> Alarm:
    """The alarm that a `watch.alarm` event says."""
    what = event.what
    rows = what["rows"]
    return Alarm(
        signal=what["signal"],
        release=what["release"],
        why=event.why,
        rows=Rows(rows["count"], rows["first"], rows["last"], tuple(rows["answers"])),
        since=what["since"],
        figures=dict(what["figures"]),
        chain=event.chain,
        about=tuple(what["about"]),
        number=event.number,
        time=event.time,
    )


def _standing(connection: Connection, project: str, signal: str, chain: str | None) -> Alarm | None:
    found = _fold(journal.read_in(connection, project, [RAISED, CLEARED], subject=signal))
    return next((one for one in found if one.chain == chain), None)


def _fold(happened: Iterable[Event]) -> list[Alarm]:
    stand: dict[tuple[str, str | None], Alarm] = {}
    for event in happened:
        of: tuple[str, Any] = (event.subject, event.chain)
        stand.pop(of, None)
        if event.kind == RAISED:
            stand[of] = of_event(event)
    return list(stand.values())
