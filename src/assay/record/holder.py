"""Who holds a lease: a process, by a name from which others on its machine can tell that it is gone."""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path

_HOST_LETTERS = 30
LONGEST_LEASE = 3600.0
"""Seconds. One that lasts longer is of a clock that has been set back since."""


def me() -> str:
    """The name of this process in leases: host, space of process ids, id, and when it started."""
    return _name(os.getpid())


@cache
def _name(pid: int) -> str:
    return f"{_here()}:{pid}:{_started(pid)}"


def is_gone(name: str) -> bool:
    """Whether the holder is a process of this machine that runs no more.

    Of a process elsewhere, or in another container, nothing is known: its lease runs out by itself.
    """
    place, _, rest = name.partition(":")
    space, _, rest = rest.partition(":")
    pid, _, started = rest.partition(":")
    if f"{place}:{space}" != _here() or not pid.isdecimal() or not started:
        return False
    return _started(int(pid)) != started


def _here() -> str:
    try:
        space = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:  # no such files here: every name then looks like one from elsewhere
        space = 0
    return f"{socket.gethostname()[:_HOST_LETTERS].replace(':', '-')}:{space}"


def _started(pid: int) -> str:
    """Clock ticks from the machine's start to the process's; empty if there is none, or it has ended unseen."""
    try:
        # The command's name, in parentheses, may hold anything: what counts stands behind it.
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]
