"""What a prover has under way: held for as long as it is worked on, and a proof that nobody works on is noticed."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assay.core.errors import AssayError
from assay.record import answers
from assay.record.errors import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from assay.record.answers import Answer
    from assay.record.database import Database

STILL_SECONDS = 60.0
"""A proof that none of its threads has worked on for so long is never made."""
LONGEST_SECONDS = 3600.0
"""Nor, for all that is known, is one that takes longer."""
_RENEWALS = 4
_TICK = 1.0


@dataclass
class _Held:
    answers: list[Answer]
    since: float


class UnderWay:
    """The answers that one process proves, each thread its own.

    Parameters
    ----------
    seconds
        Of their leases, which are made longer in time.
    """

    def __init__(self, database: Database, seconds: float) -> None:
        self._database, self._seconds = database, seconds
        self._lock = threading.Lock()
        self._held: dict[int, _Held] = {}
        self._began: dict[int, float] = {}
        self._worked: int | None = None
        self._still = 0.0

    @contextmanager
    def held(self, some: list[Answer]) -> Iterator[None]:
        """Hold these, on which this thread works: their leases last meanwhile."""
        me = threading.get_ident()
        with self._lock:
            self._held[me] = _Held(some, time.monotonic())
        try:
            yield
        finally:
            with self._lock:
                del self._held[me]

    @contextmanager
    def proof(self) -> Iterator[None]:
        """Watch that this thread makes a proof."""
        me = threading.get_native_id()
        with self._lock:
            self._began[me] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._began[me]

    def look_after(self, over: threading.Event, hung: Callable[[str], None]) -> None:
        """Hold what is under way until `over`; `hung` is told in words why a proof will never be made."""
        last = time.monotonic()
        while not over.wait(min(_TICK, self._seconds / _RENEWALS, STILL_SECONDS / _RENEWALS)):
            self._renew()
            now = time.monotonic()
            # While the process was stopped itself, its threads could not work.
            if why := self._hung(min(now - last, 2 * _TICK)):
                hung(why)
            last = now

    def _renew(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [one for one in self._held.values() if now - one.since >= self._seconds / _RENEWALS]
        for held in due:
            for one in held.answers:
                try:
                    answers.renew(self._database, one, self._seconds)
                except LeaseLost:  # it is told so when it is to be kept
                    continue
                except AssayError:  # a database that is away is asked again
                    return
            held.since = now

    def _hung(self, passed: float) -> str:
        with self._lock:
            began = dict(self._began)
        worked = _worked(began) if began else None
        self._still = 0.0 if worked is None or worked != self._worked else self._still + passed
        self._worked = worked
        if self._still >= STILL_SECONDS:
            return f"no thread has worked on its proof for {self._still:.0f} s"
        if began and (longest := time.monotonic() - min(began.values())) >= LONGEST_SECONDS:
            return f"a proof has taken {longest:.0f} s, and none takes so long"
        return ""


def _worked(provers: Collection[int]) -> int | None:
    """Processor time of the threads that prove (these, and all that are not Python's), in ticks; None: not known here.

    The native core's threads have all slept for long only if each waits for another.
    """
    others = {one.native_id for one in threading.enumerate()} - set(provers)
    total = 0
    try:
        threads = [one for one in Path("/proc/self/task").iterdir() if int(one.name) not in others]
    except OSError:
        return None
    for one in threads:
        with suppress(OSError):  # it has ended
            fields = (one / "stat").read_text(errors="replace").rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total
