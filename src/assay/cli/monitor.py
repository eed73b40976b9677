"""`assay monitor`: whether the release that decides is still what was agreed to, and which alarms stand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli.app import app
from assay.cli.options import DatabaseUrl, Here, Json
from assay.cli.output import Output, progress, warn
from assay.cli.records import opened

if TYPE_CHECKING:
    from assay.keep.watch.alarms import Alarm
    from assay.keep.watch.look import Look

ALARM = 1


@app.command()
def monitor(
    folder: Here = Path(),
    *,
    chain: Annotated[
        str | None,
        typer.Option("--chain", metavar="NAME", help="A [chains.NAME] of task.toml, or none; by default as in `up`."),
    ] = None,
    clear: Annotated[
        str | None,
        typer.Option("--clear", metavar="SIGNAL", help="Take this alarm back; rows up to now count no more for it."),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it is taken back, for the history.")] = "",
    database: DatabaseUrl = None,
    json: Json = False,
) -> None:
    """Look at loss, inputs, outputs, proofs and money of the release that decides; exit code 1 if an alarm stands."""
    from assay.keep.watch.look import Watcher
    from assay.project.project import Project
    from assay.serve.settle import settling

    task = Project(folder).task
    with opened(folder, database) as base:
        named = settling(base, task, chain, lambda _: None)
        watcher = Watcher(base, task, named, warn)
        if clear is not None:
            _clear(watcher, clear, reason)
        with progress("Looking at the answers"):
            seen = watcher.step()
        standing = watcher.standing()
    Output(json=json).result(_fields(seen, standing), "\n".join(_lines(seen, standing)))
    for note in seen.notes[1:] if seen.release is None else seen.notes:  # that none decides is said already
        warn(note)
    if standing:
        raise typer.Exit(ALARM)


def _clear(watcher: Any, signal: str, reason: str) -> None:
    from assay.cli.release import who
    from assay.keep.errors import NoSuchAlarm
    from assay.keep.watch.alarms import clear

    standing = {one.signal: one for one in watcher.standing()}
    if signal not in standing:
        known = ", ".join(standing) or "none"
        raise NoSuchAlarm(f'no alarm of "{signal:.40}" stands', f"Those that stand: {known}.")
    if not reason.strip():
        raise NoSuchAlarm(f"no reason is given for taking {signal} back", "Say why, for the history: --reason TEXT.")
    clear(watcher.database, watcher.task.name, standing[signal], reason.strip(), who=who())


def _fields(seen: Look, standing: list[Alarm]) -> dict[str, Any]:
    return {
        "release": None if seen.release is None else seen.release.name,
        "chain": seen.chain,
        "time": seen.time,
        "notes": list(seen.notes),
        "alarms": [
            {
                "signal": one.signal,
                "why": one.why,
                "since": one.since,
                "time": one.time,
                "about": list(one.about),
                "rows": {"count": one.rows.count, "first": one.rows.first, "last": one.rows.last},
                "figures": one.figures,
            }
            for one in standing
        ],
        "signals": [
            {"signal": one.name, "state": one.state, "said": one.said, "figures": one.figures} for one in seen.signals
        ],
    }


def _lines(seen: Look, standing: list[Alarm]) -> list[str]:
    from assay.keep.watch.view import said_of

    if seen.release is None:
        lines = ["Nothing is watched: no release decides."]
    else:
        lines = [f"{seen.release.name} on {seen.chain or 'no chain'}"]
    lines += [f"  {one.name:<17} {one.state:<8} {one.said}" for one in seen.signals]
    for one in standing:
        since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(one.since))
        lines += ["", f"ALARM {one.signal}: {one.why}"]
        lines.append(f"  {said_of(one.rows)}, since {since}; what to do: `assay explain {one.code}`")
    return lines if standing or seen.release is None else [*lines, "", "No alarm stands."]
