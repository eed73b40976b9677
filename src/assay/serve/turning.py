"""Whether the endpoint's event loop turns: it says so every second, to systemd too, and what hangs is started again.

A request that holds the loop holds all others. The process then begins anew in its own place, with the sockets that it
listens on: whoever connects meanwhile waits, and nobody is refused.
"""

from __future__ import annotations

import faulthandler
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SILENT_SECONDS = 60.0
"""A loop that has not turned for so long hangs."""
NOTIFY = "NOTIFY_SOCKET"
"""In the environment, from systemd: where it is told that a service is ready and runs (sd_notify)."""
_SOCKETS = "ASSAY_LISTENS"
"""In the environment of a process that began anew: the numbers of the sockets that it goes on listening on."""
_BEAT_SECONDS, _LOOK_SECONDS, _LONGEST_LOOK = 1.0, 0.25, 1.0


class Turning:
    """One loop, and whoever looks whether it turns."""

    def __init__(self) -> None:
        self._turned, self._said = 0, float("-inf")
        self._over = threading.Event()

    def beat(self) -> None:
        """Say that it turns."""
        self._turned += 1
        now = time.monotonic()
        if now - self._said >= _BEAT_SECONDS:
            # That it is ready is said with each beat: what is said once may be lost.
            tell_systemd("READY=1\nWATCHDOG=1")
            self._said = now

    def look_after(self, hung: Callable[[float], None]) -> None:
        """From its first turn until `end`: `hung` is told for how many seconds it has not turned, once."""
        threading.Thread(target=self._look, args=(hung,), daemon=True).start()

    def end(self) -> None:
        """It turns no more, as it should."""
        self._over.set()

    def _look(self, hung: Callable[[float], None]) -> None:
        turned, silence, last = 0, 0.0, time.monotonic()
        while not self._over.wait(_LOOK_SECONDS):
            now = time.monotonic()
            # While the process was stopped itself, nothing in it could turn.
            silence = 0.0 if self._turned != turned or not turned else silence + min(now - last, _LONGEST_LOOK)
            turned, last = self._turned, now
            if silence >= SILENT_SECONDS:
                hung(silence)
                return


def tell_systemd(text: str) -> None:
    """Say something to systemd, if it has started this process and asks for it."""
    address = os.environ.get(NOTIFY, "")
    if not address:
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.settimeout(0)
        sender.sendto(text.encode(), "\0" + address[1:] if address.startswith("@") else address)


def inherited() -> list[socket.socket]:
    """The sockets of the process that began anew here, which nobody has closed; none in any other."""
    numbers = os.environ.pop(_SOCKETS, "")
    found = [socket.socket(fileno=int(number)) for number in numbers.split(",") if number]
    for one in found:
        one.set_inheritable(False)
    return found


def begin_anew(sockets: Sequence[socket.socket]) -> NoReturn:
    """Say where every thread is, and run the command of this process again in its place."""
    with suppress(OSError, ValueError):  # nobody reads it any more
        faulthandler.dump_traceback(all_threads=True)
    for one in sockets:
        one.set_inheritable(True)
    numbers = ",".join(str(one.fileno()) for one in sockets)
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], os.environ | {_SOCKETS: numbers})  # noqa: S606
